"""Who says each line."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from pipelines.engine.stage import Counts, Job
from pipelines.episode.context import Episode
from pipelines.episode.records import read_records, read_turns, read_voiceprints, write_records
from pipelines.layout import ALIGNED, ATTRIBUTIONS, DUB, ENROLLED, GALLERY, TURNS, VOICEPRINTS, line_id
from yuki_builder.errors import InternalError
from yuki_builder.records import AlignedCue, Attribution, Voiceprints

if TYPE_CHECKING:
    from yuki_builder.characters import Gallery


_DOUBTS_TOLD = 5


def identify(episode: Episode, job: Job) -> Counts:
    """Who says each line, and how surely."""
    from yuki_builder.characters import attribute, match_labels

    lines = episode.aliases.of_lines(read_records(job.input(ALIGNED), AlignedCue))
    voiceprints, embedder = read_voiceprints(job.input(VOICEPRINTS))
    gallery = _gallery(episode, job, own=voiceprints.keys, embedder=embedder)
    dub, dub_embedder = read_voiceprints(job.input(DUB))
    cue_ids = {line_id(episode.episode_id, line.cue): line.cue.cue_id for line in lines}
    attributions = attribute(
        lines,
        dataclasses.replace(voiceprints, keys=tuple(cue_ids[key] for key in voiceprints.keys)),
        gallery=gallery,
        turns=read_turns(job.input(TURNS)),
        dub=dataclasses.replace(dub, keys=tuple(cue_ids[key] for key in dub.keys)) if dub_embedder else None,
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

    def add(gallery: Gallery, voiceprints: Voiceprints, character_of: Mapping[str, str]) -> Gallery:
        known = {key: episode.aliases.name(name) for key, name in character_of.items() if key not in own}
        return gallery.extend(voiceprints, known)

    gallery = Gallery.empty(embedder=embedder)
    for folder in episode.galleries:
        given = Gallery.load(folder, embedder=embedder)
        voiceprints = Voiceprints(given.keys, given.vectors, given.speech_ms)
        gallery = add(gallery, voiceprints, dict(zip(given.keys, given.characters, strict=True)))
    if job.input(ENROLLED).exists():
        voiceprints, enrolled_with = read_voiceprints(job.input(ENROLLED))
        if voiceprints.keys and enrolled_with != embedder:
            raise InternalError(f"clips embedded by {enrolled_with}, lines by {embedder}", remedy="run with --force")
        gallery = add(gallery, voiceprints, {clip.key: clip.character for clip in episode.enrolment.clips})
    return gallery
