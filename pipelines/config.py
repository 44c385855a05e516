"""What a run is told to do: defaults, then a TOML file, then the command line's flags."""

from __future__ import annotations

import dataclasses
import difflib
import re
import stat
from collections.abc import Iterable, Mapping
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import Any

from yuki_builder.errors import ConfigError, InputError
from yuki_builder.untrusted import read_toml

# Options whose text has a form, and what to give instead of any other.
_FORMS = (
    ("device", r"auto|cpu|cuda(:\d+)?", "use auto, cpu or cuda"),
    ("precision", "auto|float32|bfloat16", "give auto, float32 or bfloat16"),
    ("quality", "basic|dnsmos", "give basic or dnsmos"),
    ("chinese", "keep|simplified|traditional", "give keep, simplified or traditional"),
    ("language", "[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{1,8})*", "give a code such as ja, zh or en"),
)

_MOST_FRAMES = 1 << 16
_LONGEST_TEXT = 4096  # no path is longer


@dataclass(frozen=True)
class EpisodeConfig:
    """One episode's options. Every field but ``video`` is an option of the command line and a key of the TOML file.

    Attributes:
        video: a media file (video or plain audio).
        out: the output folder; the episode gets a folder of its own in it.
        subtitles: ``auto`` (a file beside the video, else the best text track inside it), ``none``, or a file.
        audio_track: position among the audio tracks (``"0"``) or a language (``"jpn"``); None = the best guess.
        subtitle_track: the same for the subtitle tracks inside the video.
        language: the language to read (``ja``, ``zh``…): preferred among subtitle files and tracks, and in subtitles
            of two languages the one that becomes the text.
        chinese: ``keep``, ``simplified`` or ``traditional``: what Chinese text is converted to.
        resync: move subtitles that do not fit the voice: late, of another frame rate, or of another cut.
        aliases: a TOML file of names that are one character; None: ``aliases.toml`` in ``out``, if it is there.
        characters: who may be speaking: a gallery folder, a role_audios folder or an annotated CSV.
        separator: what takes music and effects away: a model's name, a checkpoint file, several of these joined by
            ``+``, or ``none``.
        band_plan: the band plan of a public checkpoint that is not known by its hash: a name, or a JSON file.
        window_frames: frames of one network window of the separator; None for the network's own.
        crossfade: frames over which neighbouring windows of the separator fade into each other; 0 joins them hard.
        aggressiveness: 0 to 1, how hard the masks of public checkpoints are made; None as their own tools do.
        precision: what the separator computes in: ``auto``, ``float32`` or ``bfloat16``.
        tta: test-time augmentation: separate twice with shifted windows and take the mean.
        post_process: with public checkpoints, give what the voice's estimate barely hears to the accompaniment.
        high_end: with public checkpoints, fill the top that the band plan cuts off from the mirrored band below.
        isolate_enrolment: run the separator over the clips of ``characters`` too (for clips with music under them).
        diarizer: who finds the turns: ``embedded``, ``pyannote``, a hub name, or a folder with a pipeline.
        quality: ``basic`` figures of each line (level, clipping, bandwidth, pace), or ``dnsmos`` as well.
        export: names of exports of the corpus (``run_pipeline.py export --help`` lists them).
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``. Changes the speed, hence no reason to redo a stage.
        force: redo every stage.
    """

    video: Path
    _: KW_ONLY
    out: Path = Path("out")
    subtitles: str = "auto"
    audio_track: str | None = None
    subtitle_track: str | None = None
    language: str | None = None
    chinese: str = "keep"
    resync: bool = True
    aliases: Path | None = None
    characters: Path | None = None
    separator: str = "dialogue"
    band_plan: str | None = None
    window_frames: int | None = None
    crossfade: int = 0
    aggressiveness: float | None = None
    precision: str = "auto"
    tta: bool = False
    post_process: bool = False
    high_end: bool = False
    isolate_enrolment: bool = False
    diarizer: str = "embedded"
    quality: str = "basic"
    export: tuple[str, ...] = ()
    device: str = "auto"
    force: bool = False

    def __post_init__(self) -> None:
        # Strings are welcome as paths (notebooks, TOML), and paths as names (a checkpoint, a subtitle file).
        for name in ("video", "out", "characters", "aliases"):
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, Path(_text(name, value)))
        for name in ("subtitles", "separator", "diarizer", "device", "chinese", "precision", "quality"):
            object.__setattr__(self, name, _text(name, getattr(self, name)))
        object.__setattr__(self, "export", tuple(_text("export", name) for name in self.export))
        if self.language is not None:
            object.__setattr__(self, "language", _text("language", self.language))
        if self.band_plan is not None:
            object.__setattr__(self, "band_plan", _text("band_plan", self.band_plan))
        for name in ("audio_track", "subtitle_track"):
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, _text(name, str(value) if isinstance(value, int) else value))
        for name, pattern, remedy in _FORMS:
            value = getattr(self, name)
            if value is not None and not re.fullmatch(pattern, value):
                raise ConfigError(f"{value!r} is no value for it", where=_flag(name), remedy=remedy)
        self._check_separator_numbers()
        if self.isolate_enrolment and self.separator == "none":
            raise ConfigError("--separator none leaves nothing to isolate clips with", where="--isolate-enrolment")

    def _check_separator_numbers(self) -> None:
        if self.aggressiveness is not None and not 0 <= self.aggressiveness <= 1:
            raise ConfigError(
                f"{self.aggressiveness!r:.50}", where="--aggressiveness", remedy="give a number from 0 to 1"
            )
        if self.window_frames is not None and (not 0 < self.window_frames <= _MOST_FRAMES or self.window_frames % 16):
            what = f"{self.window_frames!r:.50} frames"
            raise ConfigError(what, where="--window-frames", remedy=f"give a multiple of 16 up to {_MOST_FRAMES}")
        if not 0 <= self.crossfade <= _MOST_FRAMES:
            what = f"{self.crossfade!r:.50} frames"
            raise ConfigError(what, where="--crossfade", remedy=f"give 0 to {_MOST_FRAMES}")

    def to_dict(self) -> dict[str, Any]:
        """The options that shape the result, as plain JSON values."""
        left_out = ("video", "out", "device", "export", "force")
        values = {f.name: getattr(self, f.name) for f in dataclasses.fields(self) if f.name not in left_out}
        return {name: str(value) if isinstance(value, Path) else value for name, value in values.items()}


