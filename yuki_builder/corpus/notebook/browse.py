"""A corpus in a notebook: ``corpus = open_corpus("out")``, then ``corpus.lines`` and the rest as DataFrames."""

from __future__ import annotations

import difflib
import json
import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from yuki_builder.corpus.audio.sound import open_sound, to_samples
from yuki_builder.corpus.notebook import plots
from yuki_builder.corpus.scenes import scene_id
from yuki_builder.corpus.scenes.segmentation import scene_starts
from yuki_builder.corpus.tables.jsonl import read_jsonl
from yuki_builder.corpus.tables.labels_csv import Correction, save_corrections
from yuki_builder.corpus.tables.lines_parquet import lines_schema, lines_table, read_lines_table
from yuki_builder.corpus.tables.statistics import character_statistics
from yuki_builder.errors import InputError
from yuki_builder.names import path_name
from yuki_builder.records import FloatArray, Span, Verdict
from yuki_builder.rttm import read_rttm

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# As they were corrected, where they were; the names of this version, and those of earlier ones.
_EMBEDDINGS = ("embeddings_corrected.npz", "voiceprints_corrected.npz", "embeddings.npz", "voiceprints.npz")
_QUALITY = Path("corpus", "quality.parquet")
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

    Args:
        out: the output folder, which clip paths are relative to.
        episode_folders: those of the finished episodes, in order.
        parquet: the lines of all of them, where the corpus has been built; None: they are read by episode.
    """

    def __init__(self, out: Path, *, episode_folders: tuple[Path, ...], parquet: Path | None = None) -> None:
        self.out = out
        self._folders = episode_folders
        self._parquet = parquet
        self._labels: dict[str, str] = {}
        self._embedded: dict[str, dict[str, FloatArray]] = {}

    def __repr__(self) -> str:
        return f"Corpus({str(self.out)!r}, {len(self._folders)} episodes)"

    def _repr_html_(self) -> str:
        """What a notebook shows of it."""
        from html import escape

        rows = "".join(
            f"<tr><td>{escape(str(c.character))}</td><td>{c.lines}</td><td>{c.minutes:.1f}</td>"
            f"<td>{c.mean_confidence:.2f}</td></tr>"
            for c in self.characters.head(12).itertuples()
        )
        sure = int((self.lines["verdict"] == "certain").sum())
        return (
            f"<p><b>{escape(str(self.out))}</b>: {len(self._folders)} episodes, {len(self.lines)} lines, "
            f"{sure} certain, {len(self.characters)} characters</p><table><tr><th>character</th><th>lines</th>"
            f"<th>minutes</th><th>confidence</th></tr>{rows}</table>"
        )

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
        lines.insert(2, "scene_id", pd.Series(_scene_ids(lines, self._scenes_on_disk(lines)), dtype="str"))
        return lines

    @cached_property
    def quality(self) -> pd.DataFrame:
        """One row a line: clipping, bandwidth_hz, speech_ratio, chars_per_second, dnsmos, duplicate_of, problems…

        Empty where the run that made the corpus did not measure it.
        """
        import pandas as pd

        source = self.out / _QUALITY
        if self._parquet is not None and source.is_file():
            import pyarrow.parquet as pq

            return pq.read_table(source).to_pandas()
        rows = [row for folder in self._folders if (f := folder / "quality.jsonl").is_file() for row in read_jsonl(f)]
        return pd.DataFrame(rows)

    @cached_property
    def characters(self) -> pd.DataFrame:
        """One row a character, who speaks longest first: lines, minutes, words, mean_confidence, episodes, clips."""
        import pandas as pd

        named = self.lines[self.lines["character"].notna()]
        statistics = character_statistics(
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
                "character": pd.Series([f.character for f in statistics], dtype="str"),
                "lines": pd.Series([f.lines for f in statistics], dtype="int64"),
                "minutes": pd.Series([f.duration_ms / 60_000 for f in statistics], dtype="float64"),
                "words": pd.Series([f.words for f in statistics], dtype="int64"),
                "mean_confidence": pd.Series([f.mean_confidence for f in statistics], dtype="float64"),
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

    def audio(self, line_id: str, source: str = "clip") -> tuple[FloatArray, int]:
        """The sound of one line.

        Args:
            line_id: which.
            source: ``clip`` (where it has none its stretch of the vocals), ``vocals`` or ``mix``.

        Returns:
            The waveform, shape (channels, samples), float32 in -1..1, and its sample rate in Hz.

        Raises:
            KeyError: no line has this id.
            InputError: there is no such sound.
        """
        if source not in ("clip", "vocals", "mix"):
            raise InputError(f"unknown sound {source!r}", remedy="ask for clip, vocals or mix")
        line = self.line(line_id)
        if source == "clip" and isinstance(line["clip"], str):
            return _read_sound(self._inside(line["clip"]), None)
        name = "mix" if source == "mix" else "vocals"
        sound = self._episode_folder(line["episode_id"]) / "audio" / f"{name}.flac"
        if not sound.is_file():
            without = "has no clip, and its episode" if source == "clip" else "its episode has"
            raise InputError(f"{without} no audio/{name}.flac", where=line_id)
        return _read_sound(sound, Span(int(line["start_ms"]), int(line["end_ms"])))

    def line(self, line_id: str) -> pd.Series[Any]:
        """All that is known of one line.

        Raises:
            KeyError: no line has this id; the message names those that look like it.
        """
        row = self._row_of.get(line_id)
        if row is None:
            near = difflib.get_close_matches(line_id, self._row_of, n=3, cutoff=0.6)
            raise KeyError(f"{line_id}; near it are {', '.join(near)}" if near else line_id)
        return self.lines.iloc[row]

    @cached_property
    def _row_of(self) -> dict[str, int]:
        return {str(line_id): row for row, line_id in enumerate(self.lines["line_id"])}

    def embedding(self, line_id: str) -> FloatArray:
        """The line's speaker embedding, shape (d,), of length 1.

        Raises:
            KeyError: no line has this id.
            InputError: it has no speaker embedding: too short, or the work folder is gone.
        """
        found = self._embeddings(self.line(line_id)["episode_id"]).get(line_id)
        if found is None:
            raise InputError("has no speaker embedding: too little speech, or no .work folder", where=line_id)
        return found

    def embeddings(self, lines: pd.DataFrame | None = None) -> tuple[pd.DataFrame, FloatArray]:
        """The lines that have a speaker embedding, and those, shape (n, d); of all lines or of a selection."""
        chosen = self.lines if lines is None else lines
        pairs = zip(chosen["episode_id"], chosen["line_id"], strict=True)
        vectors = [self._embeddings(episode).get(line_id) for episode, line_id in pairs]
        kept = [vector for vector in vectors if vector is not None]
        table = chosen[[vector is not None for vector in vectors]]
        return table, np.stack(kept) if kept else np.zeros((0, 0), np.float32)

    def _embeddings(self, episode: str) -> dict[str, FloatArray]:
        if episode not in self._embedded:
            work = self._episode_folder(episode) / ".work"
            source = next((work / name for name in _EMBEDDINGS if (work / name).is_file()), None)
            self._embedded[episode] = {}
            if source is not None:
                with np.load(source, allow_pickle=False) as stored:
                    self._embedded[episode] = dict(zip(stored["keys"].tolist(), stored["vectors"], strict=True))
        return self._embedded[episode]

    def filter(
        self,
        *,
        character: str | Sequence[str] | None = None,
        episode: str | None = None,
        verdict: str | None = None,
        min_confidence: float = 0.0,
        text: str | None = None,
        without: Sequence[str] = (),
    ) -> pd.DataFrame:
        """The lines that fit all that is given.

        Args:
            character: a name, or several.
            episode: an episode's id.
            verdict: at least so sure (``doubtful`` takes certain lines as well).
            min_confidence: at least so sure, 0 to 1.
            text: that the text holds, whatever its case.
            without: problems of quality (``duplicate``, ``clipped`` …) that keep a line out.
        """
        lines = self.lines
        fits = lines["confidence"] >= min_confidence
        if character is not None:
            fits &= lines["character"].isin([character] if isinstance(character, str) else list(character))
        if episode is not None:
            fits &= lines["episode_id"] == episode
        if verdict is not None:
            fits &= lines["verdict"] >= verdict
        if text is not None:
            fits &= lines["text"].str.contains(text, case=False, regex=False)
        if without and len(self.quality):
            bad = self.quality[[not set(without).isdisjoint(found) for found in self.quality["problems"]]]
            fits &= ~lines["line_id"].isin(bad["line_id"])
        return lines[fits]

    def review_queue(self, count: int = 20) -> pd.DataFrame:
        """The lines whose label helps most, most helpful first: in doubt, with enough speech to teach the voice.

        Lines that a person has labelled are not among them.
        """
        lines = self.lines
        seconds = ((lines["end_ms"] - lines["start_ms"]) / 1000).clip(0, 5)
        doubt = 1 - (lines["confidence"] - 0.5).abs() * 2
        manual = np.array([any(e["source"] == "manual" for e in evidence) for evidence in lines["evidence"]], bool)
        worth = (0.2 + doubt) * seconds * (1 - lines["overlap"])
        worth[(lines["verdict"] == "certain") | manual | lines["line_id"].isin(self.labels)] = 0.0
        chosen = worth[worth > 0].sort_values(ascending=False, kind="stable").index[:count]
        return lines.loc[chosen]

    @property
    def labels(self) -> dict[str, str]:
        """What ``relabel`` was told, by line id."""
        return dict(self._labels)

    def relabel(self, line_id: str | Mapping[str, str], character: str | None = None) -> None:
        """Say who speaks a line, or several: ``relabel("ep01-…", "Haruhi")``, ``relabel({"ep01-…": "Haruhi"})``.

        ``save_labels`` keeps it; the next run with ``--characters`` takes it as certain, and as a sample of the voice.

        Raises:
            KeyError: no line has this id.
            InputError: a name is empty.
        """
        given = {line_id: character} if isinstance(line_id, str) else dict(line_id)
        for key, name in given.items():
            self.line(key)
            if name is None or not name.strip():
                raise InputError("needs a name", where=key, remedy="give the character who says it")
        self._labels |= {key: str(name).strip() for key, name in given.items()}

    def save_labels(self, path: str | os.PathLike[str]) -> int:
        """Write what ``relabel`` was told as a table for ``--characters``; the number of rows it then has.

        A table that is there is added to; another file is refused.
        """
        corrections = [
            Correction(str(line["episode_id"]), int(line["start_ms"]), int(line["end_ms"]), str(line["text"]), name)
            for line, name in ((self.line(key), name) for key, name in self._labels.items())
        ]
        return save_corrections(corrections, Path(path))

    def plot_timeline(self, episode: str | None = None, axes: Axes | None = None) -> Axes:
        """Who speaks when in an episode; the first where none is named."""
        episode = self.episodes["episode_id"].iloc[0] if episode is None else episode
        self._episode_folder(str(episode))
        axes = plots.plot_timeline(self.lines[self.lines["episode_id"] == episode], axes)
        axes.set_title(str(episode).replace("$", r"\$"))
        return axes

    def plot_confidence(self, axes: Axes | None = None) -> Axes:
        """How many lines are how sure."""
        return plots.plot_confidence(self.lines, axes)

    def plot_embeddings(self, lines: pd.DataFrame | None = None, axes: Axes | None = None) -> Axes:
        """The voices on a map, by character; of all lines, or of a selection."""
        chosen, vectors = self.embeddings(lines)
        return plots.plot_embeddings(chosen, vectors, axes)

    def compare(self, line_id: str) -> Figure:
        """Spectrograms of a line in the mix and in the separated vocals."""
        (mix, rate), (vocals, _) = (self.audio(line_id, source) for source in ("mix", "vocals"))
        return plots.plot_comparison(mix, vocals, rate, title=f"{line_id}: {self.line(line_id)['text']}")

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
        turns = read_rttm(source)
        return pd.DataFrame(
            {
                "start_ms": pd.Series([turn.start_ms for turn in turns], dtype="int64"),
                "end_ms": pd.Series([turn.end_ms for turn in turns], dtype="int64"),
                "speaker": pd.Series([turn.speaker for turn in turns], dtype="str"),
            }
        )

    def _scenes_on_disk(self, lines: pd.DataFrame) -> dict[str, str]:
        """The scene of each line as the run found it; of episodes without all of their lines in it, none."""
        found: dict[str, str] = {}
        counts = lines.groupby("episode_id").size()
        for folder in self._folders:
            source = folder / "scenes.jsonl"
            if source.is_file():
                own = {key: row["scene_id"] for row in read_jsonl(source) for key in row["line_ids"]}
                if len(own) == counts.get(folder.name, -1):
                    found |= own
        return found

    def _table(self) -> pa.Table:
        import pyarrow as pa

        # An episode that was run again since: its own lines are the newer ones.
        if self._parquet is not None and self._parquet.is_file() and not self._is_stale(self._parquet):
            return read_lines_table(self._parquet)
        tables = [lines_schema().empty_table()]
        for source in (folder / "lines.jsonl" for folder in self._folders):
            if source.is_file():
                try:
                    tables.append(lines_table(list(read_jsonl(source))))
                except (ValueError, TypeError) as e:
                    raise InputError(f"a row is not a line of dialogue ({e})", where=source) from e
        return pa.concat_tables(tables)

    def _is_stale(self, parquet: Path) -> bool:
        made = parquet.stat().st_mtime_ns
        sources = [source for folder in self._folders if (source := folder / "lines.jsonl").is_file()]
        return any(source.stat().st_mtime_ns > made for source in sources)

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


def _scene_ids(lines: pd.DataFrame, on_disk: Mapping[str, str]) -> list[str]:
    """The scene of each row; rows are sorted by episode and time."""
    ids: list[str] = []
    for episode_id, rows in lines.groupby("episode_id", sort=False):
        line_ids = rows["line_id"].tolist()
        if all(key in on_disk for key in line_ids):
            ids += [on_disk[key] for key in line_ids]
            continue
        spans = [Span(start, end) for start, end in zip(rows["start_ms"], rows["end_ms"], strict=True)]
        cast = [_text(a) or _text(b) for a, b in zip(rows["character"], rows["speaker"], strict=True)]
        for start, end in pairwise([*scene_starts(spans, cast=cast, keys=line_ids), len(spans)]):
            ids += [scene_id(str(episode_id), line_ids[start])] * (end - start)
    return ids


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _read_sound(source: Path, span: Span | None) -> tuple[FloatArray, int]:
    with open_sound(source) as sound:
        rate: int = sound.samplerate
        start, end = (0, sound.frames) if span is None else (to_samples(t, rate) for t in (span.start_ms, span.end_ms))
        sound.seek(min(max(0, start), sound.frames))
        waveform: FloatArray = sound.read(max(0, end - max(0, start)), dtype="float32", always_2d=True).T
        return waveform, rate
