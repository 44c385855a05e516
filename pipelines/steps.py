"""What each stage of an episode does: hand one room's records to the next. Their order is in ``episode.py``."""

from __future__ import annotations

import dataclasses
import json
import os
import platform
import shutil
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import yuki_builder
from pipelines.intermediate import read_records, read_voiceprints, write_records, write_voiceprints
from pipelines.stage import Counts, Job
from yuki_builder.errors import InternalError, MediaError, SubtitleError
from yuki_builder.records import (
    AlignedCue,
    Attribution,
    Cue,
    Line,
    MediaInfo,
    Resync,
    Span,
    StageReport,
    SubtitleTrack,
    Turn,
    Voiceprints,
)

if TYPE_CHECKING:
    from pipelines.session import Episode
    from pipelines.store import Mark
    from yuki_builder.characters import EnrolClip, Gallery
    from yuki_builder.corpus import Scene
    from yuki_builder.subtitles import CueSheet

MEDIA = ".work/media.json"
CUES_READ = ".work/cues.jsonl"
TRACK = "subtitles-track/"
CUES = "subtitles/cues.jsonl"
RESYNC = ".work/resync.jsonl"
MIX = "audio/mix.flac"
VOCALS = "audio/vocals.flac"
SPEECH = ".work/speech.jsonl"
PIECES = ".work/pieces.jsonl"
TURNS = "speakers/turns.rttm"
ALIGNED = ".work/aligned.jsonl"
VOICEPRINTS = ".work/voiceprints.npz"
ENROLLED = ".work/enrolled.npz"
ATTRIBUTIONS = ".work/attributions.jsonl"
GALLERY = "speakers/gallery"
LINES = "lines.jsonl"
LINES_CSV = "lines.csv"
CLIPS = "clips/"
SHOTS = ".work/shots.jsonl"
QUALITY = "quality.jsonl"
PRINTS = ".work/prints.npz"
SCENES = "scenes.jsonl"
PICTURES = ".work/pictures.json"
EVALUATION_PICTURE = "evaluation.png"
REPORT = "report.html"
SUMMARY = "episode.json"

_WHOLE_FILE = Span(0, 1 << 40)
_TRACKS_TOLD = 3
_DOUBTS_TOLD = 5
_TOO_SHORT = "too little speech for a voiceprint"


def probe(episode: Episode, job: Job) -> Counts:
    """What is in the media file."""
    from video_preprocessing.media import choose_audio_track
    from video_preprocessing.media import probe as probe_file

    info = probe_file(episode.video)
    choose_audio_track(info, episode.config.audio_track)  # refuses here what could only fail later
    # Without the path: the record stays true when the video is moved.
    write_records([dataclasses.replace(info, path=episode.video.name)], job.output(MEDIA))
    return Counts()


def _media(episode: Episode, job: Job) -> MediaInfo:
    (info,) = read_records(job.input(MEDIA), MediaInfo)
    return dataclasses.replace(info, path=str(episode.video))


def read_subtitles(episode: Episode, job: Job) -> Counts:
    """The cues of the subtitle file, else of the best text track, those left out included."""
    from video_preprocessing.media import choose_subtitle_track
    from yuki_builder.subtitles import read_cues

    info, config = _media(episode, job), episode.config
    if episode.subtitle_file is not None:
        language = _language(episode)
        sheet = read_cues(episode.subtitle_file, frame_rate_hz=info.frame_rate_hz, language=language)
        return _keep_cues(episode, sheet, episode.subtitle_file.name, job)
    track = None
    if config.subtitles == "auto":
        track = choose_subtitle_track(info, config.subtitle_track, language=config.language)
    if track is None:
        write_records([], job.output(CUES_READ))
        return Counts(notes=(_why_no_subtitles(episode, info),))
    return _read_fullest_track(episode, info, track, job)


