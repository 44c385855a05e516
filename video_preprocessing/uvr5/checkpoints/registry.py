"""The public separation checkpoints by name: what each file is, where it comes from, and which output is the voice.

The facts are in ``registry.json``. "Vocals are never the accompaniment": public lists disagree on what a network's
own output is called, and files were published whose two outputs landed in each other's folders. Here every model
says what its mask gives, what the residual (the mixture minus that) is, and which of the two a dialogue chain goes on
with; a record in which that is no voice cannot be made.
"""

from __future__ import annotations

import difflib
import functools
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from yuki_builder.records import Record

Architecture = Literal["vr-5.0", "vr-5.1", "mdx-net"]
Voice = Literal["mask", "residual"]

_FILE = Path(__file__).with_name("registry.json")

# Every stem that a network here gives or leaves, and whether the dialogue is in it.
HOLDS_THE_VOICE = {
    "vocals": True,
    "lead vocals": True,
    "dry": True,
    "denoised": True,
    "no woodwinds": True,
    "no piano": True,
    "accompaniment": False,
    "accompaniment and backing vocals": False,
    "backing vocals": False,
    "echo": False,
    "reverb": False,
    "noise": False,
    "woodwinds": False,
    "piano": False,
}


@dataclass(frozen=True, slots=True)
class StemFacts(Record):
    """What a checkpoint's two outputs are.

    Attributes:
        mask_gives: what the network itself puts out; one of ``HOLDS_THE_VOICE``.
        residual_is: what the mixture minus that is.
        keep: the output that a dialogue chain goes on with, ``mask`` or ``residual``.
        band_plan: name of its signal path; None where it has none (MDX-Net).
        uvr_md5: MD5 of the file's last 10,000 * 1024 bytes, by which UVR knows it; None where not established.

    Raises:
        ValueError: an unknown stem, or the kept one is not the one with the voice.
    """

    mask_gives: str
    residual_is: str
    keep: Voice
    band_plan: str | None = None
    uvr_md5: str | None = None

    def __post_init__(self) -> None:
        for stem in self.stems:
            if stem not in HOLDS_THE_VOICE:
                raise ValueError(f"{stem!r} is no known stem")
        if self.keep not in ("mask", "residual"):
            raise ValueError(f"keep is {self.keep!r}, neither mask nor residual")
        if not HOLDS_THE_VOICE[self.kept] or HOLDS_THE_VOICE[self.dropped]:
            raise ValueError(f"of {self.mask_gives} and {self.residual_is}, {self.kept} would be kept as the voice")

    @property
    def stems(self) -> tuple[str, str]:
        """What the mask gives, and the residual."""
        return self.mask_gives, self.residual_is

    @property
    def kept(self) -> str:
        """The stem that goes on."""
        return self.mask_gives if self.keep == "mask" else self.residual_is

    @property
    def dropped(self) -> str:
        """The other one."""
        return self.residual_is if self.keep == "mask" else self.mask_gives


@dataclass(frozen=True, slots=True)
class MdxSizes(Record):
    """What an MDX-Net's file does not say of itself.

    Attributes:
        n_fft: window of its STFT in samples.
        dim_f: bins it sees, from 0 Hz up.
        dim_t: frames it sees.
        hop: step between frames in samples.
        sample_rate_hz: the rate it was trained at.
        compensation: factor on its output, which comes out slightly too quiet.
    """

    n_fft: int
    dim_f: int
    dim_t: int
    hop: int = 1024
    sample_rate_hz: int = 44_100
    compensation: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownModel(StemFacts):
    """One public checkpoint.

    Attributes:
        name: what it is called here.
        file: the file's name as published, and in the cache.
        architecture: ``vr-5.0``, ``vr-5.1`` or ``mdx-net``.
        purpose: what is taken apart: vocals, lead vocals, echo, reverb, noise, instruments.
        summary: what it is for, in a sentence.
        aliases: other names it answers to.
        urls: where it lies, the one whose hash was published first.
        size_bytes, sha256: of the file; None where not established.
        vocals_sdr_db: published median SDR of the vocals on MUSDB18.
        licence, author: as far as they say.
        note: what somebody who compares with other tools should know.
        mdx: sizes of an MDX-Net.
    """

    name: str
    file: str
    architecture: Architecture
    purpose: str
    summary: str
    aliases: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()
    size_bytes: int | None = None
    sha256: str | None = None
    vocals_sdr_db: float | None = None
    licence: str | None = None
    author: str | None = None
    note: str | None = None
    mdx: MdxSizes | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """All it answers to."""
        return (self.name, *self.aliases, self.file)


@functools.cache
def _registry() -> tuple[tuple[KnownModel, ...], tuple[StemFacts, ...]]:
    data = json.loads(_FILE.read_text(encoding="utf-8"))
    models = tuple(KnownModel.from_dict(entry) for entry in data["models"])
    return models, tuple(StemFacts.from_dict(entry) for entry in data["unnamed"])


def known_models() -> tuple[KnownModel, ...]:
    """All of them, in the order of the file."""
    return _registry()[0]


def find_model(name: str) -> KnownModel | None:
    """The model of that name, alias or file name; case, dashes and the extension do not matter, a path is no name."""
    return None if re.search(r"[/\\]", name) else _by_name().get(_plain(name))


def similar_names(name: str, *, among: tuple[str, ...] = ()) -> list[str]:
    """Names of models (and those of ``among``) that somebody who typed ``name`` may have meant, the nearest first."""
    by_plain = {_plain(n): n for n in among}
    for model in reversed(known_models()):
        by_plain |= {_plain(n): model.name for n in reversed(model.names)}
    near = difflib.get_close_matches(_plain(name), by_plain, n=5, cutoff=0.6)
    return list(dict.fromkeys(by_plain[n] for n in near))[:3]


def facts_for_md5(uvr_md5: str) -> StemFacts | None:
    """What is known of a file with this hash: a ``KnownModel``, or at least what its outputs are."""
    models, unnamed = _registry()
    return next((facts for facts in (*models, *unnamed) if facts.uvr_md5 == uvr_md5), None)


def model_for_sha256(sha256: str) -> KnownModel | None:
    """The model whose published file has this hash."""
    return next((model for model in known_models() if model.sha256 == sha256), None)


@functools.cache
def _by_name() -> dict[str, KnownModel]:
    return {_plain(name): model for model in reversed(known_models()) for name in reversed(model.names)}


def _plain(name: str) -> str:
    """``name`` without what people leave out or write differently."""
    stem = re.sub(r"\.(pth|onnx|safetensors)$", "", name.strip(), flags=re.IGNORECASE)
    return "".join(c for c in stem.casefold() if c.isalnum())
