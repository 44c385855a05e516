"""Subtitle files as people have them: how many of the checks on each kind hold.

    python benchmarks/subtitles.py [FOLDER] [--failed]

Runs on the project's own cases (``tests/subtitle_cases``); with FOLDER also on the files in it that the cases name.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable
from itertools import chain
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from sentences import CODE_PAGES, MORE, SENTENCES
from subtitle_files import read_cases
from test_subtitles_code_pages import encode, srt

from yuki_builder.errors import SubtitleError
from yuki_builder.subtitles.decoding import decode


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", help="a folder of files that the cases name")
    parser.add_argument("--failed", action="store_true", help="print each check that does not hold")
    options = parser.parse_args()
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
