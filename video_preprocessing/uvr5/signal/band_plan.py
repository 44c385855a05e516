"""Band plans: how the public UVR5 checkpoints want their spectrogram made, as numbers; free of torch.

A plan splits the spectrum into bands of their own sample rate, each with its own short-time Fourier transform, and
stacks the bins of all bands. ``band_plans.json`` holds the 26 public plans as the public parameter files give them,
and the checkpoints known to use them, by hash.
"""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from yuki_builder.errors import CheckpointError
from yuki_builder.records import Record
from yuki_builder.untrusted import read_json

Channels = Literal["plain", "mid_side", "mid_side_b2", "reverse", "mid_side_c", "stereo_n"]

_FILE = Path(__file__).with_name("band_plans.json")
# What the transform of a whole plan may be called, by its flag in the public files. Other flags of old files
# (mid_side_b, stereo_w) are not acted upon by the public tools either.
_FLAGS: dict[str, Channels] = {"mid_side": "mid_side", "mid_side_b2": "mid_side_b2", "reverse": "reverse"}
_LARGEST_FFT, _LARGEST_RATE_HZ, _MOST_BANDS = 1 << 16, 400_000, 16
_LARGEST_FILE = 1 << 20
_LARGEST_CORRECTION = 100.0


@dataclass(frozen=True, slots=True)
class Band:
    """One band; bins count from 0 Hz of its own spectrum.

    Attributes:
        sample_rate_hz: the band is resampled to this.
        hop: samples between frames; the same time in every band.
        n_fft: samples of the window.
        crop_start: first bin that goes into the stack.
        crop_stop: first bin above that does not.
        lpf_start: where the fade to the band above begins on the way back; None in the highest band.
        lpf_stop: where it ends.
        hpf_start: where the fade from the band below is complete; None in the lowest band.
        hpf_stop: where it begins.
        channels: what the two channels of its spectrum hold, see ``multiband``; v5.1 plans only.
    """

    sample_rate_hz: int
    hop: int
    n_fft: int
    crop_start: int
    crop_stop: int
    lpf_start: int | None = None
    lpf_stop: int | None = None
    hpf_start: int | None = None
    hpf_stop: int | None = None
    channels: Channels = "plain"

    def __post_init__(self) -> None:
        bins = self.n_fft // 2 + 1
        if not 0 < self.sample_rate_hz <= _LARGEST_RATE_HZ:
            raise ValueError(f"a sample rate of {self.sample_rate_hz} Hz")
        if not 2 <= self.n_fft <= _LARGEST_FFT or self.n_fft % 2 or not 0 < self.hop <= self.n_fft:
            raise ValueError(f"a window of {self.n_fft} samples every {self.hop}")
        edges = (self.lpf_start, self.lpf_stop, self.hpf_start, self.hpf_stop)
        if not 0 <= self.crop_start < self.crop_stop <= bins or any(e is not None and e > bins for e in edges):
            raise ValueError(f"edges outside the {bins} bins of a window of {self.n_fft} samples")
        if self.lpf_start is not None and self.lpf_stop is not None and not 0 < self.lpf_start <= self.lpf_stop:
            raise ValueError(f"a fade out from bin {self.lpf_start} to {self.lpf_stop}")
        if self.hpf_start and self.hpf_stop is not None and not self.hpf_stop <= self.hpf_start <= bins - 2:
            raise ValueError(f"a fade in from bin {self.hpf_stop} to {self.hpf_start}")

    @property
    def bins(self) -> int:
        """Bins that it gives to the stack."""
        return self.crop_stop - self.crop_start


