"""What is done in an output folder, and by which recipe.

A stage writes into a workspace, a temporary folder laid out like the output folder itself. When it has finished,
``Store.commit`` makes the result durable:

1. every file of the workspace is synced to the disk and hashed;
2. a *pending* mark is written, which says what goes where (from here on the stage counts as finished);
3. each file is renamed to its place, and what an earlier recipe left there and this one did not is removed;
4. the mark replaces the stage's earlier one, and the pending mark goes.

A run killed before 2 leaves a workspace, which the next run removes; one killed after it leaves a pending mark,
from which the next run finishes 3 and 4. So nothing is ever half done, at whatever instant the power fails.

A stage is done if its mark has today's recipe and its files are as the mark says. What the user put or changed in
the output folder is never overwritten: a file that stands where an output goes and that no stage wrote is moved
to ``<name>.bak-<n>``; files that are in nobody's way stay where they are.

The folder's own book-keeping lives in ``.work``; deleting it costs time, never results.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any

from filelock import FileLock, Timeout

from pipelines.engine.fingerprints import hash_file
from pipelines.engine.marks import Mark, OutputFile, Recipe, Renames, read_mark, write_mark
from yuki_builder.atomic import sweep, sync_folder, write_atomically
from yuki_builder.errors import InternalError, OutputError
from yuki_builder.records import StageReport
from yuki_builder.untrusted import read_json

_AT_ONCE = 8
_MOST_AT_ONCE = 1 << 10  # that wait for one of those
_ALWAYS_HASHED_BYTES = 4 << 20
"""Larger outputs count as unchanged while size and time are the recorded ones; smaller ones are always read."""


@dataclass(frozen=True, slots=True)
class Workspace:
    """Where a stage writes while it is at work.

    Attributes:
        outputs: laid out like the output folder; everything in it becomes part of the result.
        scratch: for what nobody needs afterwards.
        unfinished: survives a failed or killed attempt, and goes when the stage is done.
    """

    outputs: Path
    scratch: Path
    unfinished: Path


class Store:
    """The stages' results in one folder.

    Args:
        folder: the output folder; made by ``locked``, merely read by everything else but ``commit``.
        notice: is told, in one line, of what the user should know (a changed file that was set aside).
        renames: of stages and outputs since earlier versions; what those made is taken over by ``locked``.
    """

    def __init__(
        self, folder: Path, *, notice: Callable[[str], None] = lambda _: None, renames: Renames | None = None
    ) -> None:
        self.folder = folder
        self.work = folder / ".work"
        self._notice = notice
        self._renames = renames or Renames()

    @contextmanager
    def locked(self, *, wait_seconds: float = 0) -> Iterator[None]:
        """Hold the folder for this process, after finishing or clearing away what a killed run left.

        The lock is the operating system's, so one whose holder died is free at once.

        Raises:
            OutputError: another run holds it (and still does after ``wait_seconds``).
            OSError: the folder cannot be written.
        """
        self._refuse_links()
        self.work.mkdir(parents=True, exist_ok=True)
        holder = self.work / "holder.json"
        lock = FileLock(self.work / "lock", timeout=wait_seconds)
        try:
            lock.acquire()
        except Timeout as e:
            raise OutputError(
                f"another run is writing here ({_describe_holder(holder)})",
                where=self.folder,
                remedy="wait for it to end, or choose another --out",
            ) from e
        try:
            write_atomically(holder, _to_json({"pid": os.getpid(), "host": socket.gethostname()}))
            self._recover()
            yield
        finally:
            holder.unlink(missing_ok=True)
            lock.release()

    def mark(self, stage: str) -> Mark | None:
        """The mark of a stage; None if there is none that can be read. A pending one counts."""
        return read_mark(self._pending(stage)) or read_mark(self._done(stage))

    def why_not_done(self, stage: str, recipe: Recipe) -> str | None:
        """The reason why a stage has to run, in a few words; None if its result can be reused."""
        mark = self.mark(stage)
        if mark is None:
            return "not done yet"
        difference = recipe.difference(mark.recipe)
        if difference:
            return difference
        return self.why_not_there(stage)

    def why_not_there(self, stage: str) -> str | None:
        """The reason why a stage's result, however it was made, cannot be read; None if it can."""
        mark = self.mark(stage)
        if mark is None:
            return "not done yet"
        if self._pending(stage).exists():
            return None  # its files stand ready in the workspace; the next lock puts them in place
        for output in mark.outputs:
            path = self.folder / output.path
            if not path.is_file():
                return f"{output.path} is gone"
            if not _is_as_recorded(path, output):
                return f"{output.path} was changed"
        return None

    def hash_of(self, path: str, *, stage: str) -> str | None:
        """The recorded content hash of an output of ``stage``; None if it has not been made."""
        mark = self.mark(stage)
        return next((o.sha256 for o in mark.outputs if o.path == path), None) if mark else None

    @contextmanager
    def workspace(self, stage: str, recipe: Recipe | None = None) -> Iterator[Workspace]:
        """Fresh folders for a stage to write in; they are gone afterwards, whatever happened.

        What an earlier attempt left unfinished is there again, but only if it had the same recipe.
        """
        unfinished = self.work / "unfinished" / stage / (recipe.digest if recipe else "any")
        if unfinished.parent.is_dir():
            for other in unfinished.parent.iterdir():
                if other != unfinished:
                    _remove(other)
        self._clear(stage)
        self._workspace(stage).mkdir(parents=True)
        self._scratch(stage).mkdir()
        try:
            yield Workspace(self._workspace(stage), self._scratch(stage), unfinished)
        finally:
            if not self._pending(stage).exists():
                self._clear(stage)

    def commit(self, stage: str, recipe: Recipe, report: StageReport) -> Mark:
        """Put what is in the stage's workspace in its place, durably, and mark the stage as done.

        Args:
            stage: its name.
            recipe: what it was made from.
            report: what it did.

        Raises:
            OSError: the disk is full or cannot be written; nothing is lost, the stage is not done.
        """
        workspace = self._workspace(stage)
        outputs: list[OutputFile] = []
        with ThreadPoolExecutor(_AT_ONCE) as pool:  # the disk syncs many files about as fast as one
            files = (folder / name for folder, names in files_below(workspace) for name in names)
            while some := list(islice(files, _MOST_AT_ONCE)):
                outputs += pool.map(partial(_record, workspace=workspace), some)
        for folder, _ in files_below(workspace):
            sync_folder(folder)
        mark = Mark(stage, recipe, tuple(sorted(outputs, key=_by_parts)), report)
        self._done(stage).parent.mkdir(exist_ok=True)
        write_mark(self._pending(stage), mark)
        self._finish(stage, mark)
        return mark

    def _refuse_links(self) -> None:
        """A link in the place of a folder of ours would have files deleted and overwritten elsewhere."""
        work = self.work
        for path in (self.folder, work, work / "lock", work / "done", work / "tmp", work / "unfinished"):
            refuse_link(path)

    def _recover(self) -> None:
        for folder in (self.work, self.work / "done", self.folder):
            sweep(folder)
        for pending in sorted(self.work.glob("done/*.pending")):
            mark = read_mark(pending)
            if mark is None or mark.stage != pending.stem or not self._is_ready(mark):
                self._forget(pending)
            else:
                self._finish(mark.stage, mark)
        for done in sorted(self.work.glob("done/*.json")):
            mark = read_mark(done)
            if mark is None or mark.stage != done.stem:
                self._forget(done)
            elif (renamed := self._renames.of(mark)) != mark:
                self._take_over(mark, renamed)
        shutil.rmtree(self.work / "tmp", ignore_errors=True)

    def _take_over(self, earlier: Mark, mark: Mark) -> None:
        """Gives what an earlier version made its name of today; may be repeated from any point where it was cut off.

        Where the stage of today is done already, what the earlier version made is removed.
        """
        today = read_mark(self._done(mark.stage)) if mark.stage != earlier.stage else None
        kept = {output.path for other in self._other_marks(earlier.stage) for output in other.outputs}
        self._refuse_links_to(output.path for output in (*earlier.outputs, *mark.outputs))
        for before, now in zip(earlier.outputs, mark.outputs, strict=True):
            old, new = self.folder / before.path, self.folder / now.path
            if not old.is_file() or not _is_as_recorded(old, before):
                continue
            if today is None and old != new and not os.path.lexists(new):
                old.rename(new)
                sync_folder(new.parent)
            elif before.path not in kept and (today is not None or old != new):
                old.unlink()
                _remove_empty_folders(old.parent, up_to=self.folder)
        if today is None:
            write_mark(self._done(mark.stage), mark)
        if mark.stage != earlier.stage:
            self._done(earlier.stage).unlink()
            shutil.rmtree(self.work / "unfinished" / earlier.stage, ignore_errors=True)

    def _forget(self, mark: Path) -> None:
        _remove(mark)
        self._notice(f"the book-keeping of stage {mark.stem} was damaged; the stage is done again")

    def _is_ready(self, mark: Mark) -> bool:
        """Whether all files of a pending mark are there, in the workspace or in place already."""
        for output in mark.outputs:
            places = (self._workspace(mark.stage) / output.path, self.folder / output.path)
            if not any(place.is_file() and _is_as_recorded(place, output) for place in places):
                return False
        return True

    def _refuse_links_to(self, paths: Iterable[str]) -> None:
        """Refuses a link on the way to outputs: it would lead out of the folder.

        Raises:
            OutputError: a folder on the way is a link.
        """
        folders = {parent for path in paths for parent in PurePosixPath(path).parents}
        for folder in sorted(folders - {PurePosixPath()}):
            refuse_link(self.folder / folder)

    def _finish(self, stage: str, mark: Mark) -> None:
        """Steps 3 and 4 of a commit; may be repeated from any point at which they were cut off."""
        workspace = self._workspace(stage)
        earlier = read_mark(self._done(stage))
        ours = {output.path: output for output in earlier.outputs} if earlier else {}
        named = {output.path for output in mark.outputs}
        concerned = ours.keys() | named
        # Another version of this program may have made the same files in another stage.
        other_outputs = (output for other in self._other_marks(stage) for output in other.outputs)
        others = {output.path: output for output in other_outputs if output.path in concerned}
        folders: set[Path] = set()
        self._refuse_links_to(concerned)  # before anything is touched
        for output in mark.outputs:
            source, target = workspace / output.path, self.folder / output.path
            if source.exists():  # else it was in place before the interruption
                self._set_aside_unless(target, ours.get(output.path), others.get(output.path), output)
                if target.parent not in folders:
                    target.parent.mkdir(parents=True, exist_ok=True)
                    folders.add(target.parent)
                source.replace(target)
        for path in sorted(ours.keys() - others.keys() - named):
            old = self.folder / path
            self._set_aside_unless(old, ours[path])
            old.unlink(missing_ok=True)
            _remove_empty_folders(old.parent, up_to=self.folder)
        for folder in sorted(folders):
            sync_folder(folder)
        write_mark(self._done(stage), mark)
        self._pending(stage).unlink()
        self._clear(stage)
        shutil.rmtree(self.work / "unfinished" / stage, ignore_errors=True)

    def _other_marks(self, stage: str) -> Iterator[Mark]:
        for path in sorted(self.work.glob("done/*.json")):
            mark = read_mark(path) if path.stem != stage else None
            if mark is not None:
                yield mark

    def _set_aside_unless(self, path: Path, *expected: OutputFile | None) -> None:
        """Move what stands at ``path`` out of the way, unless it is one of the files a stage wrote there."""
        if not os.path.lexists(path):
            return
        if (
            path.is_file()
            and not path.is_symlink()
            and any(o is not None and _is_as_recorded(path, o) for o in expected)
        ):
            return
        n = 1
        while os.path.lexists(backup := path.with_name(f"{path.name}.bak-{n}")):
            n += 1
        path.rename(backup)
        self._notice(f"{path} was modified since the last run; it is kept as {backup.name}")

    def _workspace(self, stage: str) -> Path:
        return self.work / "tmp" / stage / "outputs"

    def _scratch(self, stage: str) -> Path:
        return self.work / "tmp" / stage / "scratch"

    def _clear(self, stage: str) -> None:
        shutil.rmtree(self.work / "tmp" / stage, ignore_errors=True)

    def _done(self, stage: str) -> Path:
        return self.work / "done" / f"{stage}.json"

    def _pending(self, stage: str) -> Path:
        return self.work / "done" / f"{stage}.pending"


