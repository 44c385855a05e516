"""How far the dialogue stands out of the mix, line by line."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from yuki_builder.corpus.audio.sound import blocks, open_sound, to_samples
from yuki_builder.errors import InputError
from yuki_builder.records import FloatArray, Line, Progress, no_progress

if TYPE_CHECKING:
    import soundfile

FLOOR_DBFS = -90.0
"""Below this mean level nothing is heard: what rounding to 16 bits leaves lies at about -98 dBFS."""


def measure_levels(
    lines: Sequence[Line], mix: Path, vocals: Path, *, progress: Progress = no_progress
) -> dict[str, float | None]:
    """Dialogue-to-background level in dB by line id, for ``Line.snr_db``.

    The energy of ``vocals`` over that of ``mix - vocals`` while the line lasts, all channels together. The
    background counts as :data:`FLOOR_DBFS` at least, so that a clean line gets a high figure and no infinite one.
    None where the vocals are silent, and where mix and vocals are the very same samples: nothing was
    separated there, so that nothing is known.

    Args:
        lines: of one episode.
        mix: a sound file on the lines' clock.
        vocals: what was isolated from it, with the same sample rate; where the channels differ in number, both
            are folded to one.
        progress: called with the number of lines done.

    Raises:
        MediaError: one of the files cannot be read.
        InputError: their sample rates differ.
    """
    with open_sound(mix) as mix_sound, open_sound(vocals) as vocals_sound:
        rate = mix_sound.samplerate
        if rate != vocals_sound.samplerate:
            raise InputError(
                f"has {vocals_sound.samplerate} Hz and the mix {rate} Hz",
                where=vocals,
                remedy="isolate the vocals from this mix again",
            )
        in_order = sorted(lines, key=lambda line: line.start_ms)
        sums = [_Sums(max(0, to_samples(n.start_ms, rate)), to_samples(n.end_ms, rate)) for n in in_order]
        _add_up(mix_sound, vocals_sound, sums, progress)
    return {line.line_id: level_db(s.vocals, s.rest, s.count) for line, s in zip(in_order, sums, strict=True)}


def level_db(vocals_energy: float, rest_energy: float, samples: int) -> float | None:
    """The ratio of two sums of squares over ``samples`` samples (full scale = 1) in dB, rounded to 0.1 dB."""
    floor = samples * 10 ** (FLOOR_DBFS / 10)
    if rest_energy == 0.0 or vocals_energy <= floor:
        return None
    return round(10 * float(np.log10(vocals_energy / max(rest_energy, floor))), 1)


@dataclass(slots=True)
class _Sums:
    """Energy within a line, samples ``start`` to ``end`` (excluded), as far as the files are read."""

    start: int
    end: int
    vocals: float = 0.0
    rest: float = 0.0
    count: int = 0


def _add_up(mix: soundfile.SoundFile, vocals: soundfile.SoundFile, sums: Sequence[_Sums], progress: Progress) -> None:
    """Fill in ``sums``, which are in order of their starts, in one pass over both files."""
    waiting, open_sums = deque(sums), list[_Sums]()
    for (at, mix_block), (_, vocals_block) in zip(blocks(mix), blocks(vocals), strict=False):
        size = min(len(mix_block), len(vocals_block))
        whole, voice = _same_channels(mix_block[:size], vocals_block[:size])
        while waiting and waiting[0].start < at + size:
            open_sums.append(waiting.popleft())
        for s in open_sums:
            part = slice(max(0, s.start - at), max(0, s.end - at))
            s.vocals += float(np.square(voice[part], dtype=np.float64).sum())
            s.rest += float(np.square(whole[part] - voice[part], dtype=np.float64).sum())
            s.count += voice[part].size
        open_sums = [s for s in open_sums if s.end > at + size]
        progress(len(sums) - len(waiting) - len(open_sums), len(sums))
    progress(len(sums), len(sums))


def _same_channels(mix: FloatArray, vocals: FloatArray) -> tuple[FloatArray, FloatArray]:
    if mix.shape[1] == vocals.shape[1]:
        return mix, vocals
    return mix.mean(axis=1, keepdims=True), vocals.mean(axis=1, keepdims=True)
