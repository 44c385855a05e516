"""A whole video's picture, read; an interrupted reading is kept in a file so that the next run goes on there."""

from __future__ import annotations

import dataclasses
import json
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from video_preprocessing.ocr.burned_in import Reading, Stretch, Watch
from video_preprocessing.ocr.reader import TextReader
from video_preprocessing.ocr.rows import Sighting
from yuki_builder.records import PictureText, TextRow, VideoPicture

_STATE = "state"
_KEEP_EVERY_MS = 30_000


def read_burned_in(
    pictures: Callable[[int], Iterable[VideoPicture]],
    reader: TextReader,
    *,
    language: str | None = None,
    unfinished: Path | None = None,
) -> list[PictureText]:
    """All that is written at the lower and the upper edge of a video, by time; what is no subtitle has its reason.

    Args:
        pictures: of the video, a few a second, from the time (ms) on that it is called with.
        reader: the networks.
        language: to read, where it is known.
        unfinished: a folder in which an interrupted run leaves what it has, for the next.
    """
    file = None if unfinished is None else unfinished / "burned_in.npz"
    reading = (kept(file) if file is not None else None) or Reading()
    kept_ms = reading.done_ms
    for picture in pictures(reading.done_ms):
        reading.feed(picture, reader, language)
        if file is not None and reading.done_ms - kept_ms >= _KEEP_EVERY_MS:
            keep(reading, file)
            kept_ms = reading.done_ms
    reading.finish(reader, language)
    return reading.texts()


def keep(reading: Reading, path: Path) -> None:
    """Writes how far a reading is; a run that is killed meanwhile leaves the file as it was."""
    arrays: dict[str, Any] = {}
    watches = []
    for k, watch in enumerate(reading.watches):
        for j, (_, luma, strokes) in enumerate(watch.pending):
            arrays |= {f"luma-{k}-{j}": luma, f"strokes-{k}-{j}": strokes}
        stretch = watch.stretch
        if stretch is not None:
            arrays |= {f"darkest-{k}": stretch.darkest, f"hits-{k}": stretch.hits}
        watches.append(
            {
                "top": watch.top,
                "bottom": watch.bottom,
                "pending_ms": [time_ms for time_ms, _, _ in watch.pending],
                "stretch": None if stretch is None else [stretch.start_ms, stretch.end_ms, stretch.samples],
            }
        )
    state = {
        "height": reading.height,
        "width": reading.width,
        "done_ms": reading.done_ms,
        "watches": watches,
        "sightings": [dataclasses.asdict(seen) | {"row": seen.row.to_dict()} for seen in reading.sightings],
    }
    arrays |= {f"picture-{k}": picture for k, picture in enumerate(reading.pictures)}
    arrays[_STATE] = np.frombuffer(json.dumps(state).encode(), np.uint8)
    new = path.with_suffix(".new.npz")
    np.savez_compressed(new, **arrays)
    new.replace(path)


def kept(path: Path) -> Reading | None:
    """The reading that was kept; None where there is none, or no whole one."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return _restored(arrays)
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile):
        return None


def _restored(arrays: Any) -> Reading:
    state = json.loads(arrays[_STATE].tobytes())
    watches = []
    for k, row in enumerate(state["watches"]):
        pending = [
            (time_ms, arrays[f"luma-{k}-{j}"], arrays[f"strokes-{k}-{j}"])
            for j, time_ms in enumerate(row["pending_ms"])
        ]
        stretch = None
        if row["stretch"] is not None:
            start_ms, end_ms, samples = row["stretch"]
            stretch = Stretch(start_ms, end_ms, arrays[f"darkest-{k}"], arrays[f"hits-{k}"], samples)
        watches.append(Watch(row["top"], row["bottom"], state["height"], pending, stretch))
    sightings = [Sighting(**{**seen, "row": TextRow.from_dict(seen["row"])}) for seen in state["sightings"]]
    pictures = [arrays[f"picture-{seen.picture}"] for seen in sightings]
    return Reading(state["height"], state["width"], state["done_ms"], watches, sightings, pictures)
