"""Where cues stand in the audio: their edges on the voice, and whose turns they fall into. All of it is pure."""

from yuki_builder.alignment.retiming import resync
from yuki_builder.alignment.single_speaker import single_speaker_spans
from yuki_builder.alignment.snapping import align
from yuki_builder.alignment.songs import inaudible_songs
from yuki_builder.alignment.speaker_changes import split_at_lines
from yuki_builder.alignment.turn_edges import on_turns
from yuki_builder.alignment.turns import Overlaps

__all__ = [
    "Overlaps",
    "align",
    "inaudible_songs",
    "on_turns",
    "resync",
    "single_speaker_spans",
    "split_at_lines",
]
