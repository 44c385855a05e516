"""Band plans: all public ones, and what users may hand in instead."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from video_preprocessing.uvr5.signal.band_plan import BandPlan, band_plan, plan_for_md5, plan_names, plans_with_bins
from yuki_builder.errors import CheckpointError

PLAN: dict[str, Any] = {
    "bins": 96,
    "sr": 16000,
    "pre_filter_start": 94,
    "pre_filter_stop": 96,
    "band": {
        "1": {"sr": 8000, "hl": 64, "n_fft": 128, "crop_start": 0, "crop_stop": 40, "lpf_start": 30, "lpf_stop": 40},
        "2": {"sr": 16000, "hl": 128, "n_fft": 256, "crop_start": 30, "crop_stop": 86, "hpf_start": 40, "hpf_stop": 30},
    },
}


def test_all_public_plans_are_there() -> None:
    assert len(plan_names()) == 26
    for name in plan_names():
        plan = band_plan(name)
        assert plan.name == name
        assert plan.bins % 32 == 0 or plan.bins > 1000  # both halves of the band are halved four times
        assert plan.alignment_samples % plan.hop == 0
        assert BandPlan.from_dict(plan.to_dict()) == plan


def test_figures_of_one_plan() -> None:
    plan = band_plan("4band_v2")
    assert (plan.bins, plan.sample_rate_hz, len(plan.bands)) == (672, 44100, 4)
    assert [b.sample_rate_hz for b in plan.bands] == [7350, 7350, 14700, 44100]
    assert plan.split_bin == 85
    assert plan.hop == 480


@pytest.mark.parametrize(
    ("name", "channels", "generation"),
    [
        ("3band_44100_mid", "mid_side", "5.0"),
        ("3band_44100_msb2", "mid_side_b2", "5.0"),
        ("4band_44100_reverse", "reverse", "5.0"),
        ("4band_44100_sw", "plain", "5.0"),
        ("4band_v3_sn", "plain", "5.1"),
    ],
)
def test_whose_signal_path(name: str, channels: str, generation: str) -> None:
    assert (band_plan(name).channels, band_plan(name).generation) == (channels, generation)


def test_channels_of_a_band() -> None:
    assert [b.channels for b in band_plan("4band_v3_sn").bands] == ["plain", "plain", "plain", "stereo_n"]


def test_plans_by_hash_and_by_bins() -> None:
    found = plan_for_md5("47939caf0cfe52a0e81442b85b971dfd")
    assert found is not None
    assert found.name == "4band_44100"
    assert plan_for_md5("0" * 32) is None
    assert {p.name for p in plans_with_bins(640)} >= {"3band_44100_msb2"}
    assert plans_with_bins(17) == []


def test_a_plan_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "mine.json").write_text(json.dumps(PLAN))
    plan = BandPlan.from_file(tmp_path / "mine.json")
    assert (plan.bins, plan.hop, plan.split_bin) == (96, 128, 40)


def broken(**changes: Any) -> dict[str, Any]:
    return {**PLAN, **changes}


def band(number: str, **changes: Any) -> dict[str, Any]:
    return broken(band={**PLAN["band"], number: {**PLAN["band"][number], **changes}})


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({}, "'band' is missing"),
        (broken(sr=44100), "not at the plan's"),
        (broken(bins=20), "more than its 20 bins"),
        (broken(n_bins=96, pre_filter_stop=90), "pre-filter from bin 94 to 90"),
        (broken(pre_filter_stop=-1), "pre-filter from bin 94 to -1"),
        (broken(band={}), "0 bands"),
        (broken(band=[1]), "not a band plan"),
        (band("1", hl=60), "not the same time"),
        (band("1", hl=0), "every 0"),
        (band("1", n_fft=10**9), "window of 1000000000"),
        (band("1", crop_stop=100), "edges outside"),
        (broken(bins=10**12), "stack of 1000000000000"),
        (broken(pre_filter_stop=98), "pre-filter outside"),
        (band("1", lpf_start=41), "fade out from bin 41 to 40"),
        (band("1", lpf_start=0), "fade out from bin 0"),
        (band("2", hpf_start=29), "fade in from bin 30 to 29"),
        (band("2", hpf_start=128), "fade in from bin 30 to 128"),
        (band("2", convert_channels="upside_down"), "upside_down"),
        (band("2", sr="fast"), "not a band plan"),
    ],
)
def test_what_is_no_plan_is_refused_in_one_line(data: dict[str, Any], message: str) -> None:
    with pytest.raises(CheckpointError, match=message) as error:
        BandPlan.from_public(data, "mine.json")
    assert "mine.json" in str(error.value)


def test_unreadable_files_and_unknown_names(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("{")
    with pytest.raises(CheckpointError, match="JSON"):
        BandPlan.from_file(tmp_path / "x.json")
    with pytest.raises(CheckpointError, match="4band_v2"):
        band_plan("5band")
