"""Every character's voice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from pipelines.corpus.corpus import Corpus
from pipelines.corpus.quality import unusable_lines
from pipelines.engine.stage import Counts, Job
from pipelines.episode.records import embeddings_in, read_embeddings
from pipelines.layout import GALLERY
from yuki_builder.records import Line, SpeakerEmbeddings, Verdict

if TYPE_CHECKING:
    from yuki_builder.characters import Gallery


_ENOUGH_SPEECH_MS = 1000


_SURE_OF_A_VOICE = 0.7


def write_gallery(corpus: Corpus, job: Job) -> Counts:
    """Every character's voice, from the enrolled clips and from the lines whose speaker is certain."""
    from yuki_builder.characters import write_joined

    dropped: Counter[str] = Counter()
    embedder = next((read_embeddings(embeddings_in(folder))[1] for folder in corpus.episodes), "")
    folder = job.output("gallery/")
    kept = write_joined(_galleries(corpus, embedder, dropped), folder, job.scratch, embedder=embedder)
    if not kept:
        folder.rmdir()
    return Counts(kept, +dropped)


def _galleries(corpus: Corpus, embedder: str, dropped: Counter[str]) -> Iterator[Gallery]:
    """The enrolled clips of each episode, and its lines; what is left out is counted."""
    from yuki_builder.characters import Gallery

    for folder in corpus.episodes:
        embeddings, own = read_embeddings(embeddings_in(folder))
        if own != embedder:
            dropped["speaker embedding of another embedder"] += len(embeddings.keys)
            continue
        if (folder / GALLERY).is_dir():
            yield Gallery.load(folder / GALLERY, embedder=embedder)
        refused = unusable_lines([folder])
        dropped["unusable"] += len(refused)
        lines = [line for line in corpus.lines_of(folder) if line.line_id not in refused]
        yield Gallery.build(embeddings, _certain_speakers(lines, embeddings, dropped), embedder=embedder)


def _certain_speakers(lines: Sequence[Line], embeddings: SpeakerEmbeddings, dropped: Counter[str]) -> dict[str, str]:
    """The character by line id, of the lines that are good enough to enrol a voice; the others are counted."""
    speech_ms = dict(zip(embeddings.keys, embeddings.speech_ms, strict=True))
    chosen = {}
    for line in lines:
        # A voice without a name is never certain to be somebody, but often sure to be itself.
        is_sure = line.verdict is Verdict.CERTAIN or (
            line.character is not None and line.character.startswith("VOICE_") and line.confidence >= _SURE_OF_A_VOICE
        )
        if line.character is None or not is_sure:
            dropped["speaker not certain"] += 1
        elif speech_ms.get(line.line_id, 0) < _ENOUGH_SPEECH_MS:
            dropped[f"less than {_ENOUGH_SPEECH_MS / 1000:g} s of speech"] += 1
        elif line.overlap > 0:
            dropped["another voice in it"] += 1
        else:
            chosen[line.line_id] = line.character
    return chosen
