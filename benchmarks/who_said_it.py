"""Who said it: the figures of attribution, of timing and of diarization, each by the whole command.

    python benchmarks/who_said_it.py --tool make_episode.py --speech speech/dev --music music/dev

Rows, each over ``--episodes`` episodes of five voices (a line of the truth counts as right if the line of ours that
overlaps it most has its name):

* ``enrolled``: three clean clips a voice, no names in the subtitles;
* ``tagged``: nobody enrolled, the ASS actor field filled on 30 % of the lines; ``tagged, 10 % wrong``: one tag in ten
  names somebody else;
* ``nameless``: no name anywhere; voices are matched with people one to one;
* ``unknown``: two of the five voices are not enrolled; their lines are right without a name;
* ``dashes``: as ``enrolled``, but neighbouring lines of two voices are one cue with two dashes;
* ``late``, ``fast``, ``breaks``: as ``enrolled``, with subtitles late by 30 s, of 25 instead of 23.976 pictures a
  second, or with two breaks.

``--sample FILE.flac FILE.rttm`` adds the diarization error on a real conversation (pyannote.audio's package has one).
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from episodes import add_arguments, material, report, truth

from pipelines.console.evaluate import _known
from video_preprocessing.speech import read_rttm
from yuki_builder.characters import TrueLine, evaluate
from yuki_builder.corpus import read_lines_jsonl
from yuki_builder.records import Line, Turn

ROOT = Path(__file__).parent.parent
Entry = dict[str, Any]


def stamp(seconds: float) -> str:
    whole = max(0, round(100 * seconds))
    return f"{whole // 360000}:{whole // 6000 % 60:02d}:{whole // 100 % 60:02d}.{whole % 100:02d}"


def write_ass(path: Path, lines: list[Entry]) -> Path:
    rows = [
        f"Dialogue: 0,{stamp(x['start'])},{stamp(x['end'])},Default,{x.get('name', '')},0,0,0,,{x['text']}"
        for x in lines
    ]
    head = "[Script Info]\nScriptType: v4.00+\n\n[Events]\nFormat: Layer, Start, End, Style, Name, MarginL, MarginR, "
    path.write_text(head + "MarginV, Effect, Text\n" + "\n".join(rows) + "\n", encoding="utf-8")
    return path


def tags(lines: list[Entry], seed: int, *, wrong: float = 0.0) -> list[Entry]:
    """Three lines in ten with their speaker's name, some of them with another's."""
    rng = random.Random(seed)  # noqa: S311
    everybody = sorted({x["speaker"] for x in lines})
    marked = []
    for x in lines:
        if rng.random() >= 0.3:
            marked.append(x)
            continue
        others = [name for name in everybody if name != x["speaker"]]
        marked.append(x | {"name": rng.choice(others) if rng.random() < wrong else x["speaker"]})
    return marked


def late(lines: list[Entry], seed: int) -> list[Entry]:
    return [x | {"start": x["start"] + 30, "end": x["end"] + 30} for x in lines]


def fast(lines: list[Entry], seed: int) -> list[Entry]:
    return [x | {"start": x["start"] * 23.976 / 25, "end": x["end"] * 23.976 / 25} for x in lines]


def breaks(lines: list[Entry], seed: int) -> list[Entry]:
    """The file has 20 s more from a third on, and lacks 12 s of the video after two thirds."""
    length = lines[-1]["end"]
    first, second = length / 3, 2 * length / 3
    kept = [x for x in lines if not second <= x["start"] < second + 12]
    return [x | {side: x[side] + _shift(x["start"], first, second) for side in ("start", "end")} for x in kept]


def dashes(lines: list[Entry], seed: int) -> list[Entry]:
    """Pairs of neighbouring lines of two voices, less than 1.2 s apart, as one cue each."""
    joined: list[Entry] = []
    for x in lines:
        last = joined[-1] if joined else None
        is_pair = last is not None and "-" not in last["text"] and x["speaker"] != last["speaker"]
        if last is not None and is_pair and x["start"] - last["end"] < 1.2:
            joined[-1] = last | {"end": x["end"], "text": f"- {last['text']}\\N- {x['text']}"}
        else:
            joined.append(x)
    return joined


def _shift(start: float, first: float, second: float) -> float:
    return (20 if start >= first else 0) - (12 if start >= second else 0)


def run(episode: Path, out: Path, *options: str) -> tuple[list[Line], list[Turn], set[str]]:
    """Lines, turns and known names that the command comes to."""
    command = [sys.executable, str(ROOT / "run_pipeline.py"), "--video", str(episode / "ep.mkv"), "--out", str(out)]
    subprocess.run([*command, *options, "--quiet"], check=True, stdout=subprocess.DEVNULL)
    (folder,) = (path.parent for path in out.glob("*/lines.jsonl"))  # a folder called s3 names the season, too
    return read_lines_jsonl(folder / "lines.jsonl"), read_rttm(folder / "speakers/turns.rttm"), _known(folder)


def enrolled_but(episode: Path, work: Path, unknown: int) -> Path:
    """The enrolment folder without some voices."""
    folder = work / f"{episode.name}_enrol_but_{unknown}"
    if not folder.exists():
        for voice in sorted((episode / "enrol").iterdir())[unknown:]:
            shutil.copytree(voice, folder / voice.name)
    return folder


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_arguments(parser)
    parser.add_argument("--episodes", type=int, default=3, help="a level (%(default)s)")
    parser.add_argument("--minutes", type=float, default=3)
    parser.add_argument("--levels", type=float, nargs="+", default=[5, 0, -5], help="dialogue over music, dB")
    parser.add_argument("--rows", nargs="+", help="only these")
    parser.add_argument("--sample", type=Path, nargs=2, metavar=("AUDIO", "RTTM"), help="a real conversation")
    a = parser.parse_args()
    source, found = material(a), []
    with_names: dict[str, Callable[[list[Entry], int], list[Entry]]] = {
        "tagged": tags,
        "tagged, 10 % wrong": lambda lines, seed: tags(lines, seed, wrong=0.1),
    }
    retimed = {"late": late, "fast": fast, "breaks": breaks, "dashes": dashes}
    for level_db in a.levels:
        for kind in ("enrolled", *with_names, "nameless", "unknown", *retimed):
            if a.rows and kind not in a.rows:
                continue
            sums: list[tuple[list[Line], list[TrueLine], list[Turn], set[str]]] = []
            for seed in range(a.episodes):
                episode = source.episode(seed=seed, snr_db=level_db, minutes=a.minutes, more=("--subs", "srt"))
                said = truth(episode)["lines"]
                options = []
                if kind in ("enrolled", *retimed):
                    options = ["--characters", str(episode / "enrol")]
                if kind == "unknown":
                    options = ["--characters", str(enrolled_but(episode, a.work, 2))]
                marked = said
                if kind in with_names or kind in retimed:
                    marked = (with_names | retimed)[kind](said, seed)
                    file = write_ass(a.work / f"{episode.name}_{kind}.ass", marked)
                    options += ["--subtitles", str(file)]
                lines, turns, known = run(episode, a.work / "who" / episode.name, *options)
                if kind in with_names:  # whom no tag rightly names, nobody can know
                    known = {x["speaker"] for x in marked if x.get("name") == x["speaker"]}
                kept = [x for x in said if kind != "breaks" or _is_kept(x, said)]
                true = [TrueLine(round(1000 * x["start"]), round(1000 * x["end"]), x["speaker"]) for x in kept]
                sums.append((lines, true, turns, known))
            found.append(row(kind, level_db, sums))
            print(json.dumps(found[-1]), file=sys.stderr, flush=True)
    report("Who said it, by the whole command", found, a.json)
    if a.sample:
        sample(*a.sample, a.work)


def _is_kept(x: Entry, lines: list[Entry]) -> bool:
    second = 2 * lines[-1]["end"] / 3
    return not second <= x["start"] < second + 12


def row(
    kind: str, level_db: float, episodes: list[tuple[list[Line], list[TrueLine], list[Turn], set[str]]]
) -> dict[str, Any]:
    """The figures of one kind and level: lines of all episodes together, DER as the episodes' mean."""
    lines: list[Line] = []
    true: list[TrueLine] = []
    each = [evaluate(ours, theirs, turns, known=known) for ours, theirs, turns, known in episodes]
    far = 0
    for ours, theirs, _, _ in episodes:
        lines += [_moved(x, far) for x in ours]
        true += [_moved_truth(x, far) for x in theirs]
        far += 10_000_000
    everybody = set().union(*(known for *_, known in episodes))
    whole = evaluate(lines, true, known=everybody) if not each[0].by_voice else None
    total = sum(e.lines for e in each)

    def mean(name: str) -> float:
        return sum(getattr(e, name) * e.lines for e in each) / total

    edges = sorted(distances(lines, true))
    # The truth of these rows lacks what the subtitles lack; the turns do not.
    is_whole = kind not in ("late", "fast", "breaks")
    return {
        "kind": kind,
        "level dB": level_db,
        "lines": total,
        "right %": 100 * mean("accuracy"),
        "of the speech %": 100 * mean("speech_accuracy"),
        "certain %": 100 * mean("certain"),
        "of certain %": 100 * (whole.certain_precision or 0) if whole else None,
        "coverage at 95 % %": 100 * (whole.coverage if whole else mean("coverage")),
        "calibration error": whole.calibration_error if whole else None,
        "edges ms": edges[len(edges) // 2],
        "edges 95th ms": edges[19 * len(edges) // 20],
        "DER %": 100 * mean("diarization_error") if is_whole else None,
        "DER, 250 ms collar %": 100 * mean("diarization_error_collar") if is_whole else None,
    }


def distances(lines: list[Line], true: list[TrueLine]) -> list[int]:
    """Of all edges of the truth to those of the line that overlaps it most, in milliseconds."""
    found = []
    for t in true:
        line = max(lines, key=lambda x: (x.span.overlap_ms(t.span), -abs(x.start_ms - t.start_ms)))
        if line.span.overlap_ms(t.span):
            found += [abs(line.start_ms - t.start_ms), abs(line.end_ms - t.end_ms)]
    return found


def _moved(line: Line, far: int) -> Line:
    return Line.from_dict(line.to_dict() | {"start_ms": line.start_ms + far, "end_ms": line.end_ms + far})


def _moved_truth(line: TrueLine, far: int) -> TrueLine:
    return TrueLine(line.start_ms + far, line.end_ms + far, line.character)


def sample(audio: Path, rttm: Path, work: Path) -> None:
    out = work / "who" / "sample"
    command = [sys.executable, str(ROOT / "run_pipeline.py"), "--video", str(audio), "--out", str(out), "--quiet"]
    for separator in ("none", "dialogue"):
        subprocess.run([*command, "--separator", separator], check=True)
        turns = read_rttm(next(out.glob("*/speakers/turns.rttm")))
        true = [TrueLine(t.start_ms, t.end_ms, t.speaker) for t in read_rttm(rttm)]
        e = evaluate([], true, turns)
        strict, lenient = 100 * (e.diarization_error or 0), 100 * (e.diarization_error_collar or 0)
        print(f"{audio.name}, separator {separator}: DER {strict:.1f} %, with a collar of 250 ms {lenient:.1f} %")


if __name__ == "__main__":
    main()
