"""Words that were heard: as lines, and against the lines of subtitles. All of it is pure, but for reading files."""

from yuki_builder.transcripts.cues import heard_cues
from yuki_builder.transcripts.hallucinations import NotSpeech
from yuki_builder.transcripts.words_json import read_words

__all__ = ["NotSpeech", "heard_cues", "read_words"]
