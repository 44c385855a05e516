"""Puts the demo's result into the READMEs: ``make demo``, then ``python docs/draw_report.py demo/out/ep01``.

Takes pictures of the report, report-light.png and report-dark.png beside this file, and writes five of the lines
between the marks of both READMEs. Needs Chromium (``apt-get install chromium``).
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
from pathlib import Path

from PIL import Image

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "tests"))

from browser import Browser, browser, find_chromium

LINES = (4, 6, 7, 8, 12)  # by their place among the demo's
HEADS = {
    "README.md": "| at | line | character | confidence | evidence |",
    "README.zh.md": "| 时间 | 台词 | 角色 | 置信度 | 证据 |",
}
WIDTH, COLOURS = 1180, 128  # of the page, in CSS pixels; of the picture
SHARPNESS = 1.5  # pixels of the picture in one of the page


def draw(page: Browser, report: Path, destination: Path, *, dark: bool) -> None:
    """The page's top, down to the end of the timeline."""
    page.open(report, width=WIDTH, dark=dark)
    page.send("Emulation.setScrollbarsHidden", hidden=True)
    height = int(page.run("document.querySelector('#timeline').getBoundingClientRect().bottom")) + 24
    page.send(
        "Emulation.setDeviceMetricsOverride", width=WIDTH, height=height, deviceScaleFactor=SHARPNESS, mobile=False
    )
    page.run("dispatchEvent(new Event('resize'))")
    page.run("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    page.screenshot(destination)
    with Image.open(destination) as picture:
        picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(destination, optimize=True)


def table(lines: Path) -> str:
    """Five lines as a table: when, what, who, how surely, why."""
    rows = []
    for number, raw in enumerate(lines.read_text(encoding="utf-8").splitlines()):
        line = json.loads(raw)
        if number in LINES:
            evidence = ", ".join(f"{e['source']} {e['character']} {e['weight']:.2f}" for e in line["evidence"])
            seconds = line["start_ms"] / 1000
            rows.append(
                f"| {seconds // 60:.0f}:{seconds % 60:04.1f} | {line['text']} | {line['character'] or '?'} "
                f"| {line['confidence']} {line['verdict']} | {evidence} |"
            )
    return "\n".join(rows)


def write_table(readme: Path, heads: str, rows: str) -> None:
    text = readme.read_text(encoding="utf-8")
    block = f"<!-- lines -->\n{heads}\n|-|-|-|-|-|\n{rows}\n<!-- /lines -->"
    text, found = re.subn(r"<!-- lines -->.*?<!-- /lines -->", lambda _: block, text, flags=re.DOTALL)
    assert found == 1, f"{readme} has no marks"
    readme.write_text(text, encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("episode", type=Path, help="the folder of the demo's episode")
    episode: Path = parser.parse_args().episode
    if find_chromium() is None:
        print("no Chromium found: install it (apt-get install chromium)", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as profile, browser(Path(profile)) as page:
        for dark in (False, True):
            draw(page, episode / "report.html", HERE / f"report-{'dark' if dark else 'light'}.png", dark=dark)
    for name, heads in HEADS.items():
        write_table(HERE.parent / name, heads, table(episode / "lines.jsonl"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
