"""Songs that no style and no note marks: a run of cues under which nobody speaks, only sings or plays.

The separator takes singing for music, so that voice activity is missing under a whole opening or ending while the
rest of the episode has it.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from yuki_builder.records import AlignedCue

_LEAST_CUES = 5
_LEAST_MS = 20_000
_HEARD_SHARE = 0.15  # of a cue: a syllable that passes for speech
_LARGEST_GAP_MS = 12_000
_MOST_OF_ALL = 0.4  # where most cues are without voice, voice activity is unreliable


def inaudible_songs(lines: Sequence[AlignedCue]) -> frozenset[str]:
    """Ids of the cues that belong to a song; ``lines`` are in order of time. Pure."""
    runs: list[list[AlignedCue]] = []
    for is_silent, group in groupby(lines, key=_is_silent):
        members = list(group)
        if not is_silent:
            continue
        run = [members[0]]
        for line in members[1:]:
            if line.start_ms - run[-1].end_ms > _LARGEST_GAP_MS:
                runs.append(run)
                run = []
            run.append(line)
        runs.append(run)
    songs = [
        line.cue.cue_id
        for run in runs
        if len(run) >= _LEAST_CUES and run[-1].end_ms - run[0].start_ms >= _LEAST_MS
        for line in run
    ]
    return frozenset(songs if len(songs) <= _MOST_OF_ALL * len(lines) else ())


def _is_silent(line: AlignedCue) -> bool:
    return line.speech_ms < _HEARD_SHARE * (line.end_ms - line.start_ms) and not line.cue.tags
