"""Whose voice is where: turns, the speaker embeddings of lines, the voices enrolled."""

from __future__ import annotations

import dataclasses
import filecmp
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pipelines.engine.stage import Counts, Job
from pipelines.episode.context import Episode
from pipelines.episode.edits import alone, changed_spans
from pipelines.episode.records import (
    embeddings_in,
    read_embeddings,
    read_media,
    read_records,
    write_embeddings,
)
from pipelines.layout import (
    ALIGNED,
    CORRECTED_DUB,
    CORRECTED_EMBEDDINGS,
    DUB,
    EMBEDDINGS,
    ENROLLED,
    EXCLUSIVE_TURNS,
    MEDIA,
    MIX,
    NAMED,
    PIECES,
    SPEECH,
    TURNS,
    VOCALS,
)
from yuki_builder.errors import InputError, InternalError, MediaError
from yuki_builder.records import (
    MOST_AT_ONCE,
    AlignedCue,
    AudioTrack,
    Progress,
    Span,
    SpeakerEmbeddings,
    Turn,
    no_progress,
)

if TYPE_CHECKING:
    from video_preprocessing.speech import SpeakerEmbedder
    from yuki_builder.characters import EnrolClip


_WHOLE_FILE = Span(0, 1 << 40)
_TURNS_BEYOND_MS = 2000


_DUB_RATE_HZ = 16_000
# A dub ends with the film; where it does not by this much, it is of another cut and its lines are elsewhere.
_OTHER_CUT_S = 5.0
_OTHER_CUT_SHARE = 0.01
_TOO_SHORT = "too little speech for a speaker embedding"
_TOO_MANY = f"more than {MOST_AT_ONCE} other lines at the same time"


def find_turns(episode: Episode, job: Job) -> Counts:
    """Which voice speaks when."""
    from video_preprocessing.speech import NamedSpan, exclusive, write_rttm

    given = episode.config.turns
    if given is not None:
        turns = _given_turns(given)
        _check_end(turns, given, job.input(VOCALS))
        write_rttm(turns, job.output(TURNS), uri=episode.episode_id)
        write_rttm(exclusive(turns), job.output(EXCLUSIVE_TURNS), uri=episode.episode_id)
        return Counts(len(turns), notes=(f"turns: {given.name}",))
    pieces = read_records(job.input(PIECES), Span)
    named = [NamedSpan(t.span, t.speaker) for t in read_records(job.input(NAMED), Turn)]
    turns = episode.diarizer().diarize(
        job.input(VOCALS), pieces, progress=job.progress, named=named, mix=job.input(MIX)
    )
    write_rttm(turns, job.output(TURNS), uri=episode.episode_id)
    write_rttm(exclusive(turns), job.output(EXCLUSIVE_TURNS), uri=episode.episode_id)
    return Counts(len(turns))


def check_turns(episode: Episode) -> None:
    """Loads what finds the turns, or reads the file of them."""
    if episode.config.turns is None:
        episode.diarizer()
    else:
        _given_turns(episode.config.turns)


def _given_turns(path: Path) -> list[Turn]:
    from video_preprocessing.speech import read_rttm

    turns = read_rttm(path)
    if not turns:
        raise InputError("holds no turns", where=path, remedy="give the RTTM of this video")
    return list(turns)