@dataclass(frozen=True, slots=True)
class BandPlan(Record):
    """A public checkpoint's bands.

    Attributes:
        name: as the public parameter files are called.
        bins: height of the stack; the network's ``max_bin``. Those that no band fills are zero.
        sample_rate_hz: of the highest band, hence of input and output.
        bands: the lowest first.
        pre_filter_start: from this bin on the stack is turned down; none where it is not positive.
        pre_filter_stop: to this one.
        channels: what the two channels of the waveform hold before any transform; v5.0 plans only.
        generation: whose signal path it is; plans in the v5.1 form filter and turn channels otherwise.
        aggressiveness_correction: added to the aggressiveness, (left, right); v5.1 only.
    """

    name: str
    bins: int
    sample_rate_hz: int
    bands: tuple[Band, ...]
    pre_filter_start: int = -1
    pre_filter_stop: int = -1
    channels: Channels = "plain"
    generation: Literal["5.0", "5.1"] = "5.0"
    aggressiveness_correction: tuple[float, float] = (0.0, 0.0)

    def __post_init__(self) -> None:
        if not 1 <= len(self.bands) <= _MOST_BANDS:
            raise ValueError(f"{len(self.bands)} bands")
        if not all(abs(each) <= _LARGEST_CORRECTION for each in self.aggressiveness_correction):
            raise ValueError(f"corrections of the aggressiveness by {self.aggressiveness_correction}")
        if self.bins > _LARGEST_FFT:
            raise ValueError(f"a stack of {self.bins} bins")
        if sum(b.bins for b in self.bands) > self.bins:
            raise ValueError(f"the bands have more than its {self.bins} bins")
        if max(self.pre_filter_start, self.pre_filter_stop) > self.bins + 1:
            raise ValueError(f"a pre-filter outside its {self.bins} bins")
        # One public v5.0 plan ends its filter before it starts: a cut without a ramp.
        earliest = self.pre_filter_start if self.generation == "5.1" else 0
        if self.pre_filter_start > 0 and self.pre_filter_stop < earliest:
            raise ValueError(f"a pre-filter from bin {self.pre_filter_start} to {self.pre_filter_stop}")
        if self.bands[-1].sample_rate_hz != self.sample_rate_hz:
            raise ValueError(f"the last band is not at the plan's {self.sample_rate_hz} Hz")
        if len({b.hop / b.sample_rate_hz for b in self.bands}) != 1:
            raise ValueError("the bands' hops are not the same time")

    @property
    def hop(self) -> int:
        """Samples between frames at the plan's own rate."""
        return self.bands[-1].hop

    @property
    def split_bin(self) -> int:
        """Where the lowest band ends; below it aggressiveness is gentler."""
        return self.bands[0].crop_stop

    @property
    def high_end_bins(self) -> int:
        """Bins at the top of the highest band that the stack leaves out; ``mirroring`` fills them."""
        top = self.bands[-1]
        return max(0, top.n_fft // 2 - top.crop_stop + self.pre_filter_stop - self.pre_filter_start)

    @property
    def alignment_samples(self) -> int:
        """A stream begun at a multiple of this is in phase with an unbroken one: all hops, all resamplers."""
        step = self.hop
        for band in self.bands:
            step = math.lcm(step, self.sample_rate_hz // math.gcd(self.sample_rate_hz, band.sample_rate_hz))
        return step

    @property
    def warm_up_samples(self) -> int:
        """After this many samples nothing is heard of where a stream was begun; windows and filters of all bands."""
        longest = max(b.n_fft * self.sample_rate_hz // b.sample_rate_hz for b in self.bands)
        return 2 * longest + sum(_FILTER_SAMPLES * self.sample_rate_hz // b.sample_rate_hz for b in self.bands)

    @classmethod
    def from_public(cls, data: Mapping[str, Any], name: str) -> BandPlan:
        """A plan from the public parameter format.

        Raises:
            CheckpointError: something is missing or makes no sense; the message says what.
        """
        try:
            return _plan(data, name)
        except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as e:
            what = f"{e} is missing" if isinstance(e, KeyError) else str(e)
            raise CheckpointError(f"not a band plan: {what}", where=name) from e

    @classmethod
    def from_file(cls, path: Path) -> BandPlan:
        """A plan from a JSON file in the public parameter format.

        Raises:
            CheckpointError: it cannot be read, or is none.
        """
        try:
            data = read_json(path, max_bytes=_LARGEST_FILE)
        except (OSError, ValueError) as e:
            raise CheckpointError("not readable as a band plan in JSON", where=path) from e
        return cls.from_public(data, str(path))


# Half the length of a resampler's filter, at the lower of its two rates, generously.
_FILTER_SAMPLES = 512


def _plan(data: Mapping[str, Any], name: str) -> BandPlan:
    listed = data["band"]
    bands = tuple(_band(listed[key]) for key in sorted(listed, key=int))
    correction = data.get("aggr_correction") or {}
    return BandPlan(
        name=name,
        bins=int(data["n_bins"] if "n_bins" in data else data["bins"]),
        sample_rate_hz=int(data["sr"]),
        bands=bands,
        pre_filter_start=int(data["pre_filter_start"]),
        pre_filter_stop=int(data["pre_filter_stop"]),
        channels=next((kind for flag, kind in _FLAGS.items() if data.get(flag)), "plain"),
        generation="5.1" if "n_bins" in data else "5.0",
        aggressiveness_correction=(float(correction.get("left", 0.0)), float(correction.get("right", 0.0))),
    )


def _band(data: Mapping[str, Any]) -> Band:
    channels = data.get("convert_channels", "plain")
    if channels not in get_args(Channels):
        raise ValueError(f"channels {channels!r}")

    def edge(key: str) -> int | None:
        value = data.get(key)
        return int(value) if value is not None and int(value) >= 0 else None

    return Band(
        sample_rate_hz=int(data["sr"]),
        hop=int(data["hl"]),
        n_fft=int(data["n_fft"]),
        crop_start=int(data["crop_start"]),
        crop_stop=int(data["crop_stop"]),
        lpf_start=edge("lpf_start"),
        lpf_stop=edge("lpf_stop"),
        hpf_start=edge("hpf_start"),
        hpf_stop=edge("hpf_stop"),
        channels=channels,
    )


@functools.cache
def _facts() -> Mapping[str, Any]:
    return dict(json.loads(_FILE.read_text(encoding="utf-8")))


def plan_names() -> list[str]:
    """The public plans."""
    return sorted(_facts()["plans"])


@functools.cache
def band_plan(name: str) -> BandPlan:
    """A public plan by name.

    Raises:
        CheckpointError: there is none of that name.
    """
    plans = _facts()["plans"]
    if name not in plans:
        raise CheckpointError(
            f"unknown band plan {name!r}",
            where="--band-plan",
            remedy=f"give the path of a JSON file, or one of {', '.join(plan_names())}",
        )
    return BandPlan.from_public(plans[name], name)


def plan_for_md5(md5: str) -> BandPlan | None:
    """The plan of a public checkpoint by its UVR hash; None for one that nobody listed."""
    found = _facts()["uvr_md5"].get(md5)
    return None if found is None else band_plan(found)


def plans_with_bins(bins: int) -> list[BandPlan]:
    """The public plans whose stack has that height."""
    return [plan for plan in map(band_plan, plan_names()) if plan.bins == bins]
