"""One root for every error this project raises on purpose.

An error says *what* went wrong, *where*, and *what to do*; ``str(error)`` is the one line a user sees.
``exit_status`` is what the command line exits with: 2 where the user's input is wrong, 1 for a failure of
the program. Raise with ``from cause`` so that the cause stays visible to developers.
"""

from __future__ import annotations

import os


class YukiError(Exception):
    """Root of the project's errors.

    Args:
        what: what went wrong, in a few words, without a full stop.
        where: the file, track, line or option concerned.
        remedy: what the user can do about it.
    """

    exit_status = 1

    def __init__(self, what: str, *, where: str | os.PathLike[str] | None = None, remedy: str | None = None) -> None:
        self.what = what
        self.where = None if where is None else os.fspath(where)
        self.remedy = remedy
        super().__init__(what)

    def __str__(self) -> str:
        # One line whatever a file name or a subtitle smuggled in: terminals act on control characters.
        text = self.what if self.where is None else f"{self.where}: {self.what}"
        if self.remedy:
            text = f"{text}. {self.remedy[:1].upper()}{self.remedy[1:]}"
        return "".join(c if c.isprintable() else " " for c in text)


class InputError(YukiError):
    """The user's input is wrong: a file, an option, a combination of both."""

    exit_status = 2


class MediaError(InputError):
    """A media file that cannot be opened, holds no audio, breaks off, or lacks the wanted track."""


class SubtitleError(InputError):
    """A subtitle file or track that cannot be read as text."""


class CheckpointError(InputError):
    """A file that is no checkpoint of a known network, or a checkpoint that must not be trusted."""


class GalleryError(InputError):
    """A ``--characters`` source that cannot be read."""


class ConfigError(InputError):
    """An option or a configuration file that makes no sense."""


class OutputError(InputError):
    """The output folder cannot be written: read-only, full, or in use by another run."""


class MissingExtraError(InputError):
    """An optional dependency is needed for what was asked.

    Args:
        what: what was asked for.
        extra: the extra of this project that brings it (``pip install 'yuki-builder[extra]'``).
    """

    def __init__(self, what: str, *, extra: str) -> None:
        super().__init__(what, remedy=f"install it with: pip install 'yuki-builder[{extra}]'")
        self.extra = extra


class InternalError(YukiError):
    """Something that should not happen did; a bug of this project or of a library below it."""