def _check_end(turns: Sequence[Turn], path: Path, vocals: Path) -> None:
    """Raises InputError for turns that cannot be those of this video."""
    import soundfile

    sound = soundfile.info(vocals)
    length_ms, end_ms = int(sound.frames * 1000 // sound.samplerate), max(turn.end_ms for turn in turns)
    if end_ms > length_ms + _TURNS_BEYOND_MS:
        raise InputError(
            f"the last turn ends at {end_ms / 1000:.1f} s, the video at {length_ms / 1000:.1f} s",
            where=path,
            remedy="give the RTTM of this video",
        )


def embed_lines(episode: Episode, job: Job) -> Counts:
    """A speaker embedding of each line that is long enough."""
    pure = alone(episode, read_records(job.input(ALIGNED), AlignedCue))
    embeddings = _embed_alone(episode, job, pure)
    write_embeddings(embeddings, job.output(EMBEDDINGS), embedder=episode.embedder().fingerprint)
    return _counts(embeddings, pure)


def embed_corrected(episode: Episode, job: Job) -> Counts:
    """All embeddings, those anew of lines that a person added, cut or moved, and of lines that they touch."""
    changed = changed_spans(episode, read_records(job.input(ALIGNED), AlignedCue))
    new = _embed_alone(episode, job, changed)
    _write_corrected(episode, job, new, changed, earlier=EMBEDDINGS, to=CORRECTED_EMBEDDINGS)
    return _counts(new, changed)


def _write_corrected(
    episode: Episode, job: Job, new: SpeakerEmbeddings, changed: Collection[str], *, earlier: str, to: str
) -> None:
    """The ``earlier`` embeddings with the ``new`` ones in place of those of lines that were ``changed``."""
    before, embedder = read_embeddings(job.input(earlier))
    if new.keys and embedder != episode.embedder().fingerprint:
        raise InternalError("the speaker embeddings of the other lines are of another embedder")
    as_before = _rows(before, [row for row, key in enumerate(before.keys) if key not in changed])
    write_embeddings(_joined([as_before, new]), job.output(to), embedder=embedder)


def _embed_alone(episode: Episode, job: Job, pure: dict[str, tuple[Span, ...]]) -> SpeakerEmbeddings:
    """The embeddings of lines from where their speakers are heard alone."""
    first = {spans: key for key, spans in reversed(pure.items()) if spans}  # lines at the same time: one voice
    if not first:
        return _joined([])
    wanted = {key: spans for spans, key in reversed(first.items())}
    speech = read_records(job.input(SPEECH), Span)
    embeddings = _embed(job.input(VOCALS), job.input(MIX), wanted, speech, episode.embedder(), progress=job.progress)
    return _for_all(embeddings, {key: first[spans] for key, spans in pure.items() if spans})


def _counts(embeddings: SpeakerEmbeddings, pure: Mapping[str, Sequence[Span]]) -> Counts:
    made, too_many = len(embeddings.keys), sum(not spans for spans in pure.values())
    return Counts(made, {_TOO_SHORT: len(pure) - made - too_many, _TOO_MANY: too_many})


def embed_dub(episode: Episode, job: Job) -> Counts:
    """The same lines out of an audio track with other voices, where there is one.

    From the track as it is: embeddings hardly mind music, and its separation would cost as much as the rest of the run.
    """
    from video_preprocessing.media import describe

    nothing = SpeakerEmbeddings((), np.zeros((0, 0), np.float32), ())
    track = _second_track(episode, job)
    if track is None:
        write_embeddings(nothing, job.output(DUB), embedder="")
        return Counts()
    audio = _second_sound(episode, job, track)
    first_s = _length_s(job.input(MIX))
    differ_s = _length_s(audio) - first_s
    if abs(differ_s) > _OTHER_CUT_S + _OTHER_CUT_SHARE * first_s:
        write_embeddings(nothing, job.output(DUB), embedder="")
        how = f"{abs(differ_s):.0f} s {'longer' if differ_s > 0 else 'shorter'}"
        return Counts(notes=(f"audio track {describe(track)} is {how} than the first: another cut, not heard",))
    found = _embed_second(episode, job, audio, alone(episode, read_records(job.input(ALIGNED), AlignedCue)))
    write_embeddings(found, job.output(DUB), embedder=episode.embedder().fingerprint)
    return Counts(len(found.keys), notes=(f"voices of audio track {describe(track)} used too, to tell who speaks",))


def embed_corrected_dub(episode: Episode, job: Job) -> Counts:
    """Those of the second audio track, those anew of lines that a person added, cut or moved, and that they touch."""
    changed = changed_spans(episode, read_records(job.input(ALIGNED), AlignedCue))
    track = _second_track(episode, job) if read_embeddings(job.input(DUB))[1] else None
    if track is None or not changed:
        return Counts()
    new = _embed_second(episode, job, _second_sound(episode, job, track), changed)
    _write_corrected(episode, job, new, changed, earlier=DUB, to=CORRECTED_DUB)
    return Counts(len(new.keys))


def _second_track(episode: Episode, job: Job) -> AudioTrack | None:
    from video_preprocessing.media import choose_audio_track, choose_second_audio_track

    info, config = read_media(job.input(MEDIA), episode.video), episode.config
    first = choose_audio_track(info, config.audio_track, language=config.language)
    return choose_second_audio_track(info, first, config.second_audio_track)


def _second_sound(episode: Episode, job: Job, track: AudioTrack) -> Path:
    from video_preprocessing.media import extract_audio

    audio = job.scratch / "dub.flac"
    info = read_media(job.input(MEDIA), episode.video)
    extract_audio(info, track, audio, sample_rate_hz=_DUB_RATE_HZ, progress=lambda d, t: job.progress(d / 4, t))
    return audio


def _embed_second(episode: Episode, job: Job, audio: Path, pure: Mapping[str, tuple[Span, ...]]) -> SpeakerEmbeddings:
    from video_preprocessing.speech import embed_spans

    def tell(done: float, total: float | None) -> None:
        job.progress((total or 0) / 4 + done * 3 / 4, total)

    wanted = {key: spans for key, spans in pure.items() if spans}
    return embed_spans(audio, wanted, read_records(job.input(SPEECH), Span), episode.embedder(), progress=tell)


def _length_s(audio: Path) -> float:
    import soundfile

    return float(soundfile.info(audio).duration)


def _for_all(embeddings: SpeakerEmbeddings, same_as: Mapping[str, str]) -> SpeakerEmbeddings:
    """Each line with the vector of the line that was embedded in its place."""
    row_of = {key: row for row, key in enumerate(embeddings.keys)}
    rows = {key: row_of[other] for key, other in same_as.items() if other in row_of}
    return dataclasses.replace(_rows(embeddings, list(rows.values())), keys=tuple(rows))


def _rows(embeddings: SpeakerEmbeddings, rows: Sequence[int]) -> SpeakerEmbeddings:
    places = list(rows)
    return SpeakerEmbeddings(
        tuple(embeddings.keys[row] for row in places),
        embeddings.vectors[places],
        tuple(embeddings.speech_ms[row] for row in places),
        {name: vectors[places] for name, vectors in embeddings.signals.items()},
    )


def _embed(
    vocals: Path,
    mix: Path | None,
    spans: Mapping[str, Span | Sequence[Span]],
    speech: Sequence[Span],
    embedder: SpeakerEmbedder,
    *,
    progress: Progress = no_progress,
) -> SpeakerEmbeddings:
    """Embeddings of spans from both signals; from one where there is no other, or the vocals are the mix."""
    from video_preprocessing.speech import embed_spans, join_signals

    if mix is None or (vocals.stat().st_size == mix.stat().st_size and filecmp.cmp(vocals, mix, shallow=False)):
        return embed_spans(vocals, spans, speech, embedder, progress=progress)
    parts = {}
    for number, (name, audio) in enumerate((("vocals", vocals), ("mix", mix))):
        first = number * len(spans)
        parts[name] = embed_spans(
            audio,
            spans,
            speech,
            embedder,
            progress=lambda done, total, first=first: progress(first + done, 2 * total),
        )
    return join_signals(parts)


def enrol(episode: Episode, job: Job) -> Counts:
    """A speaker embedding of each clip in which a known character speaks."""
    ready, clips = _embedded_already(episode)
    by_file: dict[Path, list[EnrolClip]] = {}
    for clip in clips:
        by_file.setdefault(clip.audio, []).append(clip)
    parts: list[SpeakerEmbeddings] = [ready]
    dropped = Counter(episode.enrolment.skipped)
    for number, (audio, clips) in enumerate(by_file.items()):
        try:
            part = _embed_clips(episode, job, audio, clips)
        except MediaError:
            dropped["cannot be read as audio"] += len(clips)
        else:
            parts.append(part)
            dropped[_TOO_SHORT] += len(clips) - len(part.keys)
        job.progress(number + 1, len(by_file))
    embeddings = _joined(parts)
    embedder = episode.embedder().fingerprint if by_file else episode.embedder_fingerprint()
    write_embeddings(embeddings, job.output(ENROLLED), embedder=embedder)
    return Counts(len(embeddings.keys), dropped)


def source_of(episode: Episode, clip: EnrolClip) -> Path:
    """The file that a clip's embedding is made from."""
    folder = episode.separated.get(clip.audio)
    return clip.audio if folder is None else _embeddings_of_line(episode, clip) or folder / VOCALS


def _embeddings_of_line(episode: Episode, clip: EnrolClip) -> Path | None:
    """The embeddings of another episode of which a clip is a line."""
    folder = episode.separated.get(clip.audio)
    path = embeddings_in(folder) if folder is not None and clip.line_id else None
    return path if path is not None and path.is_file() else None


def _embedded_already(episode: Episode) -> tuple[SpeakerEmbeddings, list[EnrolClip]]:
    """Labelled lines of other episodes, by their embeddings from there; and the clips that are left to embed."""
    rest: list[EnrolClip] = []
    wanted: dict[Path, dict[str, EnrolClip]] = {}
    for clip in episode.clips_to_enrol:
        if clip.line_id and (path := _embeddings_of_line(episode, clip)):
            wanted.setdefault(path, {})[clip.line_id] = clip
        else:
            rest.append(clip)
    parts = []
    for path, by_line in wanted.items():
        there, embedder = read_embeddings(path)
        found = [row for row, key in enumerate(there.keys) if key in by_line]
        if embedder != episode.embedder_fingerprint():
            found = []  # made by another embedder: made anew
        keys = tuple(by_line[there.keys[row]].key for row in found)
        parts.append(SpeakerEmbeddings(keys, there.vectors[found], tuple(there.speech_ms[row] for row in found)))
        rest += [clip for clip in by_line.values() if clip.key not in keys]
    return _joined(parts), rest


def _embed_clips(episode: Episode, job: Job, audio: Path, clips: Sequence[EnrolClip]) -> SpeakerEmbeddings:
    """Embeddings of clips from one file: an episode whose vocals are there, or one that is brought so far here."""
    from video_preprocessing.media import choose_audio_track, extract_audio
    from video_preprocessing.media import probe as probe_file
    from video_preprocessing.speech import detect_speech

    mix: Path | None = None
    if episode.is_own(audio):
        vocals, speech = job.input(VOCALS), read_records(job.input(SPEECH), Span)
        mix = job.input(MIX)
    elif audio in episode.separated:
        folder = episode.separated[audio]
        vocals, speech = folder / VOCALS, read_records(folder / SPEECH, Span)
        mix = folder / MIX if (folder / MIX).is_file() else None
    else:
        vocals = job.scratch / "clip.flac"
        info = probe_file(audio)
        extract_audio(info, choose_audio_track(info, None), vocals)
        separator = episode.separator() if episode.config.separate_enrolment else None
        if separator is not None:
            mix, vocals = vocals, job.scratch / "vocals.flac"
            separator.separate_file(mix, vocals)
        speech = detect_speech(vocals)
    spans = {clip.key: clip.span or _WHOLE_FILE for clip in clips}
    return _embed(vocals, mix, spans, speech, episode.embedder())


def _joined(parts: Sequence[SpeakerEmbeddings]) -> SpeakerEmbeddings:
    """All of them as one; their parts of each signal where every one of them has those."""
    filled = [part for part in parts if part.keys]
    signals = [name for name in (filled[0].signals if filled else ()) if all(name in p.signals for p in filled)]
    return SpeakerEmbeddings(
        tuple(key for part in filled for key in part.keys),
        np.concatenate([part.vectors for part in filled]) if filled else np.zeros((0, 0), np.float32),
        tuple(ms for part in filled for ms in part.speech_ms),
        {name: np.concatenate([part.signals[name] for part in filled]) for name in signals},
    )
