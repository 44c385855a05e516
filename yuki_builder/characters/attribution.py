"""Who says each line: tags, voices and labels of people weighed against each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from yuki_builder.characters.cast import Cast
from yuki_builder.characters.gallery import Gallery
from yuki_builder.characters.scoring import softmax
from yuki_builder.characters.turn_taking import chain_of, in_context
from yuki_builder.characters.voice_model import Array, VoiceModel, fitted_model
from yuki_builder.characters.weighing import (
    HeardLines,
    Indices,
    KnownVoices,
    apart,
    by_dub,
    claim_odds,
    group_shares,
    name_voices,
    with_groups,
    with_second_track,
)
from yuki_builder.errors import GalleryError
from yuki_builder.records import AlignedCue, Attribution, Evidence, FloatArray, Span, SpeakerEmbeddings, Turn, Verdict
from yuki_builder.spans import ByTime, own_shares, speaker_of

_LEAST_WEIGHT = 0.05  # evidence below is noise
_LEAST_CLAIM_TO_TUNE = 0.9
_ENOUGH_ALONE_MS = 960  # a line that has so much to itself is heard there alone, but for a margin of 80 ms at each end


@dataclass(frozen=True, slots=True)
class AttributionSettings:
    """How evidence is weighed.

    Attributes:
        certain: a confidence from which a name counts as certain.
        doubtful: a confidence below which a line stays unknown.
        tag_reliability: how often a name in the subtitle is the one who speaks.
        label_reliability: how often a line is of the episode-local voice that covers it, where voices are all there is.
        turn_reliability: how often two lines that the diarization gives to one voice are of one voice.
        dub_weight: how much of a voice's weight the voice in a second audio track has.
        passes: how often the voices are learned again from the lines they were heard in.
        min_lines_of_a_voice: an unenrolled voice with fewer lines is no voice of its own.
    """

    certain: float = 0.9
    doubtful: float = 0.35
    tag_reliability: float = 0.97
    label_reliability: float = 0.8
    turn_reliability: float = 0.5
    dub_weight: float = 0.2
    passes: int = 2
    min_lines_of_a_voice: int = 3

    def __post_init__(self) -> None:
        for name in (
            "certain",
            "doubtful",
            "tag_reliability",
            "label_reliability",
            "turn_reliability",
            "dub_weight",
        ):
            if not 0 < getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}, not between 0 and 1")
        if self.doubtful > self.certain:
            raise ValueError("a doubtful name is asked more of than a certain one")


DEFAULTS = AttributionSettings()


def attribute(
    lines: Sequence[AlignedCue],
    embeddings: SpeakerEmbeddings,
    *,
    gallery: Gallery,
    turns: Sequence[Turn],
    manual: Mapping[str, str],
    dub: SpeakerEmbeddings | None = None,
    settings: AttributionSettings = DEFAULTS,
) -> list[Attribution]:
    """Who says each line, how surely, and what speaks for it; one attribution per line, in their order.

    Evidence is weighed in probabilities, over all known characters and "somebody else":

    * ``manual``: a person said so. Certain, whatever else speaks against it.
    * ``actor``, ``sdh``: the subtitle says so; right in ``tag_reliability`` of lines.
    * ``voice``: the line's embedding against each character's, enrolled and learned: lines with a tag or a label
      enrol their voice, and so do, in ``passes`` rounds and by how probable they are, lines whose speaker is
      found (a line never for itself). Episode-local voices that nobody enrolled are learned alike, so that an
      unknown speaker is not forced onto a known name.
    * ``vocals``, ``mix``: what each of the two signals says alone, where the embedding was made from both; shown, and
      already part of ``voice``.
    * ``dub``: what the voice of a second audio track says, its voices learned from the lines that all of the above
      name surely.
    * ``cluster``: what the other lines of the same episode-local voice are.
    * ``scene``: what the lines before and after say of it (``turn_taking``): a speaker goes on or another takes over,
      and two speakers of one subtitle are two.

    ``confidence`` is the probability of the most probable name. From ``certain`` on the verdict is certain, from
    ``doubtful`` on doubtful, below that unknown and without a name. A name that the subtitle's tag contradicts
    is never certain; a tagged line is never unknown.

    Without any name (nobody enrolled, no tag, no label) the episode-local voices are the characters
    (``SPEAKER_01``). That is a grouping and not an identity, so never certain.

    Args:
        lines: with unique cue ids.
        embeddings: by cue id. Lines without one (too short, no voice) live on tags and clusters.
        gallery: enrolled voices; of the embedder that made ``embeddings``.
        turns: who speaks when, by episode-local voice.
        manual: characters by cue id.
        dub: the same lines out of an audio track with other voices, by cue id.
        settings: how evidence is weighed.

    Raises:
        GalleryError: the gallery's embeddings are of another size than the lines'.
    """
    if len(gallery.keys) and len(embeddings.keys) and gallery.vectors.shape[1] != embeddings.vectors.shape[1]:
        raise GalleryError(
            f"the gallery's embeddings have {gallery.vectors.shape[1]} values, "
            f"those of this run {embeddings.vectors.shape[1]}",
            remedy="enrol the characters again with the embedder in use",
        )
    # Sums of floats depend on their order: in one order, results do not depend on the caller's.
    ordered = sorted(lines, key=lambda line: (line.start_ms, line.end_ms, line.cue.cue_id))
    speakers = main_speakers(ordered, turns)
    claims = [_claims(line, manual, settings) for line in ordered]
    cast = Cast.gather(gallery.characters, manual.values(), [c.character for per_line in claims for c in per_line])
    groups = _numbered(speakers)
    nameless = not cast.names
    if nameless:
        # The voices themselves are the cast, and the turns what names them.
        cast = Cast.gather(filter(None, speakers))
        claims = [(Evidence("cluster", s, settings.label_reliability),) if s else () for s in speakers]
        groups = np.full(len(lines), -1)
    found = _weigh(
        ordered,
        embeddings,
        gallery=gallery,
        cast=cast,
        claims=claims,
        speakers=speakers,
        groups=groups,
        dub=None if nameless else dub,
        follow_turns=not nameless,
        settings=settings,
    )
    if nameless:
        found = [replace(f, verdict=Verdict.DOUBTFUL) if f.verdict is Verdict.CERTAIN else f for f in found]
    by_id = {attribution.cue_id: attribution for attribution in found}
    return [by_id[line.cue.cue_id] for line in lines]


def main_speakers(lines: Sequence[AlignedCue], turns: Sequence[Turn]) -> list[str | None]:
    """For each line the episode-local voice that covers most of it, or None."""
    by_time = ByTime(turns)
    return [speaker_of(line.span, by_time.near(line.span)) for line in lines]


def verdict_of(confidence: float, settings: AttributionSettings = DEFAULTS) -> Verdict:
    """How sure a name of this confidence is."""
    if confidence >= settings.certain:
        return Verdict.CERTAIN
    return Verdict.DOUBTFUL if confidence >= settings.doubtful else Verdict.UNKNOWN


def _claims(line: AlignedCue, manual: Mapping[str, str], settings: AttributionSettings) -> tuple[Evidence, ...]:
    """What names the line, apart from its voice: a person's word, or else the subtitle's tags."""
    if manual.get(line.cue.cue_id, "").strip():
        return (Evidence("manual", manual[line.cue.cue_id], 1.0),)
    return tuple(Evidence(tag.source, tag.name, settings.tag_reliability) for tag in line.cue.tags if tag.name.strip())


def _weigh(
    lines: Sequence[AlignedCue],
    embeddings: SpeakerEmbeddings,
    *,
    gallery: Gallery,
    cast: Cast,
    claims: Sequence[Sequence[Evidence]],
    speakers: Sequence[str | None],
    groups: Indices,
    dub: SpeakerEmbeddings | None,
    follow_turns: bool,
    settings: AttributionSettings,
) -> list[Attribution]:
    """Every line's probabilities over the cast, and what follows from them."""
    if not (lines and cast.names):
        return [Attribution(line.cue.cue_id, None, 0.0, Verdict.UNKNOWN) for line in lines]
    claimed = np.array([_claimed(per_line, cast) for per_line in claims])
    posterior = softmax(claim_odds(claimed))
    by_voice = np.zeros_like(posterior)
    by_signal: dict[str, Array] = {}
    voices = _numbered(speakers)
    row_of = _rows(embeddings)
    heard = [row for row, line in enumerate(lines) if line.cue.cue_id in row_of]
    if heard:
        rows = [row_of[lines[row].cue.cue_id] for row in heard]
        vectors = embeddings.vectors[rows]
        model = _model(gallery, vectors, claimed[heard], cast).centred(vectors, voices[heard])
        posterior[heard], by_voice[heard], alone_by = name_voices(
            model,
            _known_voices(gallery, cast, model),
            HeardLines(
                vectors=vectors,
                claims=claimed[heard],
                groups=groups[heard],
                seconds=_seconds(embeddings, rows),
                signals={name: part[rows] for name, part in embeddings.signals.items()},
                is_own=_own_voice([line.span for line in lines])[heard],
            ),
            passes=settings.passes,
            min_lines=settings.min_lines_of_a_voice,
        )
        for name, found_by in alone_by.items():
            by_signal[name] = np.zeros_like(posterior)
            by_signal[name][heard] = found_by
    by_second = np.zeros_like(posterior)
    if dub is not None:
        posterior, by_second = _with_dub(lines, dub, posterior, gallery, voices, settings)
    heard_rows = set(heard)
    by_group = group_shares(posterior, groups)
    posterior = with_groups(posterior, by_group, settings.turn_reliability)
    alone = posterior
    pairs = _neighbours(lines)
    if follow_turns:
        posterior = apart(posterior, [(one, other) for one, other in pairs if other != one + 1])
        spans_ms = [(line.start_ms, line.end_ms) for line in lines]
        is_named = [bool(said) for said in claims]
        posterior = in_context(posterior, chain_of(spans_ms, is_named, pairs))
    else:
        posterior = apart(posterior, pairs)
    best, gains = _best(posterior, posterior - alone)
    sources = {"voice": by_voice, **by_signal, "dub": by_second, "cluster": by_group}
    heard_as = [_likeliest(name, by, cast) for name, by in sources.items()]
    found = []
    for row, (line, shares) in enumerate(zip(lines, posterior.tolist(), strict=True)):
        said = tuple(replace(claim, character=cast.spelling(claim.character)) for claim in claims[row])
        shown = [*said, *(evidence for by_source in heard_as if (evidence := by_source[row]))]
        if gains[row] >= _LEAST_WEIGHT:
            shown.append(Evidence("scene", cast.names[best[row]], round(gains[row], 4)))
        character, confidence, verdict = _decide(said, shares, cast, settings)
        if verdict is Verdict.CERTAIN and not said and row not in heard_rows:
            verdict = Verdict.DOUBTFUL  # its neighbours alone are no proof
        found.append(Attribution(line.cue.cue_id, character, confidence, verdict, tuple(shown), speakers[row]))
    return found


