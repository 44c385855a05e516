"""Where cues stand in the audio: their edges on the voice, and whose turns they fall into. All of it is pure."""

from yuki_builder.alignment.parting import split_at_lines
from yuki_builder.alignment.purity import pure_spans
from yuki_builder.alignment.retiming import resync
from yuki_builder.alignment.snapping import align
from yuki_builder.alignment.songs import unheard
from yuki_builder.alignment.turns import overlap_share, speaker_of

__all__ = ["align", "overlap_share", "pure_spans", "resync", "speaker_of", "split_at_lines", "unheard"]
