"""The registry of public checkpoints: nothing invented, nothing contradictory, and the voice is always the voice."""

from __future__ import annotations

import re
import string
from dataclasses import replace

import pytest

from video_preprocessing.uvr5.checkpoints.registry import (
    HOLDS_THE_VOICE,
    KnownModel,
    facts_for_md5,
    find_model,
    known_models,
    model_for_sha256,
    similar_names,
)

MODELS = known_models()

# What UVR calls the output of each network (its primary stem), and RVC's code says of its own pack; from their
# published lists, not from ours.
PUBLISHED_OUTPUT = {
    "Instrumental": [
        *("HP2", "HP5", "1_HP-UVR", "2_HP-UVR", "5_HP-Karaoke-UVR", "6_HP-Karaoke-UVR", "7_HP2-UVR", "8_HP2-UVR"),
        *("9_HP2-UVR", "10_SP-UVR-2B-32000-1", "11_SP-UVR-2B-32000-2", "12_SP-UVR-3B-44100", "13_SP-UVR-4B-44100-1"),
        *("14_SP-UVR-4B-44100-2", "15_SP-UVR-MID-44100-1", "16_SP-UVR-MID-44100-2", "MGM_MAIN_v4", "MGM_HIGHEND_v4"),
        *("MGM_LOWEND_A_v4", "MGM_LOWEND_B_v4"),
    ],
    "Vocals": ["HP3", "3_HP-Vocal-UVR", "4_HP-Vocal-UVR"],
    "Backing vocals": ["UVR-BVE-4B_SN-44100-1"],
    "No Echo": ["VR-DeEchoNormal", "VR-DeEchoAggressive", "UVR-De-Echo-Normal", "UVR-De-Echo-Aggressive"],
    "No Reverb": ["VR-DeEchoDeReverb", "UVR-DeEcho-DeReverb", "UVR-De-Reverb-aufr33-jarredou"],
    "Reverb": ["Reverb_HQ_By_FoxJoy"],
    "Noise": ["UVR-DeNoise", "UVR-DeNoise-Lite"],
    "No Woodwinds": ["17_HP-Wind_Inst-UVR"],
}
VOICE_IS_IN_THE_OUTPUT = {
    "Instrumental": False,
    "Vocals": True,
    "Backing vocals": False,
    "No Echo": True,
    "No Reverb": True,
    "Reverb": False,
    "Noise": False,
    "No Woodwinds": True,
}


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.name)
def test_the_kept_stem_is_the_voice(model: KnownModel) -> None:
    (published,) = (output for output, names in PUBLISHED_OUTPUT.items() if model.name in names)
    in_the_mask = VOICE_IS_IN_THE_OUTPUT[published]
    assert model.keep == ("mask" if in_the_mask else "residual")
    assert model.kept == (model.mask_gives if in_the_mask else model.residual_is)
    assert HOLDS_THE_VOICE[model.kept]
    assert not HOLDS_THE_VOICE[model.dropped]
    assert {model.kept, model.dropped} == set(model.stems)


def test_the_table_and_the_registry_name_the_same_models() -> None:
    assert {m.name for m in MODELS} == {name for names in PUBLISHED_OUTPUT.values() for name in names}


@pytest.mark.parametrize(
    "wrong",
    [
        {"keep": "residual"},
        {"keep": "neither"},
        {"mask_gives": "accompaniment"},
        {"residual_is": "dry"},
        {"mask_gives": "bagpipes"},
    ],
)
def test_a_model_whose_kept_stem_is_no_voice_cannot_be_made(wrong: dict[str, str]) -> None:
    model = find_model("4_HP-Vocal-UVR")
    assert model is not None
    with pytest.raises(ValueError, match=r"voice|neither mask nor residual|stem"):
        replace(model, **wrong)


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.name)
def test_entries_are_complete_and_well_formed(model: KnownModel) -> None:
    assert model.architecture in ("vr-5.0", "vr-5.1", "mdx-net")
    assert (model.band_plan is None) == (model.architecture == "mdx-net") == (model.mdx is not None)
    assert model.sha256 or model.uvr_md5, "a download could not be checked"
    for digest, length in ((model.sha256, 64), (model.uvr_md5, 32)):
        assert digest is None or (len(digest) == length and set(digest) <= set(string.hexdigits.lower()))
    assert model.urls
    assert all(re.fullmatch(r"https://(huggingface\.co|github\.com)/[^\s?]+\.(pth|onnx)", url) for url in model.urls)
    assert model.size_bytes is None or 10_000_000 < model.size_bytes < 600_000_000
    assert model.summary.endswith(".")
    assert "/" not in model.file


def test_names_and_hashes_are_unambiguous() -> None:
    for model in MODELS:
        for name in model.names:
            assert find_model(name) is model
    for hashes in ([m.sha256 for m in MODELS], [m.uvr_md5 for m in MODELS], [m.file for m in MODELS]):
        known = [h for h in hashes if h is not None]
        assert len(set(known)) == len(known)


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ("HP5", "HP5"),
        ("hp5", "HP5"),
        ("HP5_only_main_vocal.pth", "HP5"),
        ("HP5-主旋律人声vocals+其他instrumentals", "HP5"),
        ("HP2_all_vocals", "HP2"),
        ("DeEcho-Normal", "UVR-De-Echo-Normal"),
        ("de-echo-aggressive", "UVR-De-Echo-Aggressive"),
        ("VR-DeEchoNormal", "VR-DeEchoNormal"),
        ("DeEcho-DeReverb", "UVR-DeEcho-DeReverb"),
        ("DeNoise", "UVR-DeNoise"),
        ("karaoke", "5_HP-Karaoke-UVR"),
        ("onnx_dereverb_By_FoxJoy", "Reverb_HQ_By_FoxJoy"),
        ("MGM_MAIN_v4.pth", "MGM_MAIN_v4"),
    ],
)
def test_people_find_what_they_ask_for(asked: str, name: str) -> None:
    model = find_model(asked)
    assert model is not None
    assert model.name == name


@pytest.mark.parametrize("asked", ["", "HP", "dialogue", "none", "HP5.txt", "../HP5", "HP2HP3"])
def test_nothing_else_is_found(asked: str) -> None:
    assert find_model(asked) is None


def test_typing_errors_are_understood() -> None:
    assert similar_names("DeEko-Normal")[0] == "UVR-De-Echo-Normal"
    assert similar_names("HP2_all_vocal")[:2] == ["HP2", "HP3"]
    assert similar_names("dialoge", among=("dialogue",)) == ["dialogue"]
    assert similar_names("qqqqqqqq") == []


def test_hashes_tell_what_a_file_is() -> None:
    dereverb = find_model("UVR-DeEcho-DeReverb")
    assert facts_for_md5("0fb9249ffe4ffc38d7b16243f394c0ff") is dereverb
    assert model_for_sha256("e644028ec82865dc0fe082bc6fea85a43f7c71cfe375caee2da2d154aa661ee7") is dereverb
    assert facts_for_md5("0" * 32) is None
    assert model_for_sha256("0" * 64) is None
    # A hash that public lists give without a name still says what the outputs are.
    vocal_model = facts_for_md5("911d4048eee7223eca4ee0efb7d29256")
    assert vocal_model is not None
    assert not isinstance(vocal_model, KnownModel)
    assert (vocal_model.band_plan, vocal_model.keep, vocal_model.kept) == ("4band_44100", "mask", "vocals")


def test_every_band_plan_is_there() -> None:
    from video_preprocessing.uvr5.signal.band_plan import plan_names

    assert {m.band_plan for m in MODELS if m.band_plan} <= set(plan_names())
