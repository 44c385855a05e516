"""A corpus in a notebook: ``corpus = open_corpus("out")``, then ``corpus.lines`` and the rest as DataFrames."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from yuki_builder.corpus.figures import character_figures
from yuki_builder.corpus.jsonl import read_jsonl
from yuki_builder.corpus.lines_parquet import lines_schema, lines_table, read_lines_table
from yuki_builder.corpus.scenes import scene_id, scene_starts
from yuki_builder.corpus.sound import open_sound, to_samples
from yuki_builder.errors import InputError
from yuki_builder.names import path_name
from yuki_builder.records import FloatArray, Span, Verdict

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

_PARQUET = Path("corpus", "lines.parquet")


def open_corpus(out: str | os.PathLike[str]) -> Corpus:
    """The corpus in an output folder, with one episode or many.

    Args:
        out: the folder given as ``--out``, one episode's folder in it, or its ``corpus`` folder.

    Raises:
        InputError: there is no corpus in it.
    """
    folder = Path(out)
    if not folder.is_dir():
        raise InputError("no such folder" if not folder.exists() else "no folder", where=folder)
    folder = folder.resolve()  # files are read late, when the working folder may be another
    if (folder / "lines.jsonl").is_file():
        return Corpus(folder.parent, episode_folders=(folder,))
    root = folder.parent if (folder / "lines.parquet").is_file() else folder
    folders = tuple(sorted(p for p in root.iterdir() if _is_episode(p)))
    if not folders and not (root / _PARQUET).is_file():
        raise InputError(
            "holds neither corpus/lines.parquet nor an episode with lines.jsonl",
            where=folder,
            remedy="give the folder that the pipeline wrote to (--out)",
        )
    return Corpus(root, episode_folders=folders, parquet=root / _PARQUET)


class Corpus:
    """What :func:`open_corpus` found. Nothing is read before it is asked for, and then once.

    Attributes:
        out: the output folder, which clip paths are relative to.
    """

    def __init__(self, out: Path, *, episode_folders: tuple[Path, ...], parquet: Path | None = None) -> None:
        self.out = out
        self._folders = episode_folders
        self._parquet = parquet

    def __repr__(self) -> str:
        return f"Corpus({str(self.out)!r}, {len(self._folders)} episodes)"

    @cached_property
    def lines(self) -> pd.DataFrame:
        """One row a line, columns as in ``lines.jsonl`` plus ``scene_id``; times are integers, missing text is NaN.

        ``verdict`` is an ordered category (unknown < doubtful < certain), ``evidence`` a list of dictionaries.
        """
        import pandas as pd
        import pyarrow as pa

        def as_arrow(kind: pa.DataType) -> Any:
            # Lists become Python objects only when looked at: a big corpus opens in a fraction of the time.
            return pd.ArrowDtype(kind) if pa.types.is_list(kind) else None

        lines: pd.DataFrame = self._table().to_pandas(types_mapper=as_arrow)
        verdicts = [verdict.value for verdict in (Verdict.UNKNOWN, Verdict.DOUBTFUL, Verdict.CERTAIN)]
        lines["verdict"] = pd.Categorical(lines["verdict"], categories=verdicts, ordered=True)
        lines = lines.sort_values(["episode_id", "start_ms", "index", "line_id"], kind="stable", ignore_index=True)
        lines.insert(2, "scene_id", pd.Series(_scene_ids(lines), dtype="str"))
        return lines

    @cached_property
    def characters(self) -> pd.DataFrame:
        """One row a character, who speaks longest first: lines, minutes, words, mean_confidence, episodes, clips."""
        import pandas as pd

        named = self.lines[self.lines["character"].notna()]
        figures = character_figures(
            zip(
                named["character"],
                (named["end_ms"] - named["start_ms"]).tolist(),
                named["text"],
                named["confidence"],
                strict=True,
            )
        )
        table = pd.DataFrame(
            {
                "character": pd.Series([f.character for f in figures], dtype="str"),
                "lines": pd.Series([f.lines for f in figures], dtype="int64"),
                "minutes": pd.Series([f.duration_ms / 60_000 for f in figures], dtype="float64"),
                "words": pd.Series([f.words for f in figures], dtype="int64"),
                "mean_confidence": pd.Series([f.mean_confidence for f in figures], dtype="float64"),
            }
        )
        groups = named.groupby("character", sort=False)
        table["episodes"] = table["character"].map(groups["episode_id"].nunique()).astype("int64")
        table["clips"] = table["character"].map(groups["clip"].count()).astype("int64")
        return table

    @cached_property
    def episodes(self) -> pd.DataFrame:
        """One row an episode: source (the video), duration_ms, lines, characters, and lines by verdict."""
        import pandas as pd

        lines = self.lines
        media = {episode: facts.get("media") or {} for episode, (_, facts) in self._episodes.items()}
        names = pd.Series(sorted({*lines["episode_id"], *media}), dtype="str")
        groups = lines.groupby("episode_id")
        table = pd.DataFrame(
            {
                "episode_id": names,
                "source": pd.Series([media.get(name, {}).get("path") for name in names], dtype="str"),
                "duration_ms": pd.Series([media.get(name, {}).get("duration_ms") for name in names], dtype="Int64"),
                "lines": names.map(groups.size()).fillna(0).astype("int64"),
                "characters": names.map(groups["character"].nunique()).fillna(0).astype("int64"),
            }
        )
        for verdict in Verdict:
            counts = lines[lines["verdict"] == verdict.value].groupby("episode_id").size()
            table[verdict.value] = names.map(counts).fillna(0).astype("int64")
        return table

    @cached_property
    def scenes(self) -> pd.DataFrame:
        """One row a scene: episode_id, start_ms, end_ms, lines, and the named characters in order of appearance."""
        scenes = self.lines.groupby("scene_id", sort=False).agg(
            episode_id=("episode_id", "first"),
            start_ms=("start_ms", "min"),
            end_ms=("end_ms", "max"),
            lines=("line_id", "size"),
            characters=("character", lambda names: list(dict.fromkeys(names.dropna()))),
        )
        return scenes.reset_index()

    def audio(self, line_id: str) -> tuple[FloatArray, int]:
        """The sound of one line: its clip, or where it has none its stretch of the episode's vocals.

        Returns:
            The waveform, shape (channels, samples), float32 in -1..1, and its sample rate in Hz.

        Raises:
            KeyError: no line has this id.
            InputError: there is neither a clip nor the vocals.
        """
        rows = self.lines.loc[self.lines["line_id"] == line_id]
        if rows.empty:
            raise KeyError(line_id)
        line = rows.iloc[0]
        if isinstance(line["clip"], str):
            return _read_sound(self._inside(line["clip"]), None)
        vocals = self._episode_folder(line["episode_id"]) / "audio" / "vocals.flac"
        if not vocals.is_file():
            raise InputError("has no clip, and its episode no audio/vocals.flac", where=line_id)
        return _read_sound(vocals, Span(int(line["start_ms"]), int(line["end_ms"])))

    def turns(self, episode: str) -> pd.DataFrame:
        """Who speaks when by the sound alone (``speakers/turns.rttm``): start_ms, end_ms, speaker.

        Raises:
            KeyError: no such episode.
            InputError: it has no turns, or their file is no RTTM.
        """
        import pandas as pd

        source = self._episode_folder(episode) / "speakers" / "turns.rttm"
        if not source.is_file():
            raise InputError("the episode has no speakers/turns.rttm", where=episode)
        turns = list(_read_turns(source))
        return pd.DataFrame(
            {
                "start_ms": pd.Series([start for start, _, _ in turns], dtype="int64"),
                "end_ms": pd.Series([end for _, end, _ in turns], dtype="int64"),
                "speaker": pd.Series([speaker for _, _, speaker in turns], dtype="str"),
            }
        )

    def _table(self) -> pa.Table:
        import pyarrow as pa

        if self._parquet is not None and self._parquet.is_file():
            return read_lines_table(self._parquet)
        tables = [lines_schema().empty_table()]
        for source in (folder / "lines.jsonl" for folder in self._folders):
            if source.is_file():
                try:
                    tables.append(lines_table(list(read_jsonl(source))))
                except (ValueError, TypeError) as e:
                    raise InputError(f"a row is no line of dialogue ({e})", where=source) from e
        return pa.concat_tables(tables)

    @cached_property
    def _episodes(self) -> dict[str, tuple[Path, dict[str, Any]]]:
        """Folder and ``episode.json`` by episode id, which need not be the folder's name."""
        found = {}
        for folder in self._folders:
            facts = _read_facts(folder / "episode.json")
            found[str(facts.get("episode_id") or folder.name)] = (folder, facts)
        return found

    def _episode_folder(self, episode: str) -> Path:
        if episode in self._episodes:
            return self._episodes[episode][0]
        folder = self.out / path_name(episode)
        if folder not in self._folders:
            raise KeyError(episode)
        return folder

    def _inside(self, path: str) -> Path:
        """The file at ``path`` below the output folder; a corpus from elsewhere must not reach beyond it."""
        found = (self.out / path).resolve()
        if not found.is_relative_to(self.out):
            raise InputError("a clip outside the corpus", where=path)
        if not found.is_file():
            raise InputError("the clip is missing", where=found, remedy="run the pipeline again")
        return found


