"""One episode, from the video to its lines.

``STAGES`` is the whole way, in order, with all that each stage depends on; what a stage does is in the module named.
"""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.engine.fingerprints import hash_text
from pipelines.engine.marks import Mark
from pipelines.engine.stage import Stage, installed_version
from pipelines.episode import (
    alignment,
    attribution,
    clips,
    edits,
    lines,
    media,
    ocr,
    report,
    scenes,
    sound,
    subtitles,
    transcription,
    voices,
)
from pipelines.episode.context import Episode
from pipelines.layout import (
    ALIGNED,
    ATTRIBUTIONS,
    AUDIO_FINGERPRINTS,
    CLIPS,
    CORRECTED_DUB,
    CORRECTED_EMBEDDINGS,
    CUES,
    CUES_READ,
    DUB,
    EMBEDDINGS,
    ENROLLED,
    EVALUATION_PICTURE,
    EXCLUSIVE_TURNS,
    GALLERY,
    HEARD,
    HEARD_CUES,
    LINES,
    LINES_CSV,
    MEASURES,
    MEDIA,
    MIX,
    NAMED,
    PICTURE_TEXTS,
    PICTURES,
    PIECES,
    PLACED,
    QUALITY,
    REPORT,
    RESYNC,
    SCENES,
    SHOTS,
    SPEECH,
    SPOKEN,
    SUMMARY,
    TEXT_MATCH,
    TRACK,
    TURNS,
    UNREAD,
    UNWRITTEN,
    VOCALS,
)
from pipelines.models import checkpoint_files
from yuki_builder.errors import YukiError

if TYPE_CHECKING:
    from yuki_builder.characters import ManualLabel


def _video(episode: Episode) -> dict[str, Path]:
    return {"the video": episode.video}


def _video_and_subtitles(episode: Episode) -> dict[str, Path]:
    files = {"the subtitle file": episode.subtitle_file, "the subtitles that name speakers": episode.names_file}
    return _video(episode) | {what: file for what, file in files.items() if file is not None}


def _vocals(episode: Episode) -> dict[str, Path]:
    vocals = episode.config.vocals
    return _weights(episode) if vocals is None else {"the vocals": vocals}


def _vocals_settings(episode: Episode) -> dict[str, Any]:
    return _separator_settings(episode) if episode.config.vocals is None else {"separator": "a file of vocals"}


def _weights(episode: Episode) -> dict[str, Path]:
    name = episode.config.separator
    if name == "none":
        return {}
    files = checkpoint_files(name, download=episode.models.download)
    names = [f"the weights of model {n}" for n in range(1, len(files) + 1)]
    names = names if len(files) > 1 else ["the separator's weights"]
    plan = Path(episode.config.band_plan or "")
    return dict(zip(names, files, strict=True)) | ({"the band plan": plan} if plan.is_file() else {})


def _separator_settings(episode: Episode) -> dict[str, Any]:
    if episode.config.separator == "none":
        return {"separator": "none"}
    plan = episode.config.band_plan
    named = None if plan is None or Path(plan).is_file() else plan
    return {"separator": "a network", "band plan": named, **episode.separator_options()}


def _transcriber_files(episode: Episode) -> dict[str, Path]:
    if episode.config.words is not None:
        return {"the words": episode.config.words}
    path = Path(episode.config.transcriber)
    return {"the transcriber": path} if path.is_dir() else {}


def _transcriber_settings(episode: Episode) -> dict[str, Any]:
    if episode.config.words is not None:
        return {"transcriber": "a file of words"}
    is_folder = Path(episode.config.transcriber).is_dir()
    return {
        "transcriber": "a folder" if is_folder else episode.transcriber_name,
        "heard": "all" if transcription.hears_all(episode) else "pictures without text",
        "language": episode.spoken_language,
    }


def _transcriber_models(episode: Episode) -> dict[str, str]:
    return {} if episode.config.words is not None else {"transcriber": episode.transcriber_fingerprint()}


