"""What is said, where there are no subtitles: transcribed turn by turn, or read from a file of words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.engine.stage import Counts, Job
from pipelines.episode.context import Episode
from pipelines.episode.records import read_records, read_turns, write_records
from pipelines.layout import EXCLUSIVE_TURNS, HEARD, HEARD_CUES, SPEECH, VOCALS
from yuki_builder.errors import YukiError
from yuki_builder.records import HeardSegment, Span

if TYPE_CHECKING:
    from video_preprocessing.transcription import Transcriber, Transcription

_WITHOUT = "speech was not transcribed: wrote speaker turns only"


def transcribe(episode: Episode, job: Job) -> Counts:
    """What is said, in the turns."""
    config = episode.config
    if config.words is not None:
        from yuki_builder.transcripts import read_words

        segments = read_words(config.words)
        write_records(segments, job.output(HEARD))
        return Counts(len(segments), notes=(f"words: {config.words.name}",))
    try:
        transcriber = episode.transcriber()
    except YukiError as e:
        if config.transcriber != "auto" or config.align_words:
            raise
        write_records([], job.output(HEARD))  # nobody asked for it by name: the run is worth something without, too
        return Counts(notes=(f"{_WITHOUT}. {e}",))
    if transcriber is None:
        write_records([], job.output(HEARD))
        return Counts(notes=(f"{_WITHOUT} (--transcriber none)",))
    done = _listen(episode, job, transcriber)
    write_records(done.segments, job.output(HEARD))
    if done.resumed_ms:
        job.notice(f"resumed at {done.resumed_ms / 60_000:.1f} min of speech")
    return Counts(len(done.segments), notes=(_told(transcriber.name, done),))


def _listen(episode: Episode, job: Job, transcriber: Transcriber) -> Transcription:
    from video_preprocessing.transcription import transcribe_turns

    return transcribe_turns(
        job.input(VOCALS),
        [turn.span for turn in read_turns(job.input(EXCLUSIVE_TURNS))],
        read_records(job.input(SPEECH), Span),
        transcriber,
        language=episode.spoken_language,
        unfinished=job.unfinished,
        progress=job.progress,
    )


def _told(name: str, done: Transcription) -> str:
    if done.language is None:
        return f"transcribed by {name}"
    heard = "" if done.certainty is None else f", {100 * done.certainty:.0f} % sure"
    return f"transcribed by {name} (language {done.language}{heard})"


def cut_words(_: Episode, job: Job) -> Counts:
    """What was heard as cues: of one voice each, cut like subtitles; what is no speech is left out with its reason."""
    from yuki_builder.transcripts import heard_cues

    segments = read_records(job.input(HEARD), HeardSegment)
    turns = read_turns(job.input(EXCLUSIVE_TURNS))
    cues = heard_cues(segments, turns, read_records(job.input(SPEECH), Span))
    write_records(cues, job.output(HEARD_CUES))
    reasons = [str(cue.left_out) for cue in cues if cue.left_out is not None]
    return Counts(len(cues) - len(reasons), {reason: reasons.count(reason) for reason in sorted(set(reasons))})
