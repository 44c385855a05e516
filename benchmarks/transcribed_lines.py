#!/usr/bin/env python3
"""What a television-like episode without subtitles becomes: its lines against who said what, when.

    python benchmarks/transcribed_lines.py EPISODE [EPISODE ...] --model FOLDER --language de [--work DIR] [--worst N]

An EPISODE is a folder with ``ep.mkv``, ``truth.json`` and ``enrol/<voice>/*``, as tools that build test episodes leave
it. ``lines`` of the truth hold start, end and speaker (s); for words also ``parts``: what a line is made of, ``[id of
the utterance, its words, whether this is its last part]`` each. Utterances may be cut by the episode's timing, so words
are compared by whole utterances: each word that is heard belongs to the spoken line that its middle lies in, or that is
nearest within half a second. The whole command runs, twice: with the voices enrolled, and without any name, where
voices are matched with people one to one. Columns:

* ``found``: spoken lines of which half or more is covered by lines;
* ``one line``: spoken lines of one utterance (or a part of it) that are one line: each covers 60 % of the other;
* ``one voice``: lines in which one voice sounds, as far as no edge is wrong by 0.3 s;
* ``wrong``: words (ja, zh: characters) by edit distance, in the lines, in all that was heard, and by the engine alone
  in the voices without music and effects (``dialogue.flac``);
* ``start``, ``end``: median and nine in ten of the errors of spoken lines that lines lie in (60 % of each), ms;
* ``nobody``: lines of which less than a fifth is spoken;
* ``named``, ``nameless``: lines whose voice is right, of those that hold a spoken line's half second.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.optimize import linear_sum_assignment
from transcription import OTHER_VOICE_MS, ROOT, errors, tokens

from pipelines.episode.records import read_records
from pipelines.layout import CUES
from yuki_builder.corpus import read_lines_jsonl
from yuki_builder.records import Cue, Line, Span, Word
from yuki_builder.spans import intersection, union

NEAR_MS = 500


@dataclass(frozen=True)
class Spoken:
    """A line of the truth."""

    span: Span
    voice: str
    parts: tuple[tuple[str, str, bool], ...]


def spoken_lines(episode: Path) -> list[Spoken]:
    rows = json.loads((episode / "truth.json").read_text(encoding="utf-8"))["lines"]
    return [
        Spoken(
            Span(round(1000 * row["start"]), round(1000 * row["end"])),
            row["speaker"],
            tuple((str(who), str(text), bool(is_last)) for who, text, is_last in row.get("parts", ())),
        )
        for row in rows
    ]


def run(episode: Path, out: Path, model: str, *options: str) -> tuple[list[Line], list[Cue], float]:
    """Lines and cues that the command comes to, and its seconds."""
    began = time.monotonic()
    command = [sys.executable, ROOT / "run_pipeline.py", "--video", episode / "ep.mkv", "--out", out,
               "--subtitles", "none", "--transcriber", model, "--quiet", *options]  # fmt: skip
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    (folder,) = (path.parent for path in out.glob("*/lines.jsonl"))
    seconds = time.monotonic() - began
    return read_lines_jsonl(folder / "lines.jsonl"), read_records(folder / CUES, Cue), seconds


def voice_of(line: Line, spoken: Iterable[Spoken]) -> str | None:
    """Who speaks most of a line, half a second or more (of a shorter one, half)."""
    ms: Counter[str] = Counter()
    for one in spoken:
        ms[one.voice] += one.span.overlap_ms(Span(line.start_ms, line.end_ms))
    voice, most = max(ms.items(), key=lambda item: item[1])
    return voice if most >= min(500, (line.end_ms - line.start_ms) / 2) else None


def is_one(line: Span, other: Span) -> bool:
    return line.overlap_ms(other) >= 0.6 * max(line.duration_ms, other.duration_ms)


def place_of(spoken: Span, lines: Iterable[Span]) -> Span | None:
    """Where the lines begin and end that are a spoken line; None where none are."""
    own = [line for line in lines if line.overlap_ms(spoken) >= max(1, 0.6 * line.duration_ms)]
    if not own or share(spoken, own) < 0.6:
        return None
    return Span(min(line.start_ms for line in own), max(line.end_ms for line in own))


def engine_words(episode: Path, a: argparse.Namespace) -> list[Word]:
    """What the engine hears by itself, in one piece, without music and effects."""
    from faster_whisper import WhisperModel

    engine = WhisperModel(a.model, device="cpu", compute_type="int8", cpu_threads=1)
    found, _ = engine.transcribe(
        str(episode / "dialogue.flac"), language=a.language, vad_filter=True, temperature=0.0, word_timestamps=True
    )
    return [
        Word(round(1000 * word.start), round(1000 * word.end), word.word, None)
        for segment in found
        for word in segment.words or ()
    ]


def share_of_words(spoken: Sequence[Spoken], words: Iterable[Word], language: str) -> tuple[int, int, list[str]]:
    """How many words of whole utterances are wrong, of how many, and the worst of them, as said and heard."""
    own: dict[int, list[Word]] = {}
    for word in sorted(words, key=lambda word: word.start_ms):
        middle_ms = (word.start_ms + word.end_ms) // 2
        far = [max(0, one.span.start_ms - middle_ms, middle_ms - one.span.end_ms) for one in spoken]
        nearest = int(np.argmin(far))
        if far[nearest] <= NEAR_MS:
            own.setdefault(nearest, []).append(word)
    said: dict[str, tuple[str, list[int], bool]] = {}
    for k, one in enumerate(spoken):
        for name, text, is_last in one.parts:
            before = said.get(name, (text, [], False))
            said[name] = (text, before[1] if k in before[1] else [*before[1], k], is_last or before[2])
    # Lines that share an utterance are compared together: a word heard in a line is not told to be of its first part.
    groups: list[tuple[set[int], list[str]]] = []
    for text, places, is_whole in said.values():
        mine = (set(places), [text if is_whole else ""])
        for other in [group for group in groups if group[0] & mine[0]]:
            groups.remove(other)
            mine = (other[0] | mine[0], [*other[1], *mine[1]])
        groups.append(mine)
    wrong = total = 0
    shown = []
    for places, texts in groups:
        if not all(texts):
            continue
        heard = " ".join(word.text for k in sorted(places) for word in own.get(k, ()))
        reference = tokens(" ".join(texts), language)
        errs = round(errors(reference, tokens(heard, language)) * len(reference))
        wrong, total = wrong + errs, total + len(reference)
        shown.append((errs, f"{spoken[min(places)].span.start_ms / 1000:.1f} {' '.join(texts)} -> {heard}"))
    return wrong, total, [f"{errs} wrong at {text}" for errs, text in sorted(shown, reverse=True)]


def matched(lines: Sequence[Line], spoken: Sequence[Spoken]) -> float:
    """The share of lines whose voice is the one that its label stands for, by the best pairs of label and person."""
    pairs = [(line.speaker, voice) for line in lines if (voice := voice_of(line, spoken)) is not None]
    labels, people = sorted({str(a) for a, _ in pairs}), sorted({b for _, b in pairs})
    table = np.zeros((len(labels), len(people)), int)
    for label, person in pairs:
        table[labels.index(str(label)), people.index(person)] += 1
    return float(table[linear_sum_assignment(-table)].sum()) / len(pairs)


def measure(episode: Path, a: argparse.Namespace) -> None:
    spoken = spoken_lines(episode)
    options = ["--language", a.language] if a.told else []
    lines, cues, seconds = run(
        episode, a.work / f"{episode.name}-enrolled", a.model, *options, "--characters", str(episode / "enrol")
    )
    nameless, _, _ = run(episode, a.work / f"{episode.name}-nameless", a.model, *options)
    spans = [Span(line.start_ms, line.end_ms) for line in lines]
    kept = [cue for cue in cues if cue.left_out is None]
    voiced = union(one.span for one in spoken)
    found = [share(one.span, spans) >= 0.5 for one in spoken]
    single = [one for one in spoken if len(one.parts) <= 1]
    pairs = [one for one in single if any(is_one(one.span, line) for line in spans)]
    edges = [(one.span, place) for one in spoken if (place := place_of(one.span, spans)) is not None]
    alone = [sum(ms >= OTHER_VOICE_MS for ms in by_voice(span, spoken).values()) <= 1 for span in spans]
    nobody = [line for line, span in zip(lines, spans, strict=True) if share(span, voiced) < 0.2]
    names = [(line, voice) for line in lines if (voice := voice_of(line, spoken)) is not None]
    right = [line.character == voice for line, voice in names]
    every, total, _ = share_of_words(spoken, (w for cue in cues for w in cue.words), a.language)
    wrong, _, worst = share_of_words(spoken, (w for cue in kept for w in cue.words), a.language)
    alone_wrong, _, _ = share_of_words(spoken, engine_words(episode, a), a.language)
    starts = [abs(one.start_ms - line.start_ms) for one, line in edges]
    ends = [abs(one.end_ms - line.end_ms) for one, line in edges]
    shares = " | ".join(f"{errs / max(1, total):.1%}" for errs in (wrong, every, alone_wrong))
    print(
        f"| {episode.name} | {len(spoken)} | {len(lines)} | {np.mean(found):.1%} | {len(pairs) / len(single):.1%} | "
        f"{np.mean(alone):.1%} | {shares} of {total} | "
        f"{edge(starts)} | {edge(ends)} | {len(nobody)} | {np.mean(right):.1%} | {matched(nameless, spoken):.1%} | "
        f"{seconds:.0f} |",
        flush=True,
    )
    reasons = Counter(cue.left_out for cue in cues if cue.left_out is not None and share(cue.span, voiced) >= 0.5)
    print(f"  spoken, but left out: {dict(reasons)}", file=sys.stderr)
    for text in worst[: a.worst]:
        print(f"  {text}", file=sys.stderr)
    for one, is_found in zip(spoken, found, strict=True):
        if not is_found and a.worst:
            print(f"  not found: {one.span} {one.voice} {[part[1] for part in one.parts]}", file=sys.stderr)
    for line, is_alone in zip(lines, alone, strict=True):
        if not is_alone and a.worst:
            print(f"  two voices: {line.start_ms}-{line.end_ms} {line.text}", file=sys.stderr)
    for line in nobody if a.worst else []:
        print(f"  nobody: {line.start_ms}-{line.end_ms} {line.text}", file=sys.stderr)
    for line, voice in names if a.worst else []:
        if line.character != voice:
            print(f"  {line.character} is {voice}: {line.start_ms}-{line.end_ms} {line.text}", file=sys.stderr)


def share(span: Span, others: Iterable[Span]) -> float:
    return sum(part.duration_ms for part in intersection([span], union(others))) / max(1, span.duration_ms)


def by_voice(span: Span, spoken: Iterable[Spoken]) -> Counter[str]:
    ms: Counter[str] = Counter()
    for one in spoken:
        ms[one.voice] += one.span.overlap_ms(span)
    return ms


def edge(wrong_ms: Sequence[int]) -> str:
    return f"{np.median(wrong_ms):.0f} / {np.quantile(wrong_ms, 0.9):.0f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("episodes", type=Path, nargs="+")
    parser.add_argument("--model", required=True, help="a folder of faster-whisper")
    parser.add_argument("--language", required=True, help="of the words")
    parser.add_argument("--told", action="store_true", help="the command is told the language")
    parser.add_argument("--work", type=Path, default=Path("runs/transcribed"))
    parser.add_argument("--worst", type=int, default=0, help="utterances shown, and all other faults")
    a = parser.parse_args()
    a.work.mkdir(parents=True, exist_ok=True)
    print("| episode | spoken lines | lines | found | one line | one voice | wrong: lines | heard | engine |"
          " start | end | nobody | named | nameless | s |\n" + "|-" * 15 + "|")  # fmt: skip
    for episode in a.episodes:
        measure(episode, a)


if __name__ == "__main__":
    main()