def _rows(embeddings: SpeakerEmbeddings) -> dict[str, int]:
    """The row of each key whose vector says something."""
    return {
        key: row
        for row, (key, vector) in enumerate(zip(embeddings.keys, embeddings.vectors, strict=True))
        if vector.any() and np.isfinite(vector).all()
    }


def _seconds(embeddings: SpeakerEmbeddings, rows: Sequence[int]) -> Array:
    return np.array([embeddings.speech_ms[row] for row in rows], np.float64) / 1000


def _own_voice(spans: Sequence[Span]) -> Array:
    """How probably the voice heard in each span is that of its own line, where others speak at the same time.

    Of two lines at the same time either may be the one that is heard. What a line has to itself is heard alone, where
    it is long enough (``alignment.single_speaker_spans``).
    """
    length = np.array([span.duration_ms for span in spans], np.float64)
    own = np.array(own_shares(spans), np.float64)
    # What it has to itself, where no more than two speak at once; less than that where more do.
    return np.where(length * (2 * own - 1) >= _ENOUGH_ALONE_MS, 1.0, own)


def _with_dub(
    lines: Sequence[AlignedCue],
    dub: SpeakerEmbeddings,
    posterior: Array,
    gallery: Gallery,
    voices: Indices,
    settings: AttributionSettings,
) -> tuple[Array, Array]:
    """Probabilities with what the second track says, and that alone (zeros where it says nothing)."""
    row_of = _rows(dub)
    rows = np.array([row for row, line in enumerate(lines) if line.cue.cue_id in row_of], np.intp)
    alone = np.zeros_like(posterior)
    if len(rows) < 2 * settings.min_lines_of_a_voice:
        return posterior, alone
    places = [row_of[lines[row].cue.cue_id] for row in rows]
    vectors, seconds = dub.vectors[places], _seconds(dub, places)
    model = gallery.model(vectors.shape[1]).centred(vectors, voices[rows])
    result = posterior.copy()
    for _ in range(settings.passes):  # what the second track makes sure teaches it in turn
        alone[rows] = by_dub(
            model,
            vectors,
            rows,
            result,
            seconds=seconds,
            sure=settings.certain,
            least_lines=settings.min_lines_of_a_voice,
        )
        result[rows] = with_second_track(posterior[rows], alone[rows], settings.dub_weight)
    return result, alone


