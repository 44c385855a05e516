"""The subtitle file beside a video: its own, the best, always the same one."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yuki_builder.subtitles import find_sidecar
from yuki_builder.subtitles.sidecar import choose_sidecar

relaxed = settings(deadline=None)  # a busy machine is no failure


@pytest.mark.parametrize(
    ("names", "best"),
    [
        (["ep01.srt"], "ep01.srt"),
        (["ep01.srt", "ep01.ass"], "ep01.ass"),
        (["ep01.ssa", "ep01.vtt"], "ep01.ssa"),
        (["ep01.vtt", "ep01.srt"], "ep01.vtt"),
        (["ep01.zh.ass", "ep01.srt"], "ep01.srt"),
        (["ep01.zh.srt", "ep01.en.srt"], "ep01.en.srt"),
        (["ep01.zh.srt", "ep01.zh.ass"], "ep01.zh.ass"),
        (["ep01.zh-Hans.srt"], "ep01.zh-Hans.srt"),
        (["ep01.chs&jap.ass"], "ep01.chs&jap.ass"),
        (["ep01.简体.ass"], "ep01.简体.ass"),
        (["ep01.forced.ass", "ep01.en.sdh.srt"], "ep01.en.sdh.srt"),
        (["ep01.en.forced.srt"], "ep01.en.forced.srt"),
        (["ep01.signs.ass", "ep01.en.full.srt"], "ep01.en.full.srt"),
        (["ep01.Signs_Songs.ass", "ep01.en.srt"], "ep01.en.srt"),
        (["EP01.SRT"], "EP01.SRT"),
        (["ep01.Ass"], "ep01.Ass"),
        (["ep010.srt", "ep01.5.srt", "ep1.srt", "ep01x.srt", "ep01 - 2.srt", "xep01.srt", "ep01-zh.srt"], None),
        (["ep01.e02.srt", "ep01.part2.srt", "ep01.cd1.srt", "ep01.S01E02.srt"], None),
        (["ep01.txt", "ep01.nfo", "ep01.mkv.srt2", "ep01"], None),
        (["ep01..srt"], None),
        (["ep01.sub", "ep01.idx"], None),
        (["ep01.sub"], "ep01.sub"),
        (["ep01.extra.mkv", "ep01.extra.srt"], None),
        (["ep01.extra.mkv", "ep01.extra.zh.srt", "ep01.zh.srt"], "ep01.zh.srt"),
        ([], None),
    ],
)
def test_the_best_of_the_folder(names: list[str], best: str | None) -> None:
    assert choose_sidecar("ep01.mkv", ["ep01.mkv", *names]) == best
    assert choose_sidecar("ep01.mkv", [*reversed(names), "ep01.mkv"]) == best


def test_a_stem_with_dots_and_brackets() -> None:
    video = "[Group] Show - 05.5 (1080p) [AB12CD34].mkv"
    names = [video, "[Group] Show - 05.5 (1080p) [AB12CD34].zh.ass", "[Group] Show - 05.ass"]
    assert choose_sidecar(video, names) == names[1]
    assert choose_sidecar("[Group] Show - 05.mkv", names) == names[2]


def test_composed_and_decomposed_accents_are_one_name() -> None:
    assert choose_sidecar("e\u0301pisode.mkv", ["\u00e9pisode.srt"]) == "\u00e9pisode.srt"


@relaxed
@given(
    st.lists(st.sampled_from(["ep01", "ep010", "ep01.5", "ep01.zh", "ep01.zh.forced", "ep1"]), unique=True), st.data()
)
def test_the_order_of_the_folder_does_not_matter(stems: list[str], data: st.DataObject) -> None:
    names = [f"{stem}.{data.draw(st.sampled_from(['srt', 'ass', 'SRT']))}" for stem in stems]
    shuffled = data.draw(st.permutations(names))
    assert choose_sidecar("ep01.mkv", names) == choose_sidecar("ep01.mkv", shuffled)


def test_on_disk(tmp_path: Path) -> None:
    video = tmp_path / "ep01.mkv"
    assert find_sidecar(video) is None
    (tmp_path / "ep01.ass").mkdir()
    (tmp_path / "ep01.zh.srt").write_text("x")
    assert find_sidecar(video) == tmp_path / "ep01.zh.srt"


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        (None, "ep01.chs.srt"),
        ("ja", "ep01.jp.srt"),
        ("zh", "ep01.cht.ass"),
        ("zh-Hans", "ep01.chs.srt"),
        ("zh-Hant", "ep01.cht.ass"),
        ("en", "ep01.en.srt"),
        ("fr", "ep01.chs.srt"),  # none is French: as without a wish
    ],
)
def test_a_language_is_preferred(language: str | None, expected: str) -> None:
    names = ["ep01.mkv", "ep01.chs.srt", "ep01.cht.ass", "ep01.jp.srt", "ep01.en.srt", "ep01.en.forced.srt"]
    names = [name for name in names if language is not None or name != "ep01.cht.ass"]
    if language == "fr":
        names.remove("ep01.cht.ass")
    assert choose_sidecar("ep01.mkv", names, language=language) == expected
