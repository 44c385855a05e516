"""What a person said about who speaks when: an annotated table, or lines as JSON."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from yuki_builder.characters.annotations import (
    MAX_BYTES,
    MAX_ROW_CHARS,
    MAX_ROWS,
    clean_name,
    read_rows,
    read_table,
)
from yuki_builder.errors import InputError
from yuki_builder.records import Record, Span

_MAX_JSON_BYTES = 16 << 20  # a whole file of JSON takes twenty times its size in memory
_NAMES = ("character", "speaker", "role", "name")


@dataclass(frozen=True, slots=True)
class TrueLine(Record):
    """A stretch of an episode in which ``character`` speaks; ``episode_id`` None: the only one there is."""

    start_ms: int
    end_ms: int
    character: str
    text: str = ""
    episode_id: str | None = None

    @property
    def span(self) -> Span:
        return Span(self.start_ms, self.end_ms)


def read_truth(path: Path) -> tuple[list[TrueLine], Mapping[str, int]]:
    """The labelled lines of a file, and how many rows were skipped for which reason.

    Args:
        path: an annotated CSV (as for ``--characters``), JSON lines (``lines.jsonl``), or one JSON object with
            ``lines``. Times in JSON are ``start_ms``/``end_ms``, or ``start``/``end`` in seconds; the name is
            ``character`` or ``speaker``.

    Raises:
        InputError: the file cannot be read, is no such table, or labels nothing.
    """
    if not path.is_file():
        raise InputError("there is no such file of labels", where=path, remedy="check --truth")
    skipped: Counter[str] = Counter()
    if path.suffix.lower() in (".json", ".jsonl", ".ndjson"):
        lines = [line for row in _json_rows(path) if (line := _line(row, skipped))]
    else:
        lines = [
            TrueLine(row.span.start_ms, row.span.end_ms, row.character, row.text, row.episode_id)
            for row in read_rows(read_table(path), skipped)
        ]
    if not lines:
        reasons = ", ".join(f"{count} x {reason}" for reason, count in skipped.items())
        raise InputError(
            "holds no labelled line" + (f" ({reasons})" if reasons else ""),
            where=path,
            remedy="give a CSV 人物,人物台词,开始时间,结束时间, lines.jsonl or RTTM",
        )
    return lines, dict(skipped)


def _json_rows(path: Path) -> Iterator[Any]:
    is_whole = path.suffix.lower() == ".json"
    most = _MAX_JSON_BYTES if is_whole else MAX_BYTES
    if path.stat().st_size > most:
        raise InputError(f"larger than {most >> 20} MiB: too large for labels", where=path)
    try:
        with path.open(encoding="utf-8-sig", newline="\n") as file:
            if is_whole:
                content = json.load(file)
                rows = content.get("lines") if isinstance(content, dict) else content
                yield from rows if isinstance(rows, list) else []
                return
            for number, row in enumerate(iter(lambda: file.readline(MAX_ROW_CHARS + 1), ""), 1):
                if number > MAX_ROWS or len(row) > MAX_ROW_CHARS:
                    raise InputError(
                        f"more than {MAX_ROWS} rows, or a row longer than {MAX_ROW_CHARS} characters",
                        where=path,
                        remedy="split it by episode",
                    )
                if row.strip():
                    yield json.loads(row)
    except (ValueError, RecursionError) as e:
        raise InputError(f"not valid JSON: {e}", where=path) from e


def _line(row: Any, skipped: Counter[str]) -> TrueLine | None:
    if not isinstance(row, dict):
        skipped["row that is no object"] += 1
        return None
    name = next((row[key] for key in _NAMES if isinstance(row.get(key), str)), "")
    start_ms, end_ms = _time_ms(row, "start"), _time_ms(row, "end")
    episode = row.get("episode_id", row.get("episode"))
    if not clean_name(name):
        skipped["row without a character"] += 1
    elif start_ms is None or end_ms is None or not 0 <= start_ms < end_ms:
        skipped["row with a time that is not readable"] += 1
    else:
        text = row.get("text")
        return TrueLine(
            start_ms,
            end_ms,
            clean_name(name),
            text if isinstance(text, str) else "",
            episode if isinstance(episode, str) else None,
        )
    return None


def _time_ms(row: dict[str, Any], side: str) -> int | None:
    for key, factor in ((f"{side}_ms", 1), (side, 1000)):
        value = row.get(key)
        if isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e9:
            return round(value * factor)
    return None
