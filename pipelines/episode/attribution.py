"""Who says each line."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.engine.stage import Counts, Job
from pipelines.episode.context import Episode
from pipelines.episode.edits import not_yet_heard, spoken
from pipelines.episode.records import (
    dub_of,
    embeddings_of,
    read_embeddings,
    read_lines,
    read_records,
    read_turns,
    write_records,
)
from pipelines.layout import ALIGNED, ATTRIBUTIONS, DUB, EMBEDDINGS, ENROLLED, GALLERY, TURNS, line_id
from yuki_builder.errors import InternalError
from yuki_builder.records import AlignedCue, Attribution, Line, SpeakerEmbeddings

if TYPE_CHECKING:
    from yuki_builder.characters import Gallery


_DOUBTS_SHOWN = 5


def identify(episode: Episode, job: Job) -> Counts:
    """Who says each line, and how surely."""
    lines, gallery, attributions = _attributed(episode, job.input, applied=None)
    write_records(attributions, job.output(ATTRIBUTIONS))
    if gallery.keys:
        gallery.save(job.output(f"{GALLERY}/"))
    named = sum(a.character is not None for a in attributions)
    return Counts(named, {"speaker unknown": lines - named}, _doubts(episode, gallery, attributions))


def check_galleries(episode: Episode) -> None:
    """Refuses a gallery that is damaged, or of another embedder, before hours of work.

    Raises:
        GalleryError: there is one.
    """
    from yuki_builder.characters import Gallery

    is_file = Path(episode.config.embedder).suffix != ""  # its fingerprint is known once it is loaded
    for folder in episode.galleries:
        Gallery.load(folder, embedder=None if is_file else episode.embedder_fingerprint())


def attribution_of(episode: Episode) -> list[Attribution] | None:
    """The same of a finished episode, by what people say now; writes nothing.

    None where it is not finished.
    """
    folder = episode.store.folder
    if any(not (folder / path).is_file() for path in (ALIGNED, EMBEDDINGS, TURNS, DUB)):
        return None
    return _attributed(episode, folder.joinpath, applied=read_lines(folder))[2]


def _attributed(
    episode: Episode, input_: Callable[[str], Path], *, applied: Sequence[Line] | None
) -> tuple[int, Gallery, list[Attribution]]:
    """How many lines there are, the voices known beforehand, and who says each line.

    Args:
        episode: the episode.
        input_: where an output of the episode is.
        applied: the lines as they were finished, where they were moved since: what was heard there says nothing of
            lines that are elsewhere now. None: the embeddings are of the lines as they are.
    """
    from yuki_builder.characters import attribute, match_labels, revealed, stand_ins

    aligned = read_records(input_(ALIGNED), AlignedCue)
    lines = episode.aliases.of_lines(spoken(episode, aligned))
    embeddings, embedder = read_embeddings(embeddings_of(input_))
    gallery = _gallery(episode, input_(ENROLLED), own=embeddings.keys, embedder=embedder)
    cue_ids = {line_id(episode.episode_id, line.cue): line.cue.cue_id for line in lines}
    not_embedded = frozenset() if applied is None else not_yet_heard(episode, aligned, applied)
    heard = {key: cue_id for key, cue_id in cue_ids.items() if key not in not_embedded}
    turns = read_turns(input_(TURNS))
    dub, dub_embedder = read_embeddings(dub_of(input_))
    labels = match_labels(lines, episode.own_labels, episode_id=episode.episode_id)
    manual = {cue_id: episode.aliases.name(name) for cue_id, name in labels.items()}
    attributions = revealed(
        attribute(
            lines,
            _of_lines(embeddings, heard),
            gallery=gallery,
            turns=turns,
            dub=_of_lines(dub, heard) if dub_embedder else None,
            manual={**manual, **stand_ins(lines, turns, _of_nobody(episode, cue_ids))},
        )
    )
    return len(lines), gallery, attributions


def _of_lines(embeddings: SpeakerEmbeddings, cue_ids: Mapping[str, str]) -> SpeakerEmbeddings:
    """Those of these lines, by cue id."""
    rows = [row for row, key in enumerate(embeddings.keys) if key in cue_ids]
    return SpeakerEmbeddings(
        tuple(cue_ids[embeddings.keys[row]] for row in rows),
        embeddings.vectors[rows],
        tuple(embeddings.speech_ms[row] for row in rows),
        {name: vectors[rows] for name, vectors in embeddings.signals.items()},
    )


def _of_nobody(episode: Episode, cue_ids: Mapping[str, str]) -> frozenset[str]:
    from yuki_builder.corpus import NOBODY

    edits = episode.edits
    return frozenset(cue_ids[key] for key in cue_ids.keys() & edits.keys() if NOBODY in edits[key].marks)


def _doubts(episode: Episode, gallery: Gallery, attributions: Sequence[Attribution]) -> tuple[str, ...]:
    """Names that sound wrong, for the user to look at."""
    from yuki_builder.characters import contradictions

    tags = [
        f"{episode.episode_id}-{c.cue_id} ({c.named}, sounds like {c.sounds_like})"
        for c in contradictions(attributions)
    ]
    clips = list(gallery.suspicious())
    notes = []
    for found, what in (
        (tags, "lines sound unlike the character whom the subtitles name"),
        (clips, "enrolled clips sound unlike the rest of their character's"),
    ):
        if found:
            more = f" and {len(found) - _DOUBTS_SHOWN} more" if len(found) > _DOUBTS_SHOWN else ""
            notes.append(f"{len(found)} {what}: {', '.join(found[:_DOUBTS_SHOWN])}{more}")
    return tuple(notes)


def _gallery(episode: Episode, enrolled: Path, *, own: Collection[str], embedder: str) -> Gallery:
    """The voices that are known beforehand, without this episode's ``own`` lines: they came from an earlier run."""
    from yuki_builder.characters import Gallery

    def add(gallery: Gallery, embeddings: SpeakerEmbeddings, character_of: Mapping[str, str]) -> Gallery:
        known = {key: episode.aliases.name(name) for key, name in character_of.items() if key not in own}
        return gallery.extend(embeddings, known)

    gallery = Gallery.empty(embedder=embedder)
    for folder in episode.galleries:
        given = Gallery.load(folder, embedder=embedder)
        embeddings = SpeakerEmbeddings(given.keys, given.vectors, given.speech_ms)
        gallery = add(gallery, embeddings, dict(zip(given.keys, given.characters, strict=True)))
    if enrolled.exists():
        embeddings, enrolled_with = read_embeddings(enrolled)
        if embeddings.keys and enrolled_with != embedder:
            raise InternalError(f"clips embedded by {enrolled_with}, lines by {embedder}", remedy="run with --force")
        gallery = add(gallery, embeddings, {clip.key: clip.character for clip in episode.enrolment.clips})
    return gallery
