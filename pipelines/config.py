"""What a run is told to do: defaults, then a TOML file, then the command line's flags.

The fields of ``EpisodeConfig`` are the one table of options. A field is an attribute for programs, a key of the TOML
file, a flag of the command line with its help, and what is allowed in it.
"""

from __future__ import annotations

import dataclasses
import difflib
import re
import shlex
import stat
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path
from typing import Any

from yuki_builder.errors import ConfigError, InputError
from yuki_builder.untrusted import read_toml


@dataclass(frozen=True, slots=True)
class Option:
    """What is known of one option beside its name, type and default.

    Attributes:
        help: for ``--help``.
        metavar: what stands for the value there.
        allowed: what a value must fulfil: a pattern for a text, or a condition for a number.
        remedy: what to give instead.
        is_path: always a path: one in the TOML file starts at that file's folder.
        may_be_path: a name or a path: it is a path if there is such a file.
        shapes_result: whether another value asks for another result.
    """

    help: str
    metavar: str | None = None
    allowed: str | Callable[[Any], bool] | None = None
    remedy: str = "give a name or a path"
    is_path: bool = False
    may_be_path: bool = False
    shapes_result: bool = True


def _option(default: Any, help_: str, metavar: str | None = None, /, **more: Any) -> Any:
    return field(default=default, metadata={"option": Option(help_, metavar, **more)})


def _is_text_encoding(name: str) -> bool:
    try:
        "".encode(name)
    except (LookupError, ValueError):
        return False
    return True


def _is_shard(text: str) -> bool:
    match = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text)
    return bool(match and 1 <= int(match[1]) <= int(match[2]))


BURNED_IN = "burned-in"
"""The value of ``subtitles`` for subtitles that are part of the picture."""
_MOST_FRAMES = 1 << 16
_MOST_JOBS = 1024
_LONGEST_TEXT = 4096  # no path is longer