def _text(name: str, value: Any) -> str:
    text = str(value) if isinstance(value, (str, Path)) else ""
    if not text or "\0" in text:
        raise ConfigError(f"{value!r} is no value for it", where=_flag(name), remedy="give a name or a path")
    if len(text) > _LONGEST_TEXT:
        raise ConfigError(f"a value of {len(text)} characters", where=_flag(name), remedy="give a name or a path")
    if name == "out":
        try:
            text.encode()
        except UnicodeEncodeError as e:
            raise ConfigError(
                f"{text!r} is no UTF-8 text", where="--out", remedy="choose a folder whose name is, for what is written"
            ) from e
    return text


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


OPTIONS = tuple(f.name for f in dataclasses.fields(EpisodeConfig))
"""The keys that a TOML file may hold; ``video`` may be a list there."""

_PATHS = ("video", "out", "characters", "aliases")
_NAMES_OR_PATHS = ("subtitles", "separator", "diarizer", "band_plan")
_BOOLEANS = ("resync", "isolate_enrolment", "tta", "post_process", "high_end", "force")
_NUMBERS: dict[str, type] = {"window_frames": int, "crossfade": int, "aggressiveness": float}


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
        raise ConfigError(f"this is no TOML: {e}", where=path) from e
    options: dict[str, Any] = {}
    for key, value in data.items():
        name = key.replace("-", "_")
        if name not in OPTIONS:
            raise ConfigError(f"there is no option {key!r}", where=path, remedy=_nearest(name, OPTIONS))
        options[name] = _checked(name, value, path)
    return options


def _nearest(name: str, known: Iterable[str]) -> str:
    known = list(known)
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"did you mean {close[0]!r}?" if close else f"the options are {', '.join(known)}"


def _checked(name: str, value: Any, path: Path) -> Any:
    if name in ("video", "export"):
        values = value if isinstance(value, list) else [value]
        if values and all(isinstance(v, str) and v for v in values):
            return tuple(values) if name == "export" else [path.parent / v for v in values]
        raise ConfigError(f"{name!r} wants a {'path' if name == 'video' else 'name'} or a list of them", where=path)
    if name in _BOOLEANS:
        if isinstance(value, bool):
            return value
        raise ConfigError(f"{name!r} wants true or false, not {value!r}", where=path)
    if name in _NUMBERS:
        if isinstance(value, (int, _NUMBERS[name])) and not isinstance(value, bool):
            return value
        raise ConfigError(f"{name!r} wants a number, not {value!r}", where=path)
    if name in ("audio_track", "subtitle_track") and isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str) or not value:
        raise ConfigError(f"{name!r} wants a text, not {value!r}", where=path)
    beside = path.parent / value
    if name in _PATHS or (name in _NAMES_OR_PATHS and beside.exists()):
        return beside
    return value


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
            raise InputError(f"this is no file, and a {what} is wanted", where=path)
        with path.open("rb"):
            return path
    except FileNotFoundError as e:
        raise InputError(f"there is no such {what}", where=path) from e
    except OSError as e:
        raise InputError(f"the {what} cannot be opened", where=path, remedy=e.strerror) from e
