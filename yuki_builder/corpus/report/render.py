"""The report as a file."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

from yuki_builder.corpus.report.view import Page, clock, page_of
from yuki_builder.names import path_name
from yuki_builder.records import Line, MediaInfo, Span, StageReport, Turn


def write_report(
    destination: Path,
    *,
    episode_id: str,
    lines: Sequence[Line],
    turns: Sequence[Turn] = (),
    speech: Sequence[Span] = (),
    media: MediaInfo | None = None,
    stages: Sequence[StageReport] = (),
    missing: Sequence[str] = (),
    folder: str | None = None,
) -> None:
    """Write one self-contained HTML file: no network, no other file but the clips, which it links relatively.

    Every text from outside is escaped, and the page forbids itself, by its content security policy, every script
    but its own. Stages are shown without their seconds: the same lines give the same bytes.

    Args:
        destination: the file to write.
        episode_id: the page's title.
        lines: of this episode, with ``clip`` set where there is one. May be empty; then the turns are shown.
        turns: who speaks when by the sound alone.
        speech: where any voice is.
        media: facts of the video.
        stages: what each stage kept and left out.
        missing: what the user should know is not there, one sentence each ("No subtitles were found: …").
        folder: where the report will lie, relative to the output folder that clip paths are relative to;
            None: a folder named after the episode.

    Raises:
        OSError: ``destination`` cannot be written.
    """
    page = page_of(
        episode_id=episode_id,
        lines=lines,
        turns=turns,
        speech=speech,
        media=media,
        stages=stages,
        missing=missing,
        folder=path_name(episode_id) if folder is None else folder,
    )
    destination.write_text(render(page), encoding="utf-8", errors="xmlcharrefreplace", newline="\n")


def render(page: Page) -> str:
    """The page as HTML."""
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["clock"] = clock
    environment.filters["percent"] = lambda share: f"{100 * share:.3f}".rstrip("0").rstrip(".") + "%"
    script = _own("script.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return environment.from_string(_own("page.html")).render(
        page=page,
        # Ours, and the only two texts that are not escaped.
        style=Markup(_own("style.css")),  # noqa: S704
        script=Markup(script),  # noqa: S704
        script_hash=f"sha256-{digest}",
    )


def _own(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")