def _read_fullest_track(episode: Episode, info: MediaInfo, track: SubtitleTrack, job: Job) -> Counts:
    """The chosen track's cues; those of its twin, if the chosen one turns out to hold a fraction of its lines."""
    from video_preprocessing.media import describe, rival_tracks, why_not

    chosen, sheet = track, _read_track(episode, info, track, job)
    for rival in rival_tracks(info, track, episode.config.subtitle_track):
        with suppress(SubtitleError, MediaError):
            other = _read_track(episode, info, rival, job)
            if len(other.spoken) > 2 * len(sheet.spoken):
                chosen, sheet = rival, other
    reasons = {t.position: why_not(t, chosen) for t in info.subtitles if t is not chosen}
    if chosen is not track:
        reasons[track.position] = "holds far fewer lines"
    others = [f"{describe(t)} ({reasons[t.position]})" for t in info.subtitles if t.position in reasons]
    more = f" and {len(others) - _TRACKS_TOLD} more" if len(others) > _TRACKS_TOLD else ""
    instead = f"; not {', '.join(others[:_TRACKS_TOLD])}{more}" if others else ""
    return _keep_cues(episode, sheet, f"track {describe(chosen)}", job, more=instead)


def _read_track(episode: Episode, info: MediaInfo, track: SubtitleTrack, job: Job) -> CueSheet:
    from video_preprocessing.media import extract_subtitles
    from yuki_builder.subtitles import read_cues

    try:
        file = extract_subtitles(info, track, job.output(f"{TRACK}{track.position}"))
        return read_cues(file, language=_language(episode))
    except SubtitleError as e:
        remedy = "choose another with --subtitle-track, or a file with --subtitles FILE"
        where = f"{episode.video}, subtitle track {track.position}"
        raise SubtitleError(e.what, where=where, remedy=remedy) from e


def _language(episode: Episode) -> str | None:
    """The code (``zh``) of the language to read, without script or region."""
    from video_preprocessing.media import normal_language

    language = normal_language(episode.config.language)
    return None if language is None else language.split("-")[0]


def _keep_cues(episode: Episode, sheet: CueSheet, source: str, job: Job, *, more: str = "") -> Counts:
    from yuki_builder.subtitles import convert_chinese

    cues: Sequence[Cue] = sheet.cues
    if episode.config.chinese != "keep":
        cues = convert_chinese(cues, episode.config.chinese)
    write_records(cues, job.output(CUES_READ))
    notes = [f"subtitles: {source} ({sheet.format}, {sheet.encoding}){more}"]
    if sheet.replaced:
        notes.append(f"{sheet.replaced} damaged characters in {source} became U+FFFD")
    return Counts(len(sheet.spoken), sheet.left_out_by_reason, tuple(notes))


def _why_no_subtitles(episode: Episode, info: MediaInfo) -> str:
    if episode.config.subtitles == "none":
        return "there are turns but no lines, since subtitles are switched off"
    pictures = ", ".join(f"{t.position} ({t.codec}, {t.language or '?'})" for t in info.subtitles if not t.is_text)
    inside = f"it holds subtitles as pictures only (track {pictures})" if pictures else "it holds no subtitle track"
    return (
        f"there are turns but no lines, for want of subtitles: no subtitle file beside {episode.video.name} has "
        f"its name, and {inside}; give a file with --subtitles FILE"
    )


def extract(episode: Episode, job: Job) -> Counts:
    """The audio track, on the video's clock."""
    from video_preprocessing.media import choose_audio_track, extract_audio

    info = _media(episode, job)
    track = choose_audio_track(info, episode.config.audio_track)
    extract_audio(info, track, job.output(MIX), progress=job.progress)
    return Counts(1, {"other audio track": len(info.audio) - 1})


def isolate(episode: Episode, job: Job) -> Counts:
    """The voices without music and effects."""
    separator = episode.separator()
    if separator is None:
        _link_or_copy(job.input(MIX), job.output(VOCALS))
    else:
        done = separator.separate_file(
            job.input(MIX), job.output(VOCALS), unfinished=job.unfinished, progress=job.progress
        )
        resumed = f"went on behind {done.resumed_ms / 60_000:.1f} minutes that were done already"
        return Counts(notes=separator.notes + ((resumed,) if done.resumed_ms else ()))
    return Counts()


