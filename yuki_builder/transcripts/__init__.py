"""Words that were heard: as lines, and against the lines of subtitles. All of it is pure, but for reading files."""

from yuki_builder.transcripts.chinese import in_same_characters
from yuki_builder.transcripts.cues import heard_cues, heard_within
from yuki_builder.transcripts.hallucinations import NotSpeech
from yuki_builder.transcripts.matching import Matched, TextMatch, match_words
from yuki_builder.transcripts.words_json import read_words

__all__ = [
    "Matched",
    "NotSpeech",
    "TextMatch",
    "heard_cues",
    "heard_within",
    "in_same_characters",
    "match_words",
    "read_words",
]
