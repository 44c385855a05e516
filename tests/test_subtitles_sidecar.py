"""The subtitle file beside a video: its own, the best, always the same one."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yuki_builder.subtitles import find_sidecar
from yuki_builder.subtitles.sidecar import choose_sidecar, find_names_sidecar, unfit_names

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
        (["ep010.srt", "ep01.5.srt", "ep1.srt", "ep01x.srt", "ep01 - 2.srt", "xep01.srt", "ep01-x.srt"], None),
        (["ep01.e02.srt", "ep01.part2.srt", "ep01.cd1.srt", "ep01.S01E02.srt"], None),
        (["ep01.txt", "ep01.nfo", "ep01.mkv.srt2", "ep01"], None),
        (["ep01..srt"], None),
        (["ep01.sub", "ep01.idx"], None),
        (["ep01.sub"], "ep01.sub"),
        (["ep01.extra.mkv", "ep01.extra.srt"], None),
        (["ep01.extra.mkv", "ep01.extra.zh.srt", "ep01.zh.srt"], "ep01.zh.srt"),
        ([], None),
        (["ep01_en.srt"], "ep01_en.srt"),
        (["ep01-en.srt"], "ep01-en.srt"),
        (["ep01 [English].srt"], "ep01 [English].srt"),
        (["ep01 (Deutsch).srt"], "ep01 (Deutsch).srt"),
        (["ep01.English.SDH.srt"], "ep01.English.SDH.srt"),
        (["ep01_pt-BR.srt"], "ep01_pt-BR.srt"),
        (["ep01 - Español.ass"], "ep01 - Español.ass"),
        (["ep01_forced_en.srt", "ep01_en.srt"], "ep01_en.srt"),
        (["ep01.en.sdh.srt", "ep01.en.srt"], "ep01.en.srt"),
        (["ep01.en.hi.srt", "ep01.en.srt"], "ep01.en.srt"),
        (["ep01.dfxp"], "ep01.dfxp"),
        (["ep01.webvtt"], "ep01.webvtt"),
        (["ep01.smi"], "ep01.smi"),
        (["Subs/2_English.srt", "Subs/3_French.srt"], "Subs/2_English.srt"),
        (["Subs/ep01/2_English.srt", "ep02.mkv"], "Subs/ep01/2_English.srt"),
        (["Subs/2_English.srt", "ep02.mkv"], None),  # of which of the two?
        (["Subs/ep01.en.srt", "Subs/ep02.en.srt", "ep02.mkv"], "Subs/ep01.en.srt"),
        (["ep01 extended.srt", "ep01-cast.srt"], None),
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


def test_a_folder_of_subtitles_on_disk(tmp_path: Path) -> None:
    video = tmp_path / "Film (2001).mkv"
    video.touch()
    (tmp_path / "Subs").mkdir()
    for name in ("2_English.srt", "3_SDH.eng.srt", "4_Polish.srt"):
        (tmp_path / "Subs" / name).touch()
    found = find_sidecar(video, language="en")
    assert found == tmp_path / "Subs" / "2_English.srt"
    assert find_sidecar(video, language="pl") == tmp_path / "Subs" / "4_Polish.srt"
    assert find_names_sidecar(video, found) == tmp_path / "Subs" / "3_SDH.eng.srt"


def test_what_does_not_fit_is_named(tmp_path: Path) -> None:
    for name in ("Film.mkv", "film-director-cut.srt", "Other.srt", "Film.txt", "notes.txt"):
        (tmp_path / name).touch()
    assert find_sidecar(tmp_path / "Film.mkv") is None
    assert unfit_names(tmp_path / "Film.mkv") == ["Film.txt", "Other.srt", "film-director-cut.srt"]
    (tmp_path / "Film 2.mkv").touch()
    assert unfit_names(tmp_path / "Film.mkv") == ["Film.txt", "film-director-cut.srt"]


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