def _link_or_copy(source: Path, destination: Path) -> None:
    with suppress(OSError):
        os.link(source, destination)
        return
    shutil.copyfile(source, destination)


def find_speech(episode: Episode, job: Job) -> Counts:
    """Where somebody speaks."""
    from video_preprocessing.speech import detect_speech

    spans = detect_speech(job.input(VOCALS), progress=job.progress)
    write_records(spans, job.output(SPEECH))
    return Counts(len(spans))


def cut_speech(episode: Episode, job: Job) -> Counts:
    """Voice activity cut where subtitles begin and end: there a voice may change, though they do not say whose it is.

    A stage of its own, so that other words at the same times do not ask for the turns again.
    """
    from yuki_builder.alignment import align as align_cues
    from yuki_builder.alignment import split_at_lines

    speech = read_records(job.input(SPEECH), Span)
    cues = read_records(job.input(CUES_READ), Cue)
    lines = align_cues(cues, speech, resync=_resync(episode, cues, speech))
    pieces = split_at_lines(speech, lines)
    write_records(pieces, job.output(PIECES))
    return Counts(len(pieces))


def find_turns(episode: Episode, job: Job) -> Counts:
    """Which voice speaks when."""
    from video_preprocessing.speech import write_rttm

    pieces = read_records(job.input(PIECES), Span)
    turns = episode.diarizer().diarize(job.input(VOCALS), pieces, progress=job.progress)
    write_rttm(turns, job.output(TURNS), uri=episode.episode_id)
    return Counts(len(turns))


def _turns(job: Job) -> list[Turn]:
    from video_preprocessing.speech import read_rttm

    return list(read_rttm(job.input(TURNS)))


def _resync(episode: Episode, cues: Sequence[Cue], speech: Sequence[Span]) -> Resync:
    from yuki_builder.alignment import resync

    return resync(cues, speech) if episode.config.resync else Resync.none("switched off")


def align(episode: Episode, job: Job) -> Counts:
    """The spoken cues on the video's clock, their edges snapped to the voice; songs that the ear tells are left out."""
    from yuki_builder.alignment import align as align_cues
    from yuki_builder.alignment import unheard
    from yuki_builder.subtitles import LeftOut

    cues = read_records(job.input(CUES_READ), Cue)
    speech = read_records(job.input(SPEECH), Span)
    change = _resync(episode, cues, speech)
    lines = align_cues(cues, speech, turns=_turns(job), resync=change)
    songs = unheard(lines)
    if songs:
        cues = [dataclasses.replace(cue, left_out=LeftOut.UNHEARD) if cue.cue_id in songs else cue for cue in cues]
        lines = align_cues(cues, speech, turns=_turns(job), resync=change)
    write_records(cues, job.output(CUES))
    write_records([change], job.output(RESYNC))
    write_records(lines, job.output(ALIGNED))
    notes = (f"subtitles retimed: {change}",) if change.reason is None else ()
    return Counts(len(lines), {str(LeftOut.UNHEARD): len(songs)} if songs else {}, notes)


def embed_lines(episode: Episode, job: Job) -> Counts:
    """A voiceprint of each line that is long enough."""
    from video_preprocessing.speech import embed_spans
    from yuki_builder.alignment import pure_spans

    lines = read_records(job.input(ALIGNED), AlignedCue)
    speech = read_records(job.input(SPEECH), Span)
    pure = zip(lines, pure_spans(lines), strict=True)
    spans = {line_id(episode.episode_id, line.cue): spans for line, spans in pure}
    embedder = episode.embedder()
    voiceprints = embed_spans(job.input(VOCALS), spans, speech, embedder, progress=job.progress)
    write_voiceprints(voiceprints, job.output(VOICEPRINTS), embedder=embedder.fingerprint)
    made = len(voiceprints.keys)
    return Counts(made, {_TOO_SHORT: len(lines) - made})


