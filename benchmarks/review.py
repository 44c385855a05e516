"""How many decisions a review takes: a simulated annotator on finished episodes whose truth is known.

    python benchmarks/review.py OUT=TRUTH.json [OUT=TRUTH.json ...] [--start 0.66] [--json]

OUT is the output folder of a run with --characters and one episode; TRUTH.json holds {"lines": [{start, end, speaker}]}
in seconds. Characters are taken out of the enrolment, a different choice for each number of them, until the share of
lines with the right name is as near to --start as it gets; the annotator knows everybody. Each decision is one line's
true name, as one key gives it. Three ways to go through the lines:

  by time          in order, every line looked at once; nothing is learned from the answers
  by time, taught  in order, and after each answer the names of all other lines are worked out again
  by doubt         the line that the page offers next, and after each answer the names are worked out again

Decisions are counted until 95 % and 99 % of all lines have their right name.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from pipelines.corpus.review import config_of
from pipelines.episode.attribution import attribution_of
from pipelines.episode.context import Episode
from pipelines.episode.records import embeddings_in, read_embeddings, read_lines
from pipelines.episode.session import Session
from yuki_builder.characters import ManualLabel
from yuki_builder.corpus.review.doubt import LineVoices, gains
from yuki_builder.records import Line

GOALS = (0.95, 0.99)


@dataclasses.dataclass(frozen=True)
class Case:
    """One episode, and what is true of its lines."""

    name: str
    episode: Episode
    lines: Sequence[Line]
    truth: Mapping[str, str]
    voices: LineVoices

    def named(self, given: Mapping[str, str], known: frozenset[str]) -> list[Line]:
        """The lines with the names that follow from these answers, with only these characters enrolled."""
        enrolment = self.episode.enrolment
        spans = {line.line_id: line for line in self.lines}
        labels = tuple(
            ManualLabel(self.episode.video, spans[key].span, name, spans[key].text, key) for key, name in given.items()
        )
        clips = tuple(clip for clip in enrolment.clips if clip.character in known)
        changed = dataclasses.replace(enrolment, clips=clips, labels=labels)
        found = attribution_of(dataclasses.replace(self.episode, enrolment=changed))
        assert found is not None
        by_id = {f"{self.episode.episode_id}-{a.cue_id}": a for a in found}
        return [
            dataclasses.replace(
                line,
                character=by_id[line.line_id].character,
                confidence=by_id[line.line_id].confidence,
                speaker=by_id[line.line_id].speaker,
            )
            for line in self.lines
        ]

    def right(self, lines: Sequence[Line]) -> float:
        return sum(line.character == self.truth[line.line_id] for line in lines) / len(lines)


def read_case(out: Path, truth: Path) -> Case:
    (folder,) = [path.parent for path in out.glob("*/lines.jsonl")]
    episode = Session(out).open(config_of(out, folder.name))
    said = json.loads(truth.read_text(encoding="utf-8"))["lines"]
    lines, names = [], {}
    for line in read_lines(folder):
        overlaps = [(min(line.end_ms, 1000 * s["end"]) - max(line.start_ms, 1000 * s["start"]), s) for s in said]
        most, best = max(overlaps, key=lambda pair: pair[0])
        if most > 0:
            lines.append(line)
            names[line.line_id] = best["speaker"]
    embeddings, _ = read_embeddings(embeddings_in(folder))
    return Case(out.parent.name, episode, lines, names, LineVoices(embeddings.keys, embeddings.vectors))


def start_of(case: Case, share: float) -> tuple[frozenset[str], float]:
    """Which characters to enrol so that about this share of lines is right from the start."""
    everybody = sorted({clip.character for clip in case.episode.enrolment.clips})
    choices = [frozenset(c) for n in range(1, len(everybody) + 1) for c in itertools.combinations(everybody, n)]
    found = [(case.right(case.named({}, known)), known) for known in choices]
    best, known = min(found, key=lambda pair: (abs(pair[0] - share), sorted(pair[1])))
    return known, best


def annotate(
    case: Case, known: frozenset[str], choose: Callable[[list[Line], dict[str, str]], str], *, taught: bool
) -> dict[float, int]:
    """Decisions until each goal."""
    given: dict[str, str] = {}
    lines = case.named(given, known)
    reached: dict[float, int] = {}
    while True:
        share = case.right(lines)
        for goal in GOALS:
            if share >= goal:
                reached.setdefault(goal, len(given))
        if len(reached) == len(GOALS):
            return reached
        key = choose(lines, given)
        given[key] = case.truth[key]
        if taught:
            lines = case.named(given, known)
        else:
            lines = [dataclasses.replace(x, character=given.get(x.line_id, x.character)) for x in lines]


def by_time(lines: list[Line], given: dict[str, str]) -> str:
    return next(line.line_id for line in lines if line.line_id not in given)


def by_doubt(case: Case) -> Callable[[list[Line], dict[str, str]], str]:
    def choose(lines: list[Line], given: dict[str, str]) -> str:
        gain = gains(lines, case.voices, decided=dict.fromkeys(given, True))
        left = [k for k, line in enumerate(lines) if line.line_id not in given]
        return lines[max(left, key=lambda k: gain[k])].line_id

    return choose


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="+")
    parser.add_argument("--start", type=float, default=0.66)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    rows = []
    for text in arguments.cases:
        out, _, truth = text.partition("=")
        case = read_case(Path(out), Path(truth))
        known, start = start_of(case, arguments.start)
        began = time.process_time()
        ways = {
            "by time": annotate(case, known, by_time, taught=False),
            "by time, taught": annotate(case, known, by_time, taught=True),
            "by doubt": annotate(case, known, by_doubt(case), taught=True),
        }
        seconds = time.process_time() - began

        facts = {"case": case.name, "lines": len(case.lines), "enrolled": len(known), "start": round(start, 3)}
        rows.append({**facts, "ways": ways, "seconds": round(seconds, 1)})
        if not arguments.json:
            print(f"{case.name}: {len(case.lines)} lines, {len(known)} enrolled, {start:.1%} right ({seconds:.0f} s)")
            for way, reached in ways.items():
                print(f"  {way:16} " + ", ".join(f"{goal:.0%}: {count}" for goal, count in reached.items()), flush=True)
    if arguments.json:
        print(json.dumps(rows))
        return
    for goal in GOALS:
        total = {way: sum(row["ways"][way][goal] for row in rows) for way in rows[0]["ways"]}  # type: ignore[index]
        share = total["by doubt"] / max(1, total["by time"])
        print(
            f"{goal:.0%}: " + ", ".join(f"{way} {count}" for way, count in total.items()) + f"; {share:.0%} of by time"
        )


if __name__ == "__main__":
    main()