def _neighbours(lines: Sequence[AlignedCue]) -> list[tuple[int, int]]:
    """Pairs of lines that one subtitle gives to two speakers, one after the other."""
    last: dict[str, int] = {}
    pairs = []
    for row, line in enumerate(lines):
        if line.cue.group is not None:
            if line.cue.group in last:
                pairs.append((last[line.cue.group], row))
            last[line.cue.group] = row
    return pairs


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A line that sounds unlike the character whom its subtitle names."""

    cue_id: str
    named: str
    sounds_like: str


def contradictions(attributions: Sequence[Attribution], *, least: float = 0.9) -> list[Contradiction]:
    """Lines whose tag names one character while the voice is surely another's; worth a second look."""
    found = []
    for attribution in attributions:
        named = [e.character for e in attribution.evidence if e.source in ("actor", "sdh")]
        heard = [e.character for e in attribution.evidence if e.source == "voice" and e.weight >= least]
        if named and heard and heard[0] not in named:
            found.append(Contradiction(attribution.cue_id, named[0], heard[0]))
    return found


def _claimed(claims: Sequence[Evidence], cast: Cast) -> Array:
    """How reliably each character is named; shape (characters,)."""
    named = [cast.find(claim.character) for claim in claims]
    doubt = np.ones(len(cast.names))
    for column, claim in zip(named, claims, strict=True):
        # Two claims of one name support each other; of two names, each is right half the time.
        doubt[column] *= 1 - claim.weight / len(set(named))
    return 1 - doubt