def enrol(episode: Episode, job: Job) -> Counts:
    """A voiceprint of each clip in which a known character speaks."""
    by_file: dict[Path, list[EnrolClip]] = {}
    for clip in episode.enrolment.clips:
        by_file.setdefault(clip.audio, []).append(clip)
    parts: list[Voiceprints] = []
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
    voiceprints = _joined(parts)
    write_voiceprints(voiceprints, job.output(ENROLLED), embedder=episode.embedder().fingerprint if parts else "")
    return Counts(len(voiceprints.keys), dropped)


def _embed_clips(episode: Episode, job: Job, audio: Path, clips: Sequence[EnrolClip]) -> Voiceprints:
    """Voiceprints of clips from one file: an episode whose vocals are there, or one that is brought so far here."""
    from video_preprocessing.media import choose_audio_track, extract_audio
    from video_preprocessing.media import probe as probe_file
    from video_preprocessing.speech import detect_speech, embed_spans

    if episode.is_own(audio):
        vocals, speech = job.input(VOCALS), read_records(job.input(SPEECH), Span)
    elif audio in episode.isolated:
        folder = episode.isolated[audio]
        vocals, speech = folder / VOCALS, read_records(folder / SPEECH, Span)
    else:
        vocals = job.scratch / "clip.flac"
        info = probe_file(audio)
        extract_audio(info, choose_audio_track(info, None), vocals)
        separator = episode.separator() if episode.config.isolate_enrolment else None
        if separator is not None:
            mix, vocals = vocals, job.scratch / "vocals.flac"
            separator.separate_file(mix, vocals)
        speech = detect_speech(vocals)
    spans = {clip.key: clip.span or _WHOLE_FILE for clip in clips}
    return embed_spans(vocals, spans, speech, episode.embedder())


def _joined(parts: Sequence[Voiceprints]) -> Voiceprints:
    filled = [part for part in parts if part.keys]
    return Voiceprints(
        tuple(key for part in filled for key in part.keys),
        np.concatenate([part.vectors for part in filled]) if filled else np.zeros((0, 0), np.float32),
        tuple(ms for part in filled for ms in part.speech_ms),
    )


def identify(episode: Episode, job: Job) -> Counts:
    """Who says each line, and how surely."""
    from yuki_builder.characters import attribute, match_labels

    lines = episode.aliases.of_lines(read_records(job.input(ALIGNED), AlignedCue))
    voiceprints, embedder = read_voiceprints(job.input(VOICEPRINTS))
    gallery = _gallery(episode, job, own=voiceprints.keys, embedder=embedder)
    cue_ids = {line_id(episode.episode_id, line.cue): line.cue.cue_id for line in lines}
    attributions = attribute(
        lines,
        dataclasses.replace(voiceprints, keys=tuple(cue_ids[key] for key in voiceprints.keys)),
        gallery=gallery,
        turns=_turns(job),
        manual={line: episode.aliases.name(name) for line, name in match_labels(lines, episode.own_labels).items()},
    )
    write_records(attributions, job.output(ATTRIBUTIONS))
    if gallery.keys:
        gallery.save(job.output(f"{GALLERY}/"))
    named = sum(a.character is not None for a in attributions)
    return Counts(named, {"speaker unknown": len(lines) - named}, _doubts(episode, gallery, attributions))


def _doubts(episode: Episode, gallery: Gallery, attributions: Sequence[Attribution]) -> tuple[str, ...]:
    """Names that sound wrong, for the user to look at."""
    from yuki_builder.characters import contradictions

    tags = [
        f"{episode.episode_id}-{c.line_id} ({c.named}, sounds like {c.sounds_like})"
        for c in contradictions(attributions)
    ]
    clips = list(gallery.suspicious())
    notes = []
    for found, what in (
        (tags, "lines sound unlike the character whom the subtitles name"),
        (clips, "enrolled clips sound unlike the rest of their character's"),
    ):
        if found:
            more = f" and {len(found) - _DOUBTS_TOLD} more" if len(found) > _DOUBTS_TOLD else ""
            notes.append(f"{len(found)} {what}: {', '.join(found[:_DOUBTS_TOLD])}{more}")
    return tuple(notes)


