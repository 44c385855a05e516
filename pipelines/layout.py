"""Where everything is in an output folder: every path, and how lines are named."""

from __future__ import annotations

from yuki_builder.records import Cue

CORPUS_FOLDER = "corpus"
# In the output folder itself: what people say.
ALIASES_FILE = "aliases.toml"
LABELS_FILE = "labels.csv"
CORRECTIONS_FILE = "corrections.csv"
REVIEW_FOLDER = "review"
RENAMES_FILE = f"{REVIEW_FOLDER}/renames.toml"

MEDIA = ".work/media.json"
CUES_READ = ".work/cues.jsonl"
PICTURE_TEXTS = "subtitles/ocr.jsonl"
TRACK = "subtitles-track/"
CUES = "subtitles/cues.jsonl"
SPOKEN = ".work/spoken.jsonl"
HEARD = "subtitles/heard.jsonl"
HEARD_CUES = ".work/heard_cues.jsonl"
TEXT_MATCH = ".work/text_match.jsonl"
UNWRITTEN = "subtitles/unwritten.jsonl"
RESYNC = ".work/resync.jsonl"
MIX = "audio/mix.flac"
VOCALS = "audio/vocals.flac"
SPEECH = ".work/speech.jsonl"
PLACED = ".work/placed.jsonl"
PIECES = ".work/pieces.jsonl"
NAMED = ".work/named.jsonl"
UNREAD = ".work/unread.jsonl"
TURNS = "speakers/turns.rttm"
EXCLUSIVE_TURNS = "speakers/exclusive.rttm"
ALIGNED = ".work/aligned.jsonl"
EMBEDDINGS = ".work/embeddings.npz"
CORRECTED_EMBEDDINGS = ".work/embeddings_corrected.npz"
DUB = ".work/dub.npz"
CORRECTED_DUB = ".work/dub_corrected.npz"
ENROLLED = ".work/enrolled.npz"
ATTRIBUTIONS = ".work/attributions.jsonl"
GALLERY = "speakers/gallery"
LINES = "lines.jsonl"
LINES_CSV = "lines.csv"
CLIPS = "clips/"
SHOTS = ".work/shots.jsonl"
MEASURES = ".work/measures.jsonl"
QUALITY = "quality.jsonl"
AUDIO_FINGERPRINTS = ".work/audio_fingerprints.npz"
SCENES = "scenes.jsonl"
PICTURES = ".work/pictures.json"
EVALUATION_PICTURE = "evaluation.png"
REPORT = "report.html"
SUMMARY = "episode.json"

# What earlier versions called stages and outputs, and what they are called now.
RENAMED_STAGES = {"voiceprints": "embeddings", "isolate": "separate"}
RENAMED_PATHS = {
    ".work/voiceprints.npz": EMBEDDINGS,
    ".work/voiceprints_corrected.npz": CORRECTED_EMBEDDINGS,
}
# Where the speaker embeddings of an episode's lines may be, the best first.
EMBEDDINGS_OF_LINES = tuple(
    name
    for path in (CORRECTED_EMBEDDINGS, EMBEDDINGS)
    for name in (path, *(earlier for earlier, now in RENAMED_PATHS.items() if now == path))
)


def line_id(episode_id: str, cue: Cue) -> str:
    """A line's name for good: made from the episode and the cue's identity, never from its position."""
    return line_id_of(episode_id, cue.cue_id)


def line_id_of(episode_id: str, cue_id: str) -> str:
    """The same of a cue that only its id is known of."""
    return f"{episode_id}-{cue_id}"
