"""Subtitle files as people have them: how many of the checks on each kind hold.

    python benchmarks/subtitles.py [FOLDER] [--failed]

Runs on the project's own cases (``tests/subtitle_cases``); with FOLDER also on the files in it that the cases name.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import defaultdict
from itertools import chain
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from subtitle_files import read_cases


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
    every, all_whole = (list(chain.from_iterable(held.values())) for held in (table, whole))
    print(f"{'all':40} {score(every):>12} {score(all_whole):>10}")


def score(held: list[bool]) -> str:
    return f"{sum(held)} of {len(held)}"


if __name__ == "__main__":
    main()