def _gallery(episode: Episode, job: Job, *, own: Collection[str], embedder: str) -> Gallery:
    """The voices that are known beforehand, without this episode's ``own`` lines: they came from an earlier run."""
    from yuki_builder.characters import Gallery

    if episode.enrolment.gallery is None:
        voiceprints, enrolled_with = read_voiceprints(job.input(ENROLLED))
        if voiceprints.keys and enrolled_with != embedder:
            raise InternalError(f"clips embedded by {enrolled_with}, lines by {embedder}", remedy="run with --force")
        character_of = {clip.key: clip.character for clip in episode.enrolment.clips}
    else:
        gallery = Gallery.load(episode.enrolment.gallery, embedder=embedder)
        voiceprints = Voiceprints(gallery.keys, gallery.vectors, gallery.speech_ms)
        character_of = dict(zip(gallery.keys, gallery.characters, strict=True))
    known = {key: episode.aliases.name(character) for key, character in character_of.items() if key not in own}
    return Gallery.build(voiceprints, known, embedder=embedder)


def read_lines(folder: Path) -> list[Line]:
    """The lines of an episode's folder; none where it has not come so far."""
    from yuki_builder.corpus import read_lines_jsonl

    path = folder / LINES
    return read_lines_jsonl(path) if path.exists() else []


def read_scenes(path: Path, lines: Sequence[Line]) -> list[Scene]:
    """The scenes that an episode's lines fall into; found anew where an earlier version wrote none."""
    from yuki_builder.corpus import SceneRow, scenes_of, split_scenes

    if not path.exists():
        return split_scenes([line for line in lines if line.text.strip()])
    return scenes_of(read_records(path, SceneRow), lines)


def line_id(episode_id: str, cue: Cue) -> str:
    """A line's name for good: made from the episode and the cue's identity, never from its position."""
    return f"{episode_id}-{cue.cue_id}"


def report(episode: Episode, job: Job, stages: Sequence[StageReport]) -> Counts:
    """The page for people."""
    from yuki_builder.corpus import SoundPictures, read_lines_jsonl, write_report

    lines = read_lines_jsonl(job.input(LINES))
    (pictures,) = read_records(job.input(PICTURES), SoundPictures)
    write_report(
        job.output(REPORT),
        episode_id=episode.episode_id,
        lines=lines,
        turns=_turns(job),
        speech=read_records(job.input(SPEECH), Span),
        cues=read_records(job.input(CUES), Cue),
        aligned=read_records(job.input(ALIGNED), AlignedCue),
        media=_media(episode, job),
        pictures=pictures,
        scenes=read_scenes(job.input(SCENES), lines),
        mix=f"{episode.episode_id}/{MIX}",
        vocals=f"{episode.episode_id}/{VOCALS}",
        stages=stages,
        evaluation=_evaluation(episode),
        missing=[] if lines else [note for stage in stages for note in stage.notes],
    )
    return Counts()


def _evaluation(episode: Episode) -> bytes | None:
    """The picture that ``evaluate`` left in the episode's folder."""
    path = episode.store.folder / EVALUATION_PICTURE
    return path.read_bytes() if path.is_file() else None


def summary(episode: Episode, marks: Sequence[Mark]) -> dict[str, Any]:
    """What ``episode.json`` holds: facts of the media, options, versions, and what each stage did."""
    (info,) = read_records(episode.store.folder / MEDIA, MediaInfo)
    packages = {name: installed for mark in marks for name, installed in mark.recipe.packages.items()}
    return {
        "episode_id": episode.episode_id,
        "media": dataclasses.replace(info, path=str(episode.video.resolve())).to_dict(),
        "configuration": episode.config.to_dict(),
        "versions": {
            "yuki-builder": yuki_builder.__version__,
            "python": platform.python_version(),
            **dict(sorted(packages.items())),
        },
        "stages": [mark.report.to_dict() for mark in marks],
    }


def write_summary(content: Mapping[str, Any], job: Job) -> Counts:
    """``episode.json``."""
    text = json.dumps(content, ensure_ascii=False, indent=2, allow_nan=False) + "\n"
    job.output(SUMMARY).write_text(text, encoding="utf-8", errors="backslashreplace")
    return Counts()