@dataclass(frozen=True)
class EpisodeConfig:
    """One episode's options; ``run_pipeline.py --help`` says what each is for.

    ``characters`` and ``labels`` take one path or several.

    Raises:
        ConfigError: a value that makes no sense.
    """

    video: Path = field(metadata={"option": Option("", is_path=True, shapes_result=False)})
    _: KW_ONLY
    out: Path = _option(Path("out"), "The output folder.", "DIR", is_path=True, shapes_result=False)
    subtitles: str = _option(
        "auto",
        "auto: a subtitle file beside the video, else the best track inside it. burned-in: text in the picture itself.",
        "auto|none|burned-in|PATH",
        may_be_path=True,
    )
    audio_track: str | None = _option(None, "An audio track by position (0 is the first) or language.", "N|LANG")
    second_audio_track: str = _option(
        "auto",
        "A dub, whose voices help to tell who speaks: a track by position or language; auto: one in another language.",
        "auto|none|N|LANG",
    )
    subtitle_track: str | None = _option(None, "A subtitle track inside the video, by position or language.", "N|LANG")
    language: str | None = _option(
        None,
        "The preferred language (ja, zh, en) of audio and subtitle tracks, and of bilingual subtitles.",
        "LANG",
        allowed="[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{1,8})*",
        remedy="give a code such as ja, zh or en",
    )
    encoding: str | None = _option(
        None,
        "The encoding of the subtitle file (cp1250, big5 …).  [default: detected]",
        "NAME",
        allowed=_is_text_encoding,
        remedy="give a name that Python knows, such as utf-8, cp1250, cp1251, big5 or shift_jis",
    )
    chinese: str = _option(
        "keep",
        "Convert Chinese text.",
        "keep|simplified|traditional",
        allowed="keep|simplified|traditional",
        remedy="give keep, simplified or traditional",
    )
    resync: bool = _option(
        True, "Move subtitles that do not fit the speech: those that are late, or made for another frame rate or cut."
    )
    aliases: Path | None = _option(
        None,
        'A TOML file of alternative names of one character: Haruhi = ["Suzumiya", "ハルヒ"].  '
        "[default: aliases.toml in the output folder]",
        "FILE",
        is_path=True,
    )
    characters: tuple[Path, ...] = _option(
        (),
        "Who may be speaking: a gallery folder, a folder <character>/*.wav, or an annotated CSV. Repeatable.",
        "PATH",
        is_path=True,
    )
    labels: tuple[Path, ...] = _option(
        (),
        "Lines labelled by a person: an annotated CSV, or a file that a report saved. Repeatable. labels.csv in the "
        "output folder, which a review writes, is always read.",
        "FILE",
        is_path=True,
    )
    separator: str = _option(
        "dialogue",
        "What separates the voices from music and effects: a model's name (see: models list), a checkpoint file, "
        "a chain such as HP5+DeEcho-Normal, or none.",
        "NAME|PATH|none",
        may_be_path=True,
    )
    band_plan: str | None = _option(
        None, "The band plan of a public checkpoint, where its hash is unknown.", "NAME|FILE", may_be_path=True
    )
    window_frames: int | None = _option(
        None,
        "Frames of one separator window: longer ones are faster and take more memory.",
        "N",
        allowed=lambda n: 0 < n <= _MOST_FRAMES and n % 16 == 0,
        remedy=f"give a multiple of 16 up to {_MOST_FRAMES}",
    )
    crossfade: int = _option(
        0,
        "Frames over which neighbouring windows fade into each other.",
        "N",
        allowed=lambda n: 0 <= n <= _MOST_FRAMES,
        remedy=f"give 0 to {_MOST_FRAMES}",
    )
    aggressiveness: float | None = _option(
        None,
        "Mask aggressiveness of public checkpoints.  [default: as their own tools]",
        "0..1",
        allowed=lambda x: 0 <= x <= 1,
        remedy="give a number from 0 to 1",
    )
    precision: str = _option(
        "auto",
        "The number format of the separator; see docs/uvr5.md.",
        "auto|float32|bfloat16",
        allowed="auto|float32|bfloat16",
        remedy="give auto, float32 or bfloat16",
    )
    tta: bool = _option(False, "Separate twice with shifted windows and take the mean; double the time.")
    post_process: bool = _option(False, "Public checkpoints: move near-silent vocals to the accompaniment.")
    high_end: bool = _option(False, "Public checkpoints: restore high frequencies by mirroring.")
    separate_enrolment: bool = _option(
        False, "Run the separator over the clips of --characters too: for clips with music."
    )
    diarizer: str = _option(
        "embedded",
        "What finds the speaker turns: embedded, pyannote, owner/name on Hugging Face, or a pipeline's folder.",
        "NAME|PATH",
        may_be_path=True,
    )
    embedder: str = _option(
        "campplus",
        "The speaker embedder: campplus, resemblyzer, an ONNX file, or owner/name on Hugging Face.",
        "NAME|FILE.onnx",
        may_be_path=True,
    )
    transcriber: str = _option(
        "auto",
        "Speech to text, where there are no subtitles: auto (small on processors, large-v3 on GPUs), a model's name "
        "(see: models list), owner/name on Hugging Face, a folder, or none. Extra: asr.",
        "auto|none|NAME|FOLDER",
        may_be_path=True,
    )
    align_words: bool = _option(
        False, "Transcribe although there are subtitles: words give the lines their edges and say how much is heard."
    )
    words: Path | None = _option(
        None,
        "Use words with times from another transcriber (JSON of Whisper or whisperX).",
        "FILE.json",
        is_path=True,
    )
    vocals: Path | None = _option(
        None, "Use the vocals of the whole video from another separator.", "FILE", is_path=True
    )
    turns: Path | None = _option(None, "Use the speaker turns from another diarizer.", "FILE.rttm", is_path=True)
    quality: str = _option(
        "basic",
        "Metrics of each line's sound; dnsmos is an extra.",
        "basic|dnsmos",
        allowed="basic|dnsmos",
        remedy="give basic or dnsmos",
    )
    export: tuple[str, ...] = _option(
        (),
        "Write the corpus for another tool too; see: export --help. Repeatable.",
        "NAME",
        shapes_result=False,
    )
    device: str = _option(
        "auto",
        "Where the networks run.",
        "auto|cpu|cuda",
        allowed=r"auto|cpu|cuda(:\d+)?",
        remedy="use auto, cpu or cuda",
        shapes_result=False,
    )
    jobs: int = _option(
        1,
        "Episodes to work on at once, each in a process of its own with its share of the cores.",
        "N",
        allowed=lambda n: 0 < n <= _MOST_JOBS,
        remedy=f"give 1 to {_MOST_JOBS}",
        shapes_result=False,
    )
    executor: str = _option(
        "local",
        "Who works on the episodes: this machine, or a Ray cluster.",
        "local|ray",
        allowed="local|ray",
        remedy="give local or ray",
        shapes_result=False,
    )
    ray_address: str | None = _option(
        None, "The Ray cluster.  [default: one is started on this machine]", "ADDRESS", shapes_result=False
    )
    shard: str | None = _option(
        None,
        "Work on every N-th episode only, from the K-th on, and leave the corpus to a run without --shard.",
        "K/N",
        allowed=_is_shard,
        remedy="give a number and how many there are, such as 2/8",
        shapes_result=False,
    )
    force: bool = _option(False, "Redo everything.", shapes_result=False)

    def __post_init__(self) -> None:
        # Strings are welcome as paths (notebooks, TOML), and paths as names (a checkpoint, a subtitle file).
        for row in ROWS:
            value = row.normal(getattr(self, row.name))
            row.check(value)
            object.__setattr__(self, row.name, value)
        if self.separate_enrolment and self.separator == "none":
            raise ConfigError("--separator none leaves nothing to separate clips with", where="--separate-enrolment")
        if self.align_words and self.transcriber == "none" and self.words is None:
            raise ConfigError(
                "--transcriber none leaves no words",
                where="--align-words",
                remedy="name a transcriber, or give --words",
            )

    def to_dict(self) -> dict[str, Any]:
        """The options that shape the result, as plain JSON values."""
        values = {row.name: getattr(self, row.name) for row in ROWS if row.option.shapes_result}
        return {
            name: str(value) if isinstance(value, Path) else [*map(str, value)] if isinstance(value, tuple) else value
            for name, value in values.items()
        }


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table of options."""

    name: str
    type_name: str
    default: Any
    option: Option

    @property
    def base(self) -> str:
        """The type of one value: ``str``, ``Path``, ``bool``, ``int`` or ``float``."""
        return self.type_name.removesuffix(" | None").removeprefix("tuple[").removesuffix(", ...]")

    @property
    def is_optional(self) -> bool:
        return self.type_name.endswith(" | None")

    @property
    def is_repeatable(self) -> bool:
        return self.type_name.startswith("tuple[")

    @property
    def flag(self) -> str:
        return "--" + self.name.replace("_", "-")

    def normal(self, value: Any) -> Any:
        """The value as the field holds it.

        Raises:
            ConfigError: of another type, or empty.
        """
        if self.is_repeatable:
            values = (value,) if isinstance(value, (str, Path)) else () if value is None else value
            if not isinstance(values, (list, tuple)):
                raise self._invalid(value)
            return tuple(self._one(v) for v in values)
        return None if value is None and self.is_optional else self._one(value)

    def _one(self, value: Any) -> Any:
        if self.base not in ("str", "Path"):
            return value
        is_position = self.name.endswith("_track") and isinstance(value, int) and not isinstance(value, bool)
        text = str(value) if is_position or isinstance(value, (str, Path)) else ""
        if not text or "\0" in text:
            raise self._invalid(value)
        if len(text) > _LONGEST_TEXT:
            raise ConfigError(f"a value of {len(text)} characters", where=self.flag, remedy=self.option.remedy)
        if self.name == "out":
            try:
                text.encode()
            except UnicodeEncodeError as e:
                raise ConfigError(
                    f"{text!r} is not UTF-8 text", where=self.flag, remedy="choose a folder whose name is UTF-8"
                ) from e
        return Path(text) if self.base == "Path" else text

    def check(self, value: Any) -> None:
        """Raises ConfigError for a value that is not allowed."""
        allowed = self.option.allowed
        if value is None or allowed is None:
            return
        if not (re.fullmatch(allowed, value) if isinstance(allowed, str) else allowed(value)):
            raise self._invalid(value)

    def _invalid(self, value: Any) -> ConfigError:
        return ConfigError(f"invalid value: {value!r:.100}", where=self.flag, remedy=self.option.remedy)

    def from_file(self, value: Any, path: Path) -> Any:
        """A value of the TOML file at ``path``, checked; relative paths start at its folder.

        Raises:
            ConfigError: of another type.
        """
        if self.is_repeatable or self.name == "video":
            values = value if isinstance(value, list) else [value]
            if not values or not all(isinstance(v, str) and v for v in values):
                one = "path" if self.option.is_path else "name"
                raise ConfigError(f"{self.name!r} needs a {one} or a list of them", where=path)
            found = [path.parent / v if self.option.is_path else v for v in values]
            return found if self.name == "video" else tuple(found)
        if self.base == "bool":
            return self._of_type(value, (bool,), "true or false", path)
        if self.base in ("int", "float"):
            return self._of_type(value, (int, float) if self.base == "float" else (int,), "a number", path)
        if self.name.endswith("_track") and isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        text = self._of_type(value, (str,), "a text", path)
        if not text:
            raise ConfigError(f"{self.name!r} needs a text, not {value!r}", where=path)
        beside = path.parent / text
        return beside if self.option.is_path or (self.option.may_be_path and beside.exists()) else text

    def absolute(self, value: Any) -> Any:
        """A value whose paths do not depend on the folder that a process starts in."""
        if isinstance(value, tuple):
            return tuple(map(self.absolute, value))
        if isinstance(value, Path):
            return value.absolute()
        is_file = self.option.may_be_path and isinstance(value, str) and Path(value).exists()
        return str(Path(value).absolute()) if is_file else value

    def _of_type(self, value: Any, types: tuple[type, ...], wanted: str, path: Path) -> Any:
        if isinstance(value, types) and (bool in types or not isinstance(value, bool)):
            return value
        raise ConfigError(f"{self.name!r} needs {wanted}, not {value!r}", where=path)


ROWS = tuple(Row(f.name, str(f.type), f.default, f.metadata["option"]) for f in dataclasses.fields(EpisodeConfig))
"""The table of options, in the order of ``--help``."""

OPTIONS = tuple(row.name for row in ROWS)
"""The keys that a TOML file may hold; ``video`` may be a list there."""


def load_config(path: Path) -> dict[str, Any]:
    """The options that a TOML file sets, checked; paths in it start at the file's own folder.

    Dashes in keys count as underscores, so that a key may look like its flag. ``video`` comes back as a list.

    Raises:
        ConfigError: no such file, no TOML, an unknown key (the nearest known one is named), or a wrong type.
    """
    try:
        data = read_toml(path)
    except OSError as e:
        raise ConfigError("the configuration file cannot be read", where=path, remedy=e.strerror) from e
    except ValueError as e:
        raise ConfigError(f"not valid TOML: {e}", where=path) from e
    rows = {row.name: row for row in ROWS}
    options: dict[str, Any] = {}
    for key, value in data.items():
        name = key.replace("-", "_")
        if name not in rows:
            raise ConfigError(f"there is no option {key!r}", where=path, remedy=_nearest(name, OPTIONS))
        options[name] = rows[name].from_file(value, path)
    return options


def command_of(configs: Sequence[EpisodeConfig]) -> str:
    """The command that makes these episodes, which differ in their videos alone; to be copied into a shell. Pure."""
    words = ["python", "run_pipeline.py", *(word for config in configs for word in ("--video", str(config.video)))]
    for row in ROWS:
        value = getattr(configs[0], row.name)
        if row.name == "out" or (value != row.default and row.option.shapes_result and row.name != "video"):
            for each in value if row.is_repeatable else (value,):
                if isinstance(each, bool):
                    words.append(row.flag if each else f"--no-{row.flag[2:]}")
                else:
                    words += [f"{row.flag}={each}"] if str(each).startswith("-") else [row.flag, str(each)]
    return shlex.join(words)


def _nearest(name: str, known: Iterable[str]) -> str:
    known = list(known)
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"did you mean {close[0]!r}?" if close else f"the options are {', '.join(known)}"


def merge(*layers: Mapping[str, Any]) -> dict[str, Any]:
    """Options from several places, later ones first; a None says nothing."""
    merged: dict[str, Any] = {}
    for layer in layers:
        merged.update({k: v for k, v in layer.items() if v is not None})
    return merged


def require_file(path: Path, *, what: str) -> Path:
    """``path`` if there is a file that can be opened, else an ``InputError`` that says what was looked for."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise InputError(f"expected a file ({what})", where=path)
        with path.open("rb"):
            return path
    except FileNotFoundError as e:
        raise InputError(f"there is no such {what}", where=path) from e
    except OSError as e:
        raise InputError(f"the {what} cannot be opened", where=path, remedy=e.strerror) from e