def _model(gallery: Gallery, vectors: FloatArray, claimed: Array, cast: Cast) -> VoiceModel:
    """What is known of voices; where nothing was fitted for the embedder, lines that something names tell it too."""
    if fitted_model(gallery.embedder, vectors.shape[1]) is not None:
        return gallery.model(vectors.shape[1])
    rows = np.flatnonzero(claimed.max(1, initial=0.0) >= _LEAST_CLAIM_TO_TUNE)
    keys = tuple(f"line {row}" for row in rows)
    lines = SpeakerEmbeddings(keys, vectors[rows], (0,) * len(rows))
    names = {key: cast.names[int(claimed[row].argmax())] for key, row in zip(keys, rows, strict=True)}
    return gallery.extend(lines, names).model(vectors.shape[1])


def _known_voices(gallery: Gallery, cast: Cast, model: VoiceModel) -> KnownVoices:
    weights = np.zeros((len(gallery.keys), len(cast.names)))
    if not gallery.keys:
        return KnownVoices(points=np.zeros((0, len(model.mean))), weights=weights)
    weights[np.arange(len(weights)), [cast.find(name) for name in gallery.characters]] = gallery.trust(model)
    return KnownVoices(points=model.project(gallery.vectors), weights=weights)


def _best(posterior: Array, values: Array) -> tuple[list[int], list[float]]:
    """The most probable character of each line, and its one of ``values``; all of shape (lines, characters + 1)."""
    best = posterior[:, :-1].argmax(axis=1)
    return best.tolist(), np.take_along_axis(values, best[:, None], axis=1)[:, 0].tolist()


def _likeliest(source: str, posterior: Array, cast: Cast) -> list[Evidence | None]:
    """The best name of each line by one source, where it has one."""
    weights = ((column, round(weight, 4)) for column, weight in zip(*_best(posterior, posterior), strict=True))
    return [Evidence(source, cast.names[column], w) if w >= _LEAST_WEIGHT else None for column, w in weights]


def _decide(
    said: Sequence[Evidence], posterior: Sequence[float], cast: Cast, settings: AttributionSettings
) -> tuple[str | None, float, Verdict]:
    """Name, confidence and verdict, from probabilities and from what was said of the line."""
    if any(claim.source == "manual" for claim in said):
        return said[0].character, 1.0, Verdict.CERTAIN
    confidences = [round(chance, 4) for chance in posterior[:-1]]
    best = confidences.index(max(confidences))
    verdict = verdict_of(confidences[best], settings)
    claimed = [cast.find(claim.character) for claim in said]
    if claimed and verdict is Verdict.UNKNOWN:
        best = max(claimed, key=confidences.__getitem__)
        verdict = Verdict.DOUBTFUL
    if verdict is Verdict.CERTAIN and any(column != best for column in claimed):
        verdict = Verdict.DOUBTFUL
    name = None if verdict is Verdict.UNKNOWN else cast.names[best]
    return name, confidences[best], verdict


def _numbered(speakers: Sequence[str | None]) -> Indices:
    names = sorted({speaker for speaker in speakers if speaker is not None})
    return np.array([-1 if speaker is None else names.index(speaker) for speaker in speakers], np.intp)