def _is_episode(folder: Path) -> bool:
    return (folder / "lines.jsonl").is_file() or (folder / "episode.json").is_file()


def _read_facts(source: Path) -> dict[str, Any]:
    if not source.is_file():
        return {}
    try:
        facts = json.loads(source.read_bytes())
    except (ValueError, RecursionError) as e:
        raise InputError("no JSON", where=source, remedy="run the pipeline again") from e
    return facts if isinstance(facts, dict) else {}


def _scene_ids(lines: pd.DataFrame) -> list[str]:
    """The scene of each row; rows are sorted by episode and time."""
    ids: list[str] = []
    for episode_id, rows in lines.groupby("episode_id", sort=False):
        spans = [Span(start, end) for start, end in zip(rows["start_ms"], rows["end_ms"], strict=True)]
        line_ids = rows["line_id"].tolist()
        for start, end in pairwise([*scene_starts(spans), len(spans)]):
            ids += [scene_id(str(episode_id), line_ids[start])] * (end - start)
    return ids


def _read_sound(source: Path, span: Span | None) -> tuple[FloatArray, int]:
    with open_sound(source) as sound:
        rate: int = sound.samplerate
        start, end = (0, sound.frames) if span is None else (to_samples(t, rate) for t in (span.start_ms, span.end_ms))
        sound.seek(min(max(0, start), sound.frames))
        waveform: FloatArray = sound.read(max(0, end - max(0, start)), dtype="float32", always_2d=True).T
        return waveform, rate


def _read_turns(source: Path) -> Iterator[tuple[int, int, str]]:
    """(start_ms, end_ms, speaker) of each SPEAKER row of an RTTM file."""
    for number, row in enumerate(source.read_text(encoding="utf-8").splitlines(), 1):
        fields = row.split()
        if not fields or fields[0] != "SPEAKER":
            continue
        try:
            start_s, duration_s, speaker = float(fields[3]), float(fields[4]), fields[7]
        except (ValueError, IndexError) as e:
            raise InputError(f"row {number} is no RTTM", where=source) from e
        yield round(start_s * 1000), round((start_s + duration_s) * 1000), speaker
