"""Renders the sound effects of a General MIDI soundfont, a minute of each, as backgrounds for ``separation.py``.

    python benchmarks/render_effects.py OUT --font FluidR3_GM.sf2

Programs 121 to 128 of General MIDI: fingers on strings, breath, sea, birds, telephone, helicopter, applause and shots.
They are recordings that no training of this project hears. Needs fluidsynth.
"""

from __future__ import annotations

import argparse
import random
import shutil
import subprocess
import tempfile
from pathlib import Path

SECONDS = 60
TICKS = 480  # a quarter, which is half a second
# Numbers as MIDI counts them, from 0; whether it sounds without a pause.
PROGRAMS = {
    "fingers on strings": (120, False),
    "breath": (121, False),
    "sea": (122, True),
    "birds": (123, False),
    "telephone": (124, True),
    "helicopter": (125, True),
    "applause": (126, True),
    "shots": (127, False),
}


def midi(program: int, lasting: bool) -> bytes:
    """A file of one track that plays random notes of that program."""
    rng, events, tick = random.Random(program), list[tuple[int, bytes]](), 0  # noqa: S311
    while tick < 2 * TICKS * SECONDS:
        length = rng.randrange(480, 3840) if lasting else rng.randrange(120, 960)
        note = rng.randrange(48, 84)
        events.append((tick, bytes([0x90, note, rng.randrange(70, 120)])))
        events.append((tick + length, bytes([0x80, note, 0])))
        tick += length if lasting else rng.randrange(240, 1920)
    track, now = b"\0" + bytes([0xC0, program]), 0
    for tick, event in sorted(events):
        track += _variable(tick - now) + event
        now = tick
    track += b"\0\xff\x2f\0"
    header = b"MThd" + (6).to_bytes(4, "big") + b"".join(n.to_bytes(2, "big") for n in (0, 1, TICKS))
    return header + b"MTrk" + len(track).to_bytes(4, "big") + track


def _variable(value: int) -> bytes:
    """A number in groups of seven bits, as MIDI writes times."""
    groups = [value & 0x7F]
    while value := value >> 7:
        groups.append(value & 0x7F | 0x80)
    return bytes(reversed(groups))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--font", type=Path, default=Path("/usr/share/sounds/sf2/FluidR3_GM.sf2"))
    parser.add_argument("--rate", type=int, default=44_100, help="Hz (%(default)s)")
    a = parser.parse_args()
    synth = shutil.which("fluidsynth")
    if synth is None or not a.font.is_file():
        raise SystemExit("needs fluidsynth and a General MIDI soundfont: --font")
    a.out.mkdir(parents=True, exist_ok=True)
    for name, (program, lasting) in PROGRAMS.items():
        with tempfile.TemporaryDirectory() as folder:
            score = Path(folder) / "score.mid"
            score.write_bytes(midi(program, lasting))
            target = a.out / f"{name}.wav"
            command = [synth, "-ni", "-g", "0.6", "-r", str(a.rate), "-F", str(target), str(a.font), str(score)]
            subprocess.run(command, check=True, capture_output=True)
            print(target)


if __name__ == "__main__":
    main()
