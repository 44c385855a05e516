"""Subtitle files as people have them: how many of the checks on each kind hold.

    python benchmarks/subtitles.py [FOLDER] [--failed]
    python benchmarks/subtitles.py --speed      seconds of the processor for 90,000 ASS events

Runs on the project's own cases (``tests/subtitle_cases``); with FOLDER also on the files in it that the cases name.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from sentences import CODE_PAGES, MORE, SENTENCES
from subtitle_files import read_cases
from test_subtitles_code_pages import encode, srt

from yuki_builder.errors import SubtitleError
from yuki_builder.subtitles import read_cues
from yuki_builder.subtitles.decoding import decode


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", help="a folder of files that the cases name")
    parser.add_argument("--speed", action="store_true", help="only how long two very large files take")
    parser.add_argument("--failed", action="store_true", help="print each check that does not hold")
    options = parser.parse_args()
    if options.speed:
        speed()
        return
    table: dict[str, list[bool]] = defaultdict(list)
    whole: dict[str, list[bool]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as own:
        for case in read_cases():
            if case.is_foreign and (options.folder is None or not (options.folder / case.expected["file"]).exists()):
                continue
            checks = list(case.checks(options.folder if case.is_foreign else Path(own)))
            table[case.kind] += [holds for _, holds in checks]
            whole[case.kind].append(all(holds for _, holds in checks))
            if options.failed:
                for what, holds in checks:
                    if not holds:
                        print(f"{case.kind} / {case.name}: {what}")
    print(f"{'kind':40} {'checks':>12} {'cases':>10}")
    for kind in sorted(table):
        print(f"{kind:40} {score(table[kind]):>12} {score(whole[kind]):>10}")
    for rows in (8, 3, 1):
        print(f"code pages, files of {rows} rows: {code_pages(rows)}")
    print(f"code pages, files of 1 row whose language is known: {code_pages(1, is_known=True)}")
    print(f"code pages, other sentences, four times: {other_sentences(9, 4)}; three rows: {other_sentences(3, 1)}")
    every, all_whole = (list(chain.from_iterable(held.values())) for held in (table, whole))
    print(f"{'all':40} {score(every):>12} {score(all_whole):>10}")


def speed(events: int = 90_000) -> None:
    """Dialogue by three actors, and signs that move from frame to frame; the best of three."""
    with tempfile.TemporaryDirectory() as folder:
        for name, rows in (("dialogue", dialogue(events)), ("typeset", signs(events))):
            path = Path(folder, f"{name}.ass")
            path.write_text("\n".join((ASS_HEAD, *rows, "")), encoding="utf-8")
            seconds = []
            for _ in range(3):
                start = time.process_time()
                read_cues(path)
                seconds.append(time.process_time() - start)
            print(f"{events} events, {name}: {min(seconds):.1f} s")


ASS_HEAD = "[Events]\nFormat: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text"
WORDS = re.findall(
    r"\w+",
    "I you the we go know what never there again house tomorrow listen wait please sorry night captain where did come "
    "from take this away now believe really nothing",
)


def dialogue(events: int) -> Iterator[str]:
    dice = random.Random(0)  # noqa: S311

    def sentence() -> str:
        said = " ".join(dice.choices(WORDS, k=dice.randint(3, 9))).capitalize()
        more = ", " + " ".join(dice.choices(WORDS, k=3)) if dice.random() < 0.3 else ""
        return said + more + dice.choice(".?!")

    for k in range(events):
        text = sentence() + ("\\N" + sentence() if dice.random() < 0.2 else "")
        actor = dice.choice(["", "Anna", "Ben"])
        yield f"Dialogue: 0,{clock(900 * k)},{clock(900 * k + 850)},Default,{actor},0,0,0,,{text}"


def signs(events: int) -> Iterator[str]:
    for k in range(events):
        start_ms = k // 90 * 3000 + k % 90 * 33
        tags = f"{{\\an7\\pos({k % 1280}.{k % 10},{k % 720})\\frz{k % 360}\\c&H{k % 0xFFFFFF:06X}&}}"
        text = tags + (f"Shop {k % 50}" if k % 3 else "m 0 0 l 10 10")
        yield f"Dialogue: {k % 7},{clock(start_ms)},{clock(start_ms + 33)},Sign,,0,0,0,,{text}"


def clock(ms: int) -> str:
    return f"{ms // 3600000}:{ms // 60000 % 60:02d}:{ms // 1000 % 60:02d}.{ms // 10 % 100:02d}"


def code_pages(rows: int, *, is_known: bool = False) -> str:
    """Files of so many rows in every code page and language; ``is_known``: the language is given."""
    files = (
        (page, language, SENTENCES[language][start : start + rows])
        for page, languages in CODE_PAGES.items()
        for language in languages.split()
        for start in range(0, len(SENTENCES[language]) - rows + 1, rows)
    )
    return outcomes((page, language if is_known else None, said) for page, language, said in files)


def other_sentences(rows: int, repeats: int) -> str:
    """Files of sentences that the weights were not set by."""
    return outcomes((page, None, said[:rows] * repeats) for key, said in MORE.items() for page in key.split()[1:])


def outcomes(files: Iterable[tuple[str, str | None, list[str]]]) -> str:
    right = refused = wrong = 0
    for page, language, said in files:
        text = srt(said)
        try:
            is_right = decode(encode(text, page), language=language).text == text
            right, wrong = right + is_right, wrong + (not is_right)
        except SubtitleError:
            refused += 1
    return f"{right} right, {refused} refused, {wrong} wrong"


def score(held: list[bool]) -> str:
    return f"{sum(held)} of {len(held)}"


if __name__ == "__main__":
    main()
