"""The reports as files."""

from __future__ import annotations

import base64
import functools
import hashlib
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from yuki_builder.corpus.report.formatting import clock, percent
from yuki_builder.corpus.report.pictures import SoundPictures
from yuki_builder.corpus.report.view import SOURCE_MARKS, EpisodeOverview, Page, corpus_page, episode_page
from yuki_builder.corpus.scenes import Scene
from yuki_builder.names import path_name
from yuki_builder.records import AlignedCue, Cue, Line, MediaInfo, Span, StageReport, Turn

if TYPE_CHECKING:
    from jinja2 import Template

STYLES = ("base.css", "overview.css", "timeline.css", "lines.css")
SCRIPTS = ("model.js", "player.js", "lines.js", "corrections.js", "timeline.js", "drawing.js", "gestures.js", "keys.js")


def write_report(
    destination: Path,
    *,
    episode_id: str,
    lines: Sequence[Line],
    turns: Sequence[Turn] = (),
    speech: Sequence[Span] = (),
    cues: Sequence[Cue] = (),
    aligned: Sequence[AlignedCue] = (),
    scenes: Sequence[Scene] | None = None,
    media: MediaInfo | None = None,
    pictures: SoundPictures | None = None,
    mix: str | None = None,
    vocals: str | None = None,
    stages: Sequence[StageReport] = (),
    missing: Sequence[str] = (),
    evaluation: bytes | None = None,
    read_from: Mapping[str, str] = MappingProxyType({}),
    folder: str | None = None,
) -> None:
    """Write one self-contained HTML file: no network, no other file but the sound, which it links relatively.

    Every text from outside is escaped, and the page forbids itself, by its content security policy, every script
    but its own. Stages are shown without their seconds: the same lines give the same bytes.

    Args:
        destination: the file to write.
        episode_id: the page's title.
        lines: of this episode, with ``clip`` set where there is one. May be empty; then the turns are shown.
        turns: who speaks when by the sound alone.
        speech: where any voice is.
        cues: of the subtitles, those left out included; those are shown with their reason.
        aligned: the cues with their place in the audio; how far they were moved is shown.
        scenes: how the lines fall into scenes; None: split by their pauses.
        media: facts of the video.
        pictures: of the sound (:func:`~yuki_builder.corpus.report.pictures.picture_sound`).
        mix, vocals: the episode's sound files, relative to the output folder; None: only clips can be played.
        stages: what each stage kept and left out.
        missing: what the user should know is not there, one sentence each ("No subtitles were found: …").
        evaluation: the picture of how the lines compare with a person's labels, a PNG file.
        read_from: the pictures that lines were read from, by the lines' ids: WebP files in base64.
        folder: where the report will lie, relative to the output folder that clip paths are relative to;
            None: a folder named after the episode.

    Raises:
        OSError: ``destination`` cannot be written.
    """
    page = episode_page(
        episode_id=episode_id,
        lines=lines,
        turns=turns,
        speech=speech,
        cues=cues,
        aligned=aligned,
        scenes=scenes,
        media=media,
        pictures=pictures,
        mix=mix,
        vocals=vocals,
        stages=stages,
        missing=missing,
        folder=path_name(episode_id) if folder is None else folder,
        evaluation=evaluation,
        read_from=read_from,
    )
    write_page(page, destination)


def write_corpus_report(
    destination: Path,
    *,
    episodes: Sequence[EpisodeOverview],
    stages: Sequence[StageReport] = (),
    folder: str = "corpus",
) -> None:
    """Write one self-contained HTML file about all episodes, likewise; it links their own reports relatively.

    Args:
        destination: the file to write.
        episodes: in the order to show them.
        stages: what the making of the corpus kept and left out; the episodes' own stages are added up beside it.
        folder: where the report will lie, relative to the output folder.

    Raises:
        OSError: ``destination`` cannot be written.
    """
    write_page(corpus_page(episodes=episodes, stages=stages, folder=folder), destination)


def write_page(page: Page, destination: Path) -> None:
    """Write the page as HTML."""
    destination.write_text(render(page), encoding="utf-8", errors="xmlcharrefreplace", newline="\n")


def render(page: Page) -> str:
    """The page as HTML."""
    from markupsafe import Markup

    script = "".join(map(own_file, SCRIPTS))
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return page_template("page.html").render(
        page=page,
        source_marks=SOURCE_MARKS,
        # Ours, and JSON without "<": the only texts that are not escaped.
        style=Markup("".join(map(own_file, STYLES))),  # noqa: S704
        script=Markup(script),  # noqa: S704
        data=Markup(page.data),  # noqa: S704
        script_hash=f"sha256-{digest}",
    )


@functools.cache
def page_template(name: str) -> Template:
    """The template of a page, in which every text is escaped and nothing may be missing."""
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=FunctionLoader(own_file),
    )
    environment.filters["clock"] = clock
    environment.filters["percent"] = percent
    return environment.get_template(name)


@functools.cache
def own_file(name: str) -> str:
    """The text of a file that pages are made of."""
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")
