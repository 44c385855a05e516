"""The dataset card: ``README.md`` with the header that the hub reads, and figures that a reader wants."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import yuki_builder
from yuki_builder.corpus.exports.base import Chosen, ExportOptions, Source
from yuki_builder.corpus.prompts import language_of
from yuki_builder.corpus.utterances import one_row

_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))


def write_card(
    source: Source,
    items: Sequence[Chosen],
    destination: Path,
    options: ExportOptions,
    *,
    paths: Mapping[str, str],
    left_out: Mapping[str, int],
) -> None:
    """Write ``destination/README.md``.

    Args:
        source: the whole corpus.
        items: what of it was written.
        destination: the dataset's folder.
        options: by which they were chosen.
        paths: the files of each split, as the loader's patterns.
        left_out: what was not written, by reason.
    """
    language = language_of([item.line.text for item in items])
    header = ["---", "language:", f"- {language}", "license: other", "task_categories:"]
    header += ["- automatic-speech-recognition", "- text-to-speech", "- text-generation", "pretty_name: "]
    header[-1] += json.dumps(f"Dialogue of {len({item.line.character for item in items})} characters")
    header += ["size_categories:", f"- {_size(len(items))}", "configs:", "- config_name: default", "  data_files:"]
    for split, pattern in paths.items():
        header += [f"  - split: {split}", f"    path: {json.dumps(pattern)}"]
    header.append("---")
    destination.mkdir(parents=True, exist_ok=True)
    text = "\n".join([*header, "", *_body(source, items, options, left_out), ""])
    (destination / "README.md").write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")


def _body(source: Source, items: Sequence[Chosen], options: ExportOptions, left_out: Mapping[str, int]) -> list[str]:
    minutes, lines, sure = Counter[str](), Counter[str](), Counter[str]()
    for item in items:
        name = item.line.character or ""
        lines[name] += 1
        minutes[name] += item.line.end_ms - item.line.start_ms
        sure[name] += item.line.verdict.value == "certain"
    episodes = {line.episode_id for line in source.lines}
    splits = Counter(item.split for item in items)
    parts = ", ".join(f"{split} {count}" for split, count in sorted(splits.items()))
    total = sum(minutes.values()) / 60_000
    rows = [
        "# Character dialogue",
        "",
        f"{len(items)} lines ({parts}), {total:.1f} minutes, of {len(lines)} characters in {len(episodes)} episodes.",
        "",
        "| character | lines | minutes | certain |",
        "|-|-|-|-|",
    ]
    for name, count in sorted(lines.items(), key=lambda pair: (-pair[1], pair[0])):
        share = f"{100 * sure[name] / count:.0f} %"
        rows.append(f"| {_cell(name)} | {count} | {minutes[name] / 60_000:.1f} | {share} |")
    rows += ["", "## How it was made", ""]
    rows += [
        f"By yuki_builder {yuki_builder.__version__}: audio isolated from music and effects, subtitles aligned to",
        "the voice, each line given to a character by the names in the subtitles and by voice. `confidence` is",
        f"calibrated: of lines given 0.9, nine in ten are right. Lines below {options.min_confidence:g} are out.",
        "Scenes are whole in one split.",
        "",
    ]
    if left_out:
        reasons = ", ".join(f"{count} x {reason}" for reason, count in sorted(left_out.items()))
        rows += [f"Left out: {reasons}.", ""]
    rows += [
        "## Licence",
        "",
        "The rights in the recordings and texts are those of their owners. Say here, and in `license` above, by what",
        "right you share them.",
    ]
    return rows


def _cell(text: str) -> str:
    """Text in a Markdown table: no row ends in it, no column, and no tag."""
    return one_row(text).replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("`", "\\`")


def _size(count: int) -> str:
    return next((name for limit, name in _SIZES if count < limit), "1M<n<10M")