def _check_transcriber(episode: Episode) -> None:
    if episode.config.words is not None:
        from yuki_builder.transcripts import read_words

        read_words(episode.config.words)
        return
    # Where nobody asked for words, the run is worth something without.
    is_asked_for = episode.config.transcriber != "auto" or episode.config.align_words
    with contextlib.nullcontext() if is_asked_for else contextlib.suppress(YukiError):
        episode.transcriber()


def _turns_files(episode: Episode) -> dict[str, Path]:
    turns = episode.config.turns
    return _pipeline(episode) if turns is None else {"the turns": turns}


def _turns_models(episode: Episode) -> dict[str, str]:
    return {"diarizer": episode.diarizer_fingerprint()} if episode.config.turns is None else {}


def _pipeline(episode: Episode) -> dict[str, Path]:
    path = Path(episode.config.diarizer)
    return {"the diarizer": path} if path.exists() else {}


def _enrolled_files(episode: Episode) -> dict[str, Path]:
    clips = {
        f"the clip {c.key}": voices.source_of(episode, c)
        for c in episode.enrolment.clips
        if not episode.is_own(c.audio)
    }
    return clips | (_weights(episode) if episode.config.separate_enrolment else {})


def _gallery(episode: Episode) -> dict[str, Path]:
    names = [f"gallery {number}" for number in range(1, len(episode.galleries) + 1)]
    return dict(zip(names if len(names) > 1 else ["the gallery"], episode.galleries, strict=False))


def _audio_settings(episode: Episode) -> dict[str, Any]:
    track = episode.config.audio_track
    return {"audio track": track, "language": None if track else episode.config.language}


def _dub_settings(episode: Episode) -> dict[str, Any]:
    second = episode.config.second_audio_track
    return {"episode": episode.episode_id, "second audio track": second, **_audio_settings(episode)}


def _moved_lines(episode: Episode) -> dict[str, Any]:
    return {"lines left out, added, moved": _digest(edits.for_times(episode))}


def _subtitle_settings(episode: Episode) -> dict[str, Any]:
    config = episode.config
    source = "none" if config.subtitles == "none" else "track" if episode.subtitle_file is None else "file"
    if ocr.pictures_to_read(episode) is not None:
        source = "pictures"
    return {
        "subtitles": source,
        "subtitle track": config.subtitle_track if source == "track" else None,
        "language": config.language,
        "encoding": config.encoding,
        "chinese": config.chinese,
    }


def _pictures(episode: Episode) -> dict[str, Path]:
    pictures = ocr.pictures_to_read(episode)
    if pictures is None or pictures.file is None:
        return _video(episode)
    half = ocr.other_half(pictures.file)
    return {"the subtitle file": pictures.file} | ({} if half is None else {"its other half": half})


def _picture_settings(episode: Episode) -> dict[str, Any]:
    pictures = ocr.pictures_to_read(episode)
    track = pictures.track.position if pictures and pictures.track else None
    source = "burned-in" if pictures and pictures.is_burned_in else "bitmaps"
    return {"pictures": source, "track": track, "language": episode.config.language}


def _ocr_model(_: Episode) -> dict[str, str]:
    from video_preprocessing.ocr import ocr_fingerprint

    return {"ocr": ocr_fingerprint()}


def _embedder(episode: Episode) -> dict[str, str]:
    return {"embedder": episode.embedder_fingerprint()}


def _enrolment_settings(episode: Episode) -> dict[str, Any]:
    spans = [[c.key, c.span.to_dict() if c.span else None, c.line_id] for c in episode.clips_to_enrol]
    separator = _separator_settings(episode) if episode.config.separate_enrolment else {}
    return {"enrolled clips": _digest(spans), "separate enrolment": episode.config.separate_enrolment, **separator}


def _identity_settings(episode: Episode) -> dict[str, Any]:
    return {
        "episode": episode.episode_id,
        "enrolled names": _digest([[c.key, c.character] for c in episode.enrolment.clips]),
        "aliases": _digest(sorted(map(list, episode.aliases.name_of.items()))),
        "labels": _digest([_label(label) for label in episode.own_labels]),
        "lines left out, added, moved": _digest(edits.for_names(episode)),
    }


def _label(label: ManualLabel) -> list[Any]:
    named = [label.line_id] if label.line_id else []
    return [label.span.to_dict(), label.character, label.text, *named]


