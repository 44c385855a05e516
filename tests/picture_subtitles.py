"""Subtitles as pictures, for tests and benchmarks: drawn with Pillow, written as PGS (.sup) bytes by its specification.

ffmpeg has no encoder for PGS, and turns PGS into VobSub and DVB: ``convert`` does that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib
import numpy as np
import numpy.typing as npt
from media_files import ffmpeg
from PIL import Image, ImageDraw, ImageFont

LATIN_FONT = Path(matplotlib.get_data_path()) / "fonts/ttf/DejaVuSans.ttf"
Rgba = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Shown:
    """A picture on the canvas for a while."""

    start_ms: int
    end_ms: int
    rgba: Rgba
    left: int
    top: int


def draw_rows(
    rows: Sequence[str],
    *,
    font: Path | str = LATIN_FONT,
    index: int = 0,
    size: int = 54,
    colours: Sequence[str] = ("white",),
    outline: str | None = "black",
    width: int = 3,
    spacing: float = 1.25,
) -> Rgba:
    """Rows of text one below the other, centred, on nothing."""
    face = ImageFont.truetype(str(font), size, index=index)
    margin = width + 4
    widest = max(int(face.getlength(row)) for row in rows)
    pitch = round(spacing * size)
    image = Image.new("RGBA", (widest + 2 * margin, pitch * len(rows) + 2 * margin))
    pen = ImageDraw.Draw(image)
    for k, row in enumerate(rows):
        left = margin + (widest - int(face.getlength(row))) // 2
        stroke = {"stroke_width": width, "stroke_fill": outline} if outline else {}
        pen.text((left, margin + k * pitch), row, font=face, fill=colours[k % len(colours)], **stroke)
    return np.asarray(image)


def at_bottom(
    start_ms: int, end_ms: int, rgba: Rgba, *, canvas: tuple[int, int] = (1920, 1080), top: float | None = None
) -> Shown:
    """A picture in the middle of the canvas' lower edge, or of ``top`` (a share of the height)."""
    height, width = rgba.shape[:2]
    y = canvas[1] - height - canvas[1] // 20 if top is None else round(top * canvas[1])
    return Shown(start_ms, end_ms, rgba, (canvas[0] - width) // 2, y)


def write_sup(path: Path, shown: Sequence[Shown], *, canvas: tuple[int, int] = (1920, 1080)) -> Path:
    """A PGS file: each picture a display set of its own, taken away by an empty one unless the next begins then."""
    data = bytearray()
    for number, one in enumerate(shown):
        data += _display_set(one, canvas, 2 * number)
        if number + 1 == len(shown) or shown[number + 1].start_ms > one.end_ms:
            data += _empty_set(one.end_ms, canvas, 2 * number + 1)
    path.write_bytes(bytes(data))
    return path


def convert(sup: Path, destination: Path, codec: str) -> Path:
    """A PGS file as a track of ``codec`` (``dvdsub``, ``dvbsub``, ``copy``) in a Matroska file of its own."""
    ffmpeg("-copyts", "-fix_sub_duration", "-i", sup, "-c:s", codec, "-metadata:s:s:0", "language=eng", destination)
    return destination


def burned_in_video(path: Path, shown: Sequence[Shown], *, seconds: float, sound: Path, rate: int = 25) -> Path:
    """A video of 640 x 360 with pictures that were placed on 1280 x 720 in it, over something that moves."""
    import av

    height, width = 360, 640
    silent = path.with_name(f"{path.stem}-silent.mkv")
    rng = np.random.default_rng(3)
    scene = np.repeat(np.repeat(rng.integers(20, 150, (30, 40, 3), dtype=np.uint8), 16, axis=0), 24, axis=1)
    small = [np.asarray(Image.fromarray(s.rgba).resize((s.rgba.shape[1] // 2, s.rgba.shape[0] // 2))) for s in shown]
    with av.open(str(silent), "w") as container:
        stream = container.add_stream("libx264", rate=rate)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number in range(round(seconds * rate)):
            time_ms, across = 1000 * number / rate, 3 * number % 300
            frame = scene[number % 100 : number % 100 + height, across : across + width].copy()
            for one, rgba in zip(shown, small, strict=True):
                if one.start_ms <= time_ms < one.end_ms:
                    part = frame[one.top // 2 :, one.left // 2 :][: rgba.shape[0], : rgba.shape[1]]
                    alpha = rgba[..., 3:].astype(np.float32) / 255
                    part[...] = (part * (1 - alpha) + rgba[..., :3] * alpha).astype(np.uint8)
            for packet in stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    ffmpeg("-i", silent, "-i", sound, "-map", "0:v", "-map", "1:a", "-c:v", "copy", "-c:a", "aac", path)
    silent.unlink()
    return path


def _display_set(one: Shown, canvas: tuple[int, int], number: int) -> bytes:
    indices, palette = _indexed(one.rgba, canvas[1])
    height, width = indices.shape
    place = one.left.to_bytes(2) + one.top.to_bytes(2)
    composition = _composition(canvas, number, 0x80, 1) + bytes((0, 0, 0, 0)) + place
    window = bytes((1, 0)) + place + width.to_bytes(2) + height.to_bytes(2)
    runs = b"".join(_runs(row) for row in indices)
    whole = (len(runs) + 4).to_bytes(3) + width.to_bytes(2) + height.to_bytes(2) + runs
    parts = [whole[k : k + 65000] for k in range(0, len(whole), 65000)]
    segments = [_segment(one.start_ms, 0x16, composition), _segment(one.start_ms, 0x17, window)]
    segments.append(_segment(one.start_ms, 0x14, bytes((0, 0)) + palette))
    for k, part in enumerate(parts):
        flags = (0x80 if k == 0 else 0) | (0x40 if k == len(parts) - 1 else 0)
        segments.append(_segment(one.start_ms, 0x15, bytes((0, 0, 0, flags)) + part))
    return b"".join(segments) + _segment(one.start_ms, 0x80, b"")


def _empty_set(time_ms: int, canvas: tuple[int, int], number: int) -> bytes:
    return _segment(time_ms, 0x16, _composition(canvas, number, 0, 0)) + _segment(time_ms, 0x80, b"")


def _composition(canvas: tuple[int, int], number: int, state: int, objects: int) -> bytes:
    size = canvas[0].to_bytes(2) + canvas[1].to_bytes(2)
    return size + b"\x10" + (number % 65536).to_bytes(2) + bytes((state, 0, 0, objects))


def _segment(time_ms: int, kind: int, body: bytes) -> bytes:
    return b"PG" + (90 * time_ms).to_bytes(4) + bytes(4) + bytes((kind,)) + len(body).to_bytes(2) + body


def _indexed(rgba: Rgba, canvas_height: int) -> tuple[npt.NDArray[np.uint8], bytes]:
    """Indices into a palette of few colours, and its entries; 0 is transparent."""
    coarse = (rgba.astype(np.uint16) + 8) // 17 * 17
    coarse[coarse[..., 3] == 0] = 0
    colours, flat = np.unique(coarse.reshape(-1, 4), axis=0, return_inverse=True)
    order = np.argsort([tuple(c) != (0, 0, 0, 0) for c in colours], kind="stable")
    rank = np.argsort(order)
    offset = 0 if tuple(colours[order[0]]) == (0, 0, 0, 0) else 1
    assert len(colours) + offset <= 255, "too many colours for a palette"
    entries = bytearray()
    for k, colour in enumerate(colours[order]):
        if k + offset:
            entries += bytes((k + offset, *_luma_and_chroma(colour, canvas_height), int(colour[3])))
    return (rank[flat.ravel()] + offset).reshape(rgba.shape[:2]).astype(np.uint8), bytes(entries)


def _luma_and_chroma(colour: npt.NDArray[np.uint16], canvas_height: int) -> tuple[int, int, int]:
    red, green, blue = (float(c) / 255 for c in colour[:3])
    kr, kb = (0.2126, 0.0722) if canvas_height > 576 else (0.299, 0.114)
    luma = kr * red + (1 - kr - kb) * green + kb * blue
    cr, cb = (red - luma) / (2 * (1 - kr)), (blue - luma) / (2 * (1 - kb))
    return round(16 + 219 * luma), round(128 + 224 * cr), round(128 + 224 * cb)


def _runs(row: npt.NDArray[np.uint8]) -> bytes:
    starts = np.flatnonzero(np.diff(row.astype(np.int16), prepend=-1))
    data = bytearray()
    for start, end in zip(starts, [*starts[1:], len(row)], strict=True):
        colour, length = int(row[start]), int(end - start)
        while length:
            n = min(length, 16383)
            length -= n
            if colour and n < 3:
                data += bytes([colour]) * n
            elif n < 64:
                data += bytes((0, n if not colour else 0x80 | n)) + (bytes([colour]) if colour else b"")
            else:
                data += bytes((0, (0x40 if not colour else 0xC0) | n >> 8, n & 255))
                data += bytes([colour]) if colour else b""
    return bytes(data) + b"\x00\x00"
