"""The metrics of an evaluation, from pairs of true and found lines. Pure, but for the diarization error rate."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from yuki_builder.characters.cast import name_key
from yuki_builder.characters.evaluation.truth import TrueLine
from yuki_builder.records import Line, Record, Span, Turn, Verdict

PRECISION = 0.95
_BINS = 10
_COLLAR_S = 0.25


@dataclass(frozen=True, slots=True)
class CharacterFigures(Record):
    """Of one character: lines of the truth, lines given to it, and shares of those that are right (0..1)."""

    character: str
    true_lines: int
    found_lines: int
    precision: float | None
    recall: float | None


@dataclass(frozen=True, slots=True)
class Bin(Record):
    """Named lines of similar confidence: how many, the mean confidence, the share that is right."""

    lines: int
    confidence: float
    accuracy: float


@dataclass(frozen=True, slots=True)
class Evaluation(Record):
    """How an episode (or several) compares with the truth.

    Attributes:
        lines: lines of the truth.
        not_found: of those, without any line of ours at their time.
        unknown_speakers: of those, said by characters that the run had no way to know (nobody enrolled or tagged them).
        accuracy: share of the truth's lines with the right name. A line of an unknown speaker is right without a name.
        certain, certain_precision: share called certain, and the share of those that is right.
        coverage: largest share of lines that can be kept, by confidence, with 95 % of them right.
        calibration_error: mean distance of confidence and accuracy over ten equally filled bins (ECE).
        unknown: share of lines without a name.
        by_voice: True where names are voices (``SPEAKER_01``), matched one to one with the characters.
        characters, bins: metrics by character and by confidence.
        confusion: (true name, found name or "", count), the largest first.
        start_error_ms, end_error_ms: median and 95th percentile of the distance of line edges from the truth's.
        diarization_error, diarization_error_collar: DER of the turns, overlapping speech included, without a
            collar and with 250 ms on either side of each edge; None without turns.
        speech_error: of the former the share that is missed and false speech, not confusion.
        speech_accuracy: as ``accuracy``, but each line counts by its duration in the truth; None in evaluations of
            earlier versions.
    """

    lines: int
    not_found: int
    unknown_speakers: int
    accuracy: float
    certain: float
    certain_precision: float | None
    coverage: float
    calibration_error: float | None
    unknown: float
    by_voice: bool
    characters: tuple[CharacterFigures, ...]
    bins: tuple[Bin, ...]
    confusion: tuple[tuple[str, str, int], ...]
    start_error_ms: tuple[float, float] | None
    end_error_ms: tuple[float, float] | None
    diarization_error: float | None = None
    diarization_error_collar: float | None = None
    speech_error: float | None = None
    speech_accuracy: float | None = None

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        if isinstance(data, Mapping) and "strangers" in data:  # as earlier versions called them
            data = {"unknown_speakers": data["strangers"], **data}
        return super(Evaluation, cls).from_dict(data)


@dataclass(frozen=True, slots=True)
class _Pair:
    """A line of the truth, ours that overlaps it most, and whether its name is right."""

    true: TrueLine
    found: Line | None
    name: str | None
    is_right: bool


def evaluate(
    lines: Sequence[Line],
    truth: Sequence[TrueLine],
    turns: Sequence[Turn] = (),
    *,
    known: Collection[str] | None = None,
) -> Evaluation:
    """Compare what was found with what a person says.

    Args:
        lines: of one episode.
        truth: of the same episode; at least one line.
        turns: the diarization to judge, if any.
        known: names that the run could know (enrolled, tagged); None: those that its lines or their evidence hold.

    Names are compared without regard to case, width and spacing. Where not one found name is in the truth, names
    are taken for voices and matched with the characters one to one, as well as can be.
    """
    pairs = [(true, _best(true, lines)) for true in truth]
    names = {name_key(line.character): line.character for line in lines if line.character}
    characters = {name_key(true.character) for true in truth}
    knew_somebody = known is not None and not characters.isdisjoint(map(name_key, known))
    by_voice = bool(names) and characters.isdisjoint(names) and not knew_somebody
    meant = _matched(pairs) if by_voice else {key: key for key in names}
    if known is None:
        heard = {e.character for line in lines for e in line.evidence} | set(names.values())
        known = heard
    knowable = characters if by_voice else {name_key(name) for name in known}
    judged = [_judge(true, found, meant, knowable) for true, found in pairs]
    named = [pair for pair in judged if pair.found is not None and pair.name is not None]
    certain = [pair for pair in named if pair.found is not None and pair.found.verdict is Verdict.CERTAIN]
    bins = _bins(named)
    in_all = len(judged)
    return Evaluation(
        lines=in_all,
        not_found=sum(pair.found is None for pair in judged),
        unknown_speakers=sum(name_key(pair.true.character) not in knowable for pair in judged),
        accuracy=_share(judged),
        certain=len(certain) / in_all,
        certain_precision=_share(certain) if certain else None,
        coverage=_coverage(named, in_all),
        calibration_error=_calibration_error(bins) if bins else None,
        unknown=sum(pair.found is not None and pair.name is None for pair in judged) / in_all,
        by_voice=by_voice,
        characters=_by_character(judged),
        bins=bins,
        confusion=_confusion(judged),
        start_error_ms=_edges([abs(f.start_ms - t.start_ms) for t, f in pairs if f]),
        end_error_ms=_edges([abs(f.end_ms - t.end_ms) for t, f in pairs if f]),
        speech_accuracy=_share_of_speech(judged),
        **_diarization(truth, turns),
    )


def _best(true: TrueLine, lines: Sequence[Line]) -> Line | None:
    best = max(
        lines, key=lambda line: (line.span.overlap_ms(true.span), -abs(line.start_ms - true.start_ms)), default=None
    )
    return best if best is not None and best.span.overlap_ms(true.span) > 0 else None


def _matched(pairs: Sequence[tuple[TrueLine, Line | None]]) -> dict[str, str]:
    """The character that each voice stands for, one to one, so that most lines are right (Hungarian method)."""
    from scipy.optimize import linear_sum_assignment

    counts = Counter(
        (name_key(found.character), name_key(true.character)) for true, found in pairs if found and found.character
    )
    voices, characters = (sorted({key[side] for key in counts}) for side in (0, 1))
    table = np.array([[counts[voice, character] for character in characters] for voice in voices])
    if not table.size:
        return {}
    rows, columns = linear_sum_assignment(-table)
    return {voices[row]: characters[column] for row, column in zip(rows, columns, strict=True)}


def _judge(true: TrueLine, found: Line | None, meant: dict[str, str], knowable: Collection[str]) -> _Pair:
    character = name_key(true.character)
    name = (
        None
        if found is None or not found.character
        else meant.get(name_key(found.character), name_key(found.character))
    )
    is_right = found is not None and (name == character if character in knowable else name is None)
    return _Pair(true, found, name, is_right)


def _share(pairs: Sequence[_Pair]) -> float:
    return sum(pair.is_right for pair in pairs) / len(pairs) if pairs else 0.0


def _share_of_speech(pairs: Sequence[_Pair]) -> float | None:
    total_ms = sum(pair.true.span.duration_ms for pair in pairs)
    return sum(pair.true.span.duration_ms for pair in pairs if pair.is_right) / total_ms if total_ms else None


def _confidence(pair: _Pair) -> float:
    return pair.found.confidence if pair.found else 0.0


def _coverage(named: Sequence[_Pair], in_all: int) -> float:
    ordered = sorted(named, key=_confidence, reverse=True)
    right, best = 0, 0
    for k, pair in enumerate(ordered, start=1):
        right += pair.is_right
        # Lines of one confidence are kept or left together.
        is_edge = k == len(ordered) or _confidence(ordered[k]) < _confidence(pair)
        if is_edge and right >= PRECISION * k:
            best = k
    return best / in_all


def _bins(named: Sequence[_Pair]) -> tuple[Bin, ...]:
    ordered = sorted(named, key=_confidence)
    parts = [part for part in np.array_split(np.arange(len(ordered)), min(_BINS, max(1, len(ordered)))) if len(part)]
    return tuple(
        Bin(
            lines=len(part),
            confidence=float(np.mean([_confidence(ordered[k]) for k in part])),
            accuracy=float(np.mean([ordered[k].is_right for k in part])),
        )
        for part in parts
    )


def _calibration_error(bins: Sequence[Bin]) -> float:
    total = sum(b.lines for b in bins)
    return sum(b.lines * abs(b.confidence - b.accuracy) for b in bins) / total


def _by_character(judged: Sequence[_Pair]) -> tuple[CharacterFigures, ...]:
    spelling = {name_key(pair.true.character): pair.true.character for pair in judged}
    metrics = []
    for key in sorted(spelling, key=spelling.__getitem__):
        true = [pair for pair in judged if name_key(pair.true.character) == key]
        found = [pair for pair in judged if pair.name == key]
        hits = sum(pair.name == key for pair in true)
        metrics.append(
            CharacterFigures(
                spelling[key], len(true), len(found), hits / len(found) if found else None, hits / len(true)
            )
        )
    return tuple(metrics)


def _confusion(judged: Sequence[_Pair]) -> tuple[tuple[str, str, int], ...]:
    spelling = {name_key(pair.true.character): pair.true.character for pair in judged}
    spelling |= {name_key(f.character): f.character for p in judged if (f := p.found) and f.character} | spelling
    counts = Counter((pair.true.character, spelling.get(pair.name, pair.name) if pair.name else "") for pair in judged)
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return tuple((true, found, count) for (true, found), count in ordered)


def _edges(distances: Sequence[int]) -> tuple[float, float] | None:
    if not distances:
        return None
    return float(np.median(distances)), float(np.percentile(distances, 95))


def _diarization(truth: Sequence[TrueLine], turns: Sequence[Turn]) -> dict[str, float]:
    if not turns:
        return {}
    from pyannote.core import Annotation, Segment, Timeline
    from pyannote.metrics.diarization import DiarizationErrorRate

    def annotation(stretches: Sequence[tuple[Span, str]]) -> Annotation:
        result = Annotation()
        for k, (span, name) in enumerate(stretches):
            result[Segment(span.start_ms / 1000, span.end_ms / 1000), k] = name
        return result.support()

    reference = annotation([(line.span, line.character) for line in truth])
    hypothesis = annotation([(turn.span, turn.speaker) for turn in turns])
    end_s = max(*(line.end_ms for line in truth), *(turn.end_ms for turn in turns)) / 1000
    whole = Timeline([Segment(0, end_s)])
    strict = DiarizationErrorRate()(reference, hypothesis, uem=whole, detailed=True)
    lenient = DiarizationErrorRate(collar=2 * _COLLAR_S)(reference, hypothesis, uem=whole)
    speech = (strict["missed detection"] + strict["false alarm"]) / strict["total"] if strict["total"] else 0.0
    return {
        "diarization_error": round(float(strict["diarization error rate"]), 4),
        "diarization_error_collar": round(float(lenient), 4),
        "speech_error": round(float(speech), 4),
    }


def summed(evaluations: Sequence[tuple[Sequence[Line], Sequence[TrueLine]]]) -> tuple[list[Line], list[TrueLine]]:
    """Lines of several episodes as if of one: each episode begins an hour after the last one's end."""
    lines: list[Line] = []
    truth: list[TrueLine] = []
    start_ms = 0
    for own_lines, own_truth in evaluations:
        lines += [replace(x, start_ms=x.start_ms + start_ms, end_ms=x.end_ms + start_ms) for x in own_lines]
        truth += [replace(x, start_ms=x.start_ms + start_ms, end_ms=x.end_ms + start_ms) for x in own_truth]
        start_ms = max([start_ms, *(x.end_ms for x in lines), *(x.end_ms for x in truth)]) + 3_600_000
    return lines, truth
