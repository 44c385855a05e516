"""What is said, where there are no subtitles: transcribed turn by turn, or read from a file of words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pipelines.engine.stage import Counts, Job
from pipelines.episode.context import Episode
from pipelines.episode.ocr import count_unread, pictures_to_read
from pipelines.episode.records import read_records, read_turns, write_records
from pipelines.layout import EXCLUSIVE_TURNS, HEARD, HEARD_CUES, MIX, SPEECH, UNREAD, VOCALS
from yuki_builder.errors import YukiError
from yuki_builder.records import HeardSegment, Span
from yuki_builder.spans import intersection, union

if TYPE_CHECKING:
    from video_preprocessing.transcription import Transcriber, Transcription


def is_wanted(episode: Episode) -> bool:
    """Whether words are wanted: there are no subtitles, or words are asked for, or pictures could not be read."""
    return hears_all(episode) or (episode.config.transcriber != "none" and count_unread(episode) > 0)


def hears_all(episode: Episode) -> bool:
    """Whether the words of the whole episode are wanted, rather than of pictures that could not be read."""
    config = episode.config
    return config.align_words or config.words is not None or not _has_subtitles(episode)


def _has_subtitles(episode: Episode) -> bool:
    """Whether subtitles gave lines; before they are read, whether there are any to read."""
    mark = episode.store.mark("cues")
    if mark is not None:
        return mark.report.kept > 0
    if episode.subtitle_file is not None or pictures_to_read(episode) is not None:
        return True
    return episode.config.subtitles == "auto" and _has_text_track(episode)


def _has_text_track(episode: Episode) -> bool:
    from video_preprocessing.media import choose_subtitle_track

    info, config = episode.media(), episode.config
    try:
        return (
            info is not None
            and choose_subtitle_track(info, config.subtitle_track, language=config.language) is not None
        )
    except YukiError:
        return False  # is told about where it is read


def plan(episode: Episode) -> str:
    """What a plan says of it."""
    config = episode.config
    if not is_wanted(episode):
        return "nothing to do: there are subtitles"
    if config.words is not None:
        return f"words from {config.words.name}"
    name = episode.transcriber_name
    if name == "none":
        return "nothing to do: --transcriber none"
    if name == "not installed":
        return "no transcriber: pip install 'yuki-builder[asr]'"
    language = episode.spoken_language or "found by ear"
    where = "" if hears_all(episode) else f"; only where pictures of subtitles gave no text ({count_unread(episode)})"
    return f"{name} ({episode.transcriber_place()}), language {language}{where}"


def _without(episode: Episode) -> str:
    if hears_all(episode):
        return "speech was not transcribed: wrote speaker turns only"
    return f"pictures of subtitles without text: {count_unread(episode)}; what is said there was not transcribed"


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
        return Counts(notes=(f"{_without(episode)}. {e}",))
    if transcriber is None:
        write_records([], job.output(HEARD))
        return Counts(notes=(f"{_without(episode)} (--transcriber none)",))
    done = _listen(episode, job, transcriber)
    write_records(done.segments, job.output(HEARD))
    if done.resumed_ms:
        job.notice(f"resumed at {done.resumed_ms / 60_000:.1f} min of speech")
    return Counts(len(done.segments), notes=(_note(transcriber.name, done),))


def _listen(episode: Episode, job: Job, transcriber: Transcriber) -> Transcription:
    from video_preprocessing.transcription import transcribe_turns

    turns = [turn.span for turn in read_turns(job.input(EXCLUSIVE_TURNS))]
    if not hears_all(episode):
        turns = intersection(turns, union(read_records(job.input(UNREAD), Span)))
    return transcribe_turns(
        job.input(VOCALS),
        turns,
        read_records(job.input(SPEECH), Span),
        transcriber,
        language=episode.spoken_language,
        mix=job.input(MIX),
        unfinished=job.unfinished,
        progress=job.progress,
    )


def _note(name: str, done: Transcription) -> str:
    if not done.segments:
        return f"nobody was heard to speak: no words for {name} to write down"
    if done.language is None:
        return f"transcribed by {name}"
    heard = "" if done.certainty is None else f", {100 * done.certainty:.0f} % sure"
    return f"transcribed by {name} (language {done.language}{heard})"


def asked_characters(episode: Episode) -> str | None:
    """The kind of Chinese characters that the user wants: by ``--chinese``, else by ``--language zh-hant``."""
    from video_preprocessing.media import written_characters

    if episode.config.chinese != "keep":
        return episode.config.chinese
    return written_characters(episode.config.language)


def cut_words(episode: Episode, job: Job) -> Counts:
    """What was heard as cues: of one voice each, cut like subtitles; what is no speech is left out with its reason."""
    from yuki_builder.subtitles import convert_chinese
    from yuki_builder.transcripts import heard_cues, in_same_characters

    segments = in_same_characters(read_records(job.input(HEARD), HeardSegment), asked_characters(episode))
    turns = read_turns(job.input(EXCLUSIVE_TURNS))
    cues = heard_cues(segments, turns, read_records(job.input(SPEECH), Span))
    if episode.config.chinese != "keep":
        cues = convert_chinese(cues, episode.config.chinese)
    write_records(cues, job.output(HEARD_CUES))
    reasons = [str(cue.left_out) for cue in cues if cue.left_out is not None]
    dropped = {reason: reasons.count(reason) for reason in sorted(set(reasons))}
    kept = len(cues) - len(reasons)
    return Counts(kept, dropped, _told_of_languages(kept, dropped))


def _told_of_languages(kept: int, dropped: Mapping[str, int]) -> tuple[str, ...]:
    """What to do where more was said in another language than in the episode's."""
    from yuki_builder.transcripts import NotSpeech

    mark = f"{NotSpeech.OTHER_LANGUAGE}: "
    others = {reason.removeprefix(mark): count for reason, count in dropped.items() if reason.startswith(mark)}
    most = max(others, key=lambda name: others[name], default="")
    return (f"most of it is spoken in another language: --language {most}",) if others.get(most, 0) > kept else ()