def _line_settings(episode: Episode) -> dict[str, Any]:
    return {"episode": episode.episode_id, "corrections": _digest(edits.rows(episode))}


def _quality_settings(episode: Episode) -> dict[str, Any]:
    corrections = {"corrections": _digest(edits.rows(episode))}
    if episode.config.quality != "dnsmos":
        return {"quality": "basic", **corrections}
    return {"quality": "dnsmos", "speechmos": installed_version("speechmos"), **corrections}


def _check_quality(episode: Episode) -> None:
    if episode.config.quality == "dnsmos":
        from yuki_builder.corpus import require_dnsmos

        require_dnsmos()


def _evaluation(episode: Episode) -> dict[str, Path]:
    path = episode.store.folder / EVALUATION_PICTURE
    return {"the evaluation": path} if path.is_file() else {}


def _digest(items: list[Any]) -> str:
    """A long list in a few letters, of which a person can tell at least the number."""
    return f"{len(items)} ({hash_text(json.dumps(items))[:12]})" if items else "none"


# The rooms whose code a result depends on; everything they import counts too.
_MEDIA = "video_preprocessing.media"
_OCR = "video_preprocessing.ocr"
_SEPARATOR = "video_preprocessing.uvr5.separator"
_ACTIVITY = "video_preprocessing.speech.activity"
_DIARIZATION = "video_preprocessing.speech.diarization"
_EMBEDDING = "video_preprocessing.speech.span_embeddings"
_EMBEDDERS = "video_preprocessing.speech.embedders"
_TRANSCRIPTION, _TRANSCRIPTS = "video_preprocessing.transcription", "yuki_builder.transcripts"
_SUBTITLES, _ALIGNMENT, _CHARACTERS = "yuki_builder.subtitles", "yuki_builder.alignment", "yuki_builder.characters"
_LINES, _QUALITY = "yuki_builder.corpus.audio.lines", "yuki_builder.corpus.audio.quality"
_SCENES, _REPORT = "yuki_builder.corpus.scenes", "yuki_builder.corpus.report"

