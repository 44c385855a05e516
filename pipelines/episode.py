"""One episode, from the video to its lines.

``STAGES`` is the whole way, in order, with all that each stage depends on; what a stage does is in ``steps.py``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines import line_steps, report_steps, steps
from pipelines.config import EpisodeConfig
from pipelines.faults import explained
from pipelines.fingerprints import hash_text
from pipelines.models import checkpoint_files
from pipelines.progress import Event, EventKind, Listener, silent
from pipelines.session import Episode, Session
from pipelines.stage import Runner, Stage, Step, installed_version
from pipelines.store import Mark
from yuki_builder.records import Line, StageReport


def _video(episode: Episode) -> dict[str, Path]:
    return {"the video": episode.video}


def _video_and_subtitles(episode: Episode) -> dict[str, Path]:
    file = episode.subtitle_file
    return _video(episode) if file is None else {**_video(episode), "the subtitle file": file}


def _weights(episode: Episode) -> dict[str, Path]:
    name = episode.config.separator
    if name == "none":
        return {}
    files = checkpoint_files(name, download=episode.models.download)
    names = [f"the weights of link {n}" for n in range(1, len(files) + 1)]
    names = names if len(files) > 1 else ["the separator's weights"]
    plan = Path(episode.config.band_plan or "")
    return dict(zip(names, files, strict=True)) | ({"the band plan": plan} if plan.is_file() else {})


def _separator_settings(episode: Episode) -> dict[str, Any]:
    if episode.config.separator == "none":
        return {"separator": "none"}
    plan = episode.config.band_plan
    named = None if plan is None or Path(plan).is_file() else plan
    return {"separator": "a network", "band plan": named, **episode.separator_options()}


def _pipeline(episode: Episode) -> dict[str, Path]:
    path = Path(episode.config.diarizer)
    return {"the diarizer": path} if path.exists() else {}


def _enrolled_files(episode: Episode) -> dict[str, Path]:
    clips = {
        f"the clip {c.key}": episode.isolated[c.audio] / steps.VOCALS if c.audio in episode.isolated else c.audio
        for c in episode.enrolment.clips
        if not episode.is_own(c.audio)
    }
    return clips | (_weights(episode) if episode.config.isolate_enrolment else {})


def _gallery(episode: Episode) -> dict[str, Path]:
    folder = episode.enrolment.gallery
    return {} if folder is None else {"the gallery": folder}


def _subtitle_settings(episode: Episode) -> dict[str, Any]:
    config = episode.config
    source = "none" if config.subtitles == "none" else "track" if episode.subtitle_file is None else "file"
    return {
        "subtitles": source,
        "subtitle track": config.subtitle_track if source == "track" else None,
        "language": config.language,
        "chinese": config.chinese,
    }


def _diarizer_settings(episode: Episode) -> dict[str, Any]:
    name = "a folder" if _pipeline(episode) else episode.config.diarizer
    backend = None if name == "embedded" else installed_version("pyannote.audio")
    return {
        "diarizer": name,
        "pyannote.audio": backend,
        "episode": episode.episode_id,
    }


def _enrolment_settings(episode: Episode) -> dict[str, Any]:
    spans = [[c.key, c.span.to_dict() if c.span else None] for c in episode.enrolment.clips]
    return {"enrolled clips": _digest(spans), "isolate enrolment": episode.config.isolate_enrolment}


def _identity_settings(episode: Episode) -> dict[str, Any]:
    return {
        "episode": episode.episode_id,
        "enrolled names": _digest([[c.key, c.character] for c in episode.enrolment.clips]),
        "aliases": _digest(sorted(map(list, episode.aliases.name_of.items()))),
        "labels": _digest([[label.span.to_dict(), label.character, label.text] for label in episode.own_labels]),
    }


def _line_settings(episode: Episode) -> dict[str, Any]:
    return {"episode": episode.episode_id, "quality": episode.config.quality}


def _check_quality(episode: Episode) -> None:
    if episode.config.quality == "dnsmos":
        from yuki_builder.corpus import require_dnsmos

        require_dnsmos()


def _evaluation(episode: Episode) -> dict[str, Path]:
    path = episode.store.folder / steps.EVALUATION_PICTURE
    return {"the evaluation": path} if path.is_file() else {}


def _digest(items: list[Any]) -> str:
    """A long list in a few letters, of which a person can tell at least the number."""
    return f"{len(items)} ({hash_text(json.dumps(items))[:12]})" if items else "none"


_WAY: tuple[Stage[Episode], ...] = (
    Stage(
        "probe",
        version=1,
        run=steps.probe,
        files=_video,
        settings=lambda e: {"audio track": e.config.audio_track},
        packages=("av",),
        writes=(steps.MEDIA,),
        quick=True,
    ),
    # Before the hours of work: a bad subtitle file should be heard of in the first second.
    Stage(
        "cues",
        version=2,
        run=steps.read_subtitles,
        reads=(steps.MEDIA,),
        files=_video_and_subtitles,
        settings=_subtitle_settings,
        packages=("pysubs2", "charset-normalizer", "opencc-python-reimplemented"),
        writes=(steps.CUES_READ, steps.TRACK),
        quick=True,
    ),
    Stage(
        "extract",
        version=1,
        run=steps.extract,
        reads=(steps.MEDIA,),
        files=_video,
        settings=lambda e: {"audio track": e.config.audio_track},
        writes=(steps.MIX,),
    ),
    Stage(
        "isolate",
        version=2,
        run=steps.isolate,
        reads=(steps.MIX,),
        files=_weights,
        settings=_separator_settings,
        writes=(steps.VOCALS,),
        check=lambda e: e.separator(),
    ),
    Stage(
        "speech",
        version=2,
        run=steps.find_speech,
        reads=(steps.VOCALS,),
        packages=("silero-vad",),
        writes=(steps.SPEECH,),
    ),
    Stage(
        "pieces",
        version=1,
        run=steps.cut_speech,
        reads=(steps.SPEECH, steps.CUES_READ),
        settings=lambda e: {"resync": e.config.resync},
        writes=(steps.PIECES,),
    ),
    Stage(
        "turns",
        version=3,
        run=steps.find_turns,
        reads=(steps.VOCALS, steps.PIECES),
        files=_pipeline,
        settings=_diarizer_settings,
        packages=("resemblyzer",),
        writes=(steps.TURNS,),
        check=lambda e: e.diarizer(),
    ),
    Stage(
        "align",
        version=2,
        run=steps.align,
        reads=(steps.CUES_READ, steps.SPEECH, steps.TURNS),
        settings=lambda e: {"resync": e.config.resync},
        writes=(steps.ALIGNED, steps.RESYNC, steps.CUES),
    ),
    Stage(
        "voiceprints",
        version=2,
        run=steps.embed_lines,
        reads=(steps.VOCALS, steps.SPEECH, steps.ALIGNED),
        settings=lambda e: {"episode": e.episode_id},
        packages=("resemblyzer",),
        writes=(steps.VOICEPRINTS,),
    ),
    Stage(
        "enrol",
        version=1,
        run=steps.enrol,
        reads=(steps.VOCALS, steps.SPEECH),
        files=_enrolled_files,
        settings=_enrolment_settings,
        packages=("resemblyzer", "silero-vad"),
        writes=(steps.ENROLLED,),
    ),
    Stage(
        "identify",
        version=2,
        run=steps.identify,
        reads=(steps.ALIGNED, steps.VOICEPRINTS, steps.ENROLLED, steps.TURNS),
        files=_gallery,
        settings=_identity_settings,
        writes=(steps.ATTRIBUTIONS, f"{steps.GALLERY}/"),
    ),
    Stage(
        "shots",
        version=2,
        run=line_steps.find_shots,
        reads=(steps.MEDIA,),
        files=_video,
        packages=("av",),
        writes=(steps.SHOTS,),
    ),
    Stage(
        "lines",
        version=3,
        run=line_steps.assemble,
        reads=(
            *(steps.ALIGNED, steps.ATTRIBUTIONS, steps.TURNS, steps.SPEECH),
            *(steps.SHOTS, steps.MIX, steps.VOCALS),
        ),
        settings=_line_settings,
        packages=("speechmos",),
        writes=(steps.LINES, steps.LINES_CSV, steps.CLIPS, steps.QUALITY, steps.PRINTS, steps.SCENES),
        check=_check_quality,
    ),
    Stage(
        "pictures",
        version=1,
        run=report_steps.picture_sound,
        reads=(steps.MIX, steps.VOCALS),
        packages=("matplotlib", "pillow"),
        writes=(steps.PICTURES,),
    ),
)

_ALL_RECORDS = tuple(path for stage in _WAY for path in stage.writes if not path.endswith("/"))


def _marks(episode: Episode) -> list[Mark]:
    return [mark for stage in _WAY if (mark := episode.store.mark(stage.name))]


def _summary(episode: Episode) -> dict[str, Any]:
    return steps.summary(episode, _marks(episode))


STAGES: tuple[Stage[Episode], ...] = (
    *_WAY,
    Stage(
        "report",
        version=3,
        run=lambda e, job: steps.report(e, job, report_steps.stage_reports(e.store, _WAY)),
        reads=_ALL_RECORDS,
        files=_evaluation,
        settings=lambda e: {
            "episode": e.episode_id,
            "stages": _digest([r.to_dict() for r in report_steps.stage_reports(e.store, _WAY)]),
        },
        writes=(steps.REPORT,),
    ),
    Stage(
        "summary",
        version=1,
        run=lambda e, job: steps.write_summary(_summary(e), job),
        reads=_ALL_RECORDS,
        settings=lambda e: {"content": _digest([_summary(e)])},
        writes=(steps.SUMMARY,),
    ),
)


@dataclass(frozen=True, slots=True)
class EpisodeResult:
    """A finished episode.

    Attributes:
        episode_id: the name of its folder.
        folder: where everything is; ``clip`` of a line is relative to this folder's parent.
        lines: all lines, by time.
        reports: what each stage did, those reused included.
    """

    episode_id: str
    folder: Path
    lines: tuple[Line, ...]
    reports: tuple[StageReport, ...]

    @property
    def notes(self) -> tuple[str, ...]:
        """What the stages have to say to the user."""
        return tuple(note for report in self.reports for note in report.notes)


def run_episode(
    config: EpisodeConfig,
    *,
    progress: Listener | None = None,
    until: str | None = None,
    session: Session | None = None,
) -> EpisodeResult:
    """Bring one episode up to date, and say what is known of it. What is done already is reused.

    Args:
        config: the video and the options.
        progress: is told what happens (``pipelines.progress.Event``).
        until: the name of the last stage to run; for measuring.
        session: what is shared with other episodes of the same run.

    Raises:
        YukiError: in one line what is wrong with the input or the output folder; ``exit_status`` says whose fault.
    """
    listener = progress or silent
    with explained(config.out):
        session = session or Session(config.out)
        episode = session.open(
            config, notice=lambda name, message: listener(Event(EventKind.NOTICE, name, message=message))
        )
        with episode.store.locked():
            session.own(episode)
            session.remember()
            reports = _runner(episode, session).run(listener, force=config.force, until=until)
            lines = steps.read_lines(episode.store.folder)
        session.remember()
    return EpisodeResult(episode.episode_id, episode.store.folder, tuple(lines), tuple(reports))


def _runner(episode: Episode, session: Session) -> Runner[Episode]:
    return Runner(STAGES, episode, store=episode.store, fingerprints=session.fingerprints, name=episode.episode_id)


def plan_episode(config: EpisodeConfig, *, session: Session | None = None) -> tuple[str, list[Step[Episode]]]:
    """The episode's id, and which of its stages would run, and why; writes nothing.

    Raises:
        YukiError: as ``run_episode``, as far as it shows without doing the work.
    """
    with explained(config.out):
        session = session or Session(config.out)
        episode = session.open(config)
        return episode.episode_id, _runner(episode, session).plan(force=config.force)
