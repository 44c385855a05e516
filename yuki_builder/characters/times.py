"""Times as people and programs write them into annotation tables."""

from __future__ import annotations

import re
import unicodedata

# H:MM:SS, then nothing, ".cc", ",mmm", ".mmm" or ":mmm". Two digits after a third colon would count frames,
# at a rate that nobody wrote down: not read. Dots between hours, minutes and seconds come from file names
# and are only read with all four groups: 00.56.180 could be hours or minutes.
_CLOCK = re.compile(r"(\d{1,3}):([0-5]?\d):([0-5]?\d)(?:[.,](\d{1,9})|:(\d{3}))?")
_DOTTED = re.compile(r"(\d{1,3})\.([0-5]\d)\.([0-5]\d)\.(\d{1,9})")
# What a spreadsheet makes of 0:00:04.52: minutes, seconds and a fraction. Without one it could be H:MM.
_SHORT = re.compile(r"(\d{1,3}):([0-5]\d)[.,](\d{1,9})")


def parse_time_ms(text: str) -> int | None:
    """Milliseconds of a written time, or None where it is not readable without a guess.

    Digits after the point are a decimal fraction: ``.5`` is 500 ms, ``.52`` 520 ms, ``.1800`` 180 ms. More
    than three of them are read only where the rest is zeros (padding), because times are whole milliseconds.
    """
    text = unicodedata.normalize("NFKC", text).strip()
    if match := _CLOCK.fullmatch(text):
        hours, minutes, seconds, fraction, milliseconds = match.groups()
        fraction = fraction or milliseconds
    elif match := _DOTTED.fullmatch(text):
        hours, minutes, seconds, fraction = match.groups()
    elif match := _SHORT.fullmatch(text):
        hours = "0"
        minutes, seconds, fraction = match.groups()
    else:
        return None
    fraction = (fraction or "").ljust(3, "0")
    if fraction[3:].strip("0"):
        return None
    return (int(hours) * 3600 + int(minutes) * 60 + int(seconds)) * 1000 + int(fraction[:3])