REPORTED: tuple[Stage[Episode], ...] = (
    Stage(
        "probe",
        version=1,
        run=media.probe,
        files=_video,
        settings=_audio_settings,
        packages=("av",),
        code=(_MEDIA,),
        writes=(MEDIA,),
        quick=True,
    ),
    Stage(
        "ocr",
        version=1,
        run=ocr.read_pictures,
        reads=(MEDIA,),
        files=_pictures,
        settings=_picture_settings,
        models=_ocr_model,
        packages=("av",),
        code=(_MEDIA, _OCR),
        writes=(PICTURE_TEXTS,),
        wanted=lambda e: ocr.pictures_to_read(e) is not None,
        tells=ocr.tell,
        check=ocr.check,
    ),
    # Before the hours of work: a bad subtitle file should be heard of in the first second.
    Stage(
        "cues",
        version=2,
        run=subtitles.read_subtitles,
        reads=(MEDIA, PICTURE_TEXTS),
        files=_video_and_subtitles,
        settings=_subtitle_settings,
        packages=("chardet", "defusedxml", "ttconv", "opencc-python-reimplemented"),
        code=(_MEDIA, _SUBTITLES),
        writes=(CUES_READ, TRACK),
        quick=True,
    ),
    Stage(
        "extract",
        version=1,
        run=media.extract,
        reads=(MEDIA,),
        files=_video,
        settings=_audio_settings,
        code=(_MEDIA,),
        writes=(MIX,),
    ),
    Stage(
        "separate",
        version=2,
        run=sound.separate,
        reads=(MIX,),
        files=_vocals,
        settings=_vocals_settings,
        code=(_SEPARATOR,),
        writes=(VOCALS,),
        on_device=lambda e: e.config.vocals is None and e.config.separator != "none",
        tells=lambda e: f"vocals from {e.config.vocals.name}" if e.config.vocals else "",
        check=sound.check_vocals,
    ),
    Stage(
        "speech",
        version=3,
        run=sound.find_speech,
        reads=(VOCALS,),
        packages=("silero-vad",),
        code=(_ACTIVITY,),
        writes=(SPEECH,),
    ),
    Stage(
        "align",
        version=4,
        run=alignment.align,
        reads=(CUES_READ, SPEECH, PICTURE_TEXTS),
        settings=lambda e: {"resync": e.config.resync},
        code=(_ALIGNMENT,),
        writes=(SPOKEN, RESYNC, PLACED, PIECES, NAMED, UNREAD),
    ),
    Stage(
        "turns",
        version=5,
        run=voices.find_turns,
        reads=(VOCALS, MIX, PIECES, NAMED),
        files=_turns_files,
        settings=lambda e: {"episode": e.episode_id, "turns": "a diarizer" if e.config.turns is None else "a file"},
        models=_turns_models,
        code=(_DIARIZATION,),
        writes=(TURNS, EXCLUSIVE_TURNS),
        on_device=lambda e: e.config.turns is None,
        tells=lambda e: f"turns from {e.config.turns.name}" if e.config.turns else "",
        check=voices.check_turns,
    ),
    Stage(
        "transcribe",
        version=1,
        run=transcription.transcribe,
        reads=(VOCALS, MIX, SPEECH, EXCLUSIVE_TURNS, UNREAD),
        files=_transcriber_files,
        settings=_transcriber_settings,
        models=_transcriber_models,
        code=(_TRANSCRIPTION, f"{_TRANSCRIPTS}.words_json"),
        writes=(HEARD,),
        wanted=transcription.is_wanted,
        on_device=lambda e: e.config.words is None,
        tells=transcription.plan,
        check=_check_transcriber,
    ),
    Stage(
        "words",
        version=1,
        run=transcription.cut_words,
        reads=(HEARD, SPEECH, EXCLUSIVE_TURNS),
        settings=lambda e: {"chinese": e.config.chinese, "characters": transcription.asked_characters(e)},
        packages=("opencc-python-reimplemented",),
        code=(_TRANSCRIPTS, f"{_SUBTITLES}.chinese"),
        writes=(HEARD_CUES,),
        wanted=transcription.is_wanted,
    ),
    Stage(
        "part",
        version=2,
        run=alignment.part_speakers,
        reads=(SPOKEN, RESYNC, PLACED, UNREAD, SPEECH, TURNS, HEARD_CUES),
        code=(_ALIGNMENT, _TRANSCRIPTS),
        writes=(CUES, ALIGNED, TEXT_MATCH, UNWRITTEN),
    ),
    Stage(
        "embeddings",
        version=2,
        run=voices.embed_lines,
        reads=(VOCALS, MIX, SPEECH, ALIGNED),
        settings=lambda e: {"episode": e.episode_id},
        models=_embedder,
        code=(_EMBEDDING, _EMBEDDERS, _ALIGNMENT),
        writes=(EMBEDDINGS,),
        on_device=lambda _: True,
    ),
    Stage(
        "corrected",
        version=1,
        run=voices.embed_corrected,
        reads=(VOCALS, MIX, SPEECH, ALIGNED, EMBEDDINGS),
        settings=lambda e: {"episode": e.episode_id, **_moved_lines(e)},
        models=_embedder,
        code=(_EMBEDDING, _EMBEDDERS, _ALIGNMENT),
        writes=(CORRECTED_EMBEDDINGS,),
        wanted=lambda e: bool(edits.for_times(e)),
        on_device=lambda _: True,
    ),
    Stage(
        "dub",
        version=1,
        run=voices.embed_dub,
        reads=(MEDIA, MIX, SPEECH, ALIGNED),
        files=_video,
        settings=_dub_settings,
        models=_embedder,
        code=(_EMBEDDING, _EMBEDDERS, _ALIGNMENT, _MEDIA),
        writes=(DUB,),
        on_device=lambda _: True,
    ),
    Stage(
        "corrected dub",
        version=1,
        run=voices.embed_corrected_dub,
        reads=(MEDIA, SPEECH, ALIGNED, DUB),
        files=_video,
        settings=lambda e: {**_dub_settings(e), **_moved_lines(e)},
        models=_embedder,
        code=(_EMBEDDING, _EMBEDDERS, _ALIGNMENT, _MEDIA),
        writes=(CORRECTED_DUB,),
        wanted=lambda e: bool(edits.for_times(e)),
        on_device=lambda _: True,
    ),
    Stage(
        "enrol",
        version=1,
        run=voices.enrol,
        reads=(VOCALS, MIX, SPEECH),
        files=_enrolled_files,
        settings=_enrolment_settings,
        models=_embedder,
        packages=("silero-vad",),
        code=(_EMBEDDING, _EMBEDDERS, _ACTIVITY, _MEDIA),
        writes=(ENROLLED,),
        wanted=lambda e: bool(e.clips_to_enrol or e.enrolment.skipped),
        on_device=lambda _: True,
    ),
    Stage(
        "identify",
        version=2,
        run=attribution.identify,
        reads=(ALIGNED, EMBEDDINGS, CORRECTED_EMBEDDINGS, DUB, CORRECTED_DUB, ENROLLED, TURNS),
        files=_gallery,
        settings=_identity_settings,
        code=(_CHARACTERS,),
        writes=(ATTRIBUTIONS, f"{GALLERY}/"),
        check=attribution.check_galleries,
    ),
    Stage(
        "clips",
        version=1,
        run=clips.cut_clips,
        reads=(*lines.ATTRIBUTED, SPEECH, MIX, VOCALS),
        settings=_line_settings,
        code=(_LINES,),
        writes=(CLIPS, MEASURES, AUDIO_FINGERPRINTS),
    ),
    Stage(
        "quality",
        version=1,
        run=clips.judge,
        reads=(*lines.ATTRIBUTED, MEASURES, AUDIO_FINGERPRINTS, VOCALS, TEXT_MATCH),
        settings=_quality_settings,
        code=(_QUALITY, "yuki_builder.corpus.audio.dnsmos"),
        writes=(QUALITY,),
        check=_check_quality,
    ),
    Stage(
        "lines",
        version=4,
        run=lines.write_lines,
        reads=(*lines.ATTRIBUTED, MEASURES, QUALITY),
        settings=_line_settings,
        code=("yuki_builder.corpus.tables.lines_jsonl", "yuki_builder.corpus.tables.lines_csv", _ALIGNMENT),
        writes=(LINES, LINES_CSV),
    ),
    Stage(
        "shots",
        version=2,
        run=media.find_shots,
        reads=(MEDIA,),
        files=_video,
        packages=("av",),
        code=(_MEDIA,),
        writes=(SHOTS,),
    ),
    Stage("scenes", version=1, run=scenes.find_scenes, reads=(LINES, SHOTS), code=(_SCENES,), writes=(SCENES,)),
    Stage(
        "pictures",
        version=1,
        run=report.picture_sound,
        reads=(MIX, VOCALS),
        packages=("matplotlib", "pillow"),
        code=("yuki_builder.corpus.report.pictures",),
        writes=(PICTURES,),
    ),
)

_ALL_RECORDS = tuple(path for stage in REPORTED for path in stage.writes if not path.endswith("/"))


def _marks(episode: Episode) -> list[Mark]:
    return [mark for stage in REPORTED if (mark := episode.store.mark(stage.name))]


def _summary(episode: Episode) -> dict[str, Any]:
    return report.summary(episode, _marks(episode))


STAGES: tuple[Stage[Episode], ...] = (
    *REPORTED,
    Stage(
        "report",
        version=3,
        run=lambda e, job: report.report(e, job, report.stage_reports(e.store, REPORTED)),
        reads=_ALL_RECORDS,
        files=_evaluation,
        settings=lambda e: {
            "episode": e.episode_id,
            "stages": _digest([r.to_dict() for r in report.stage_reports(e.store, REPORTED)]),
        },
        code=(_REPORT,),
        writes=(REPORT,),
    ),
    Stage(
        "summary",
        version=1,
        run=lambda e, job: report.write_summary(_summary(e), job),
        reads=_ALL_RECORDS,
        settings=lambda e: {"content": _digest([_summary(e)])},
        writes=(SUMMARY,),
    ),
)