def _by_parts(output: OutputFile) -> str:
    return output.path.replace("/", "\0")  # as the lists of its parts would be sorted, which take more memory


def _to_json(data: Any) -> str:
    return json.dumps(data, indent=1, allow_nan=False) + "\n"


def files_below(folder: Path) -> Iterator[tuple[Path, list[str]]]:
    """Every folder in ``folder``, itself included, that has files, and their names; a link is a file."""
    for path, folders, names in os.walk(folder):
        within = Path(path)
        names += [name for name in folders if (within / name).is_symlink()]
        if names:
            yield within, sorted(names)


def _record(path: Path, workspace: Path) -> OutputFile:
    if path.is_symlink() or not path.is_file():
        raise InternalError("a stage may only write regular files", where=path)
    with path.open("rb") as file:
        os.fsync(file.fileno())
    facts = path.stat()
    return OutputFile(path.relative_to(workspace).as_posix(), facts.st_size, facts.st_mtime_ns, hash_file(path))


def _is_as_recorded(path: Path, output: OutputFile) -> bool:
    facts = path.stat()
    if facts.st_size != output.size_bytes:
        return False
    if facts.st_size > _ALWAYS_HASHED_BYTES and facts.st_mtime_ns == output.mtime_ns:
        return True
    return hash_file(path) == output.sha256


def refuse_link(path: Path) -> None:
    """Raises OutputError where a link stands in the place of a folder or file of the output folder's own."""
    if path.is_symlink():
        raise OutputError(
            "a link inside the output folder; such links are not followed",
            where=path,
            remedy="move it away and run again",
        )


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _remove_empty_folders(folder: Path, *, up_to: Path) -> None:
    while folder != up_to and folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent


def _describe_holder(holder: Path) -> str:
    try:
        data = read_json(holder, max_bytes=1 << 16)
        return f"process {data['pid']} on {data['host']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "unknown process"
