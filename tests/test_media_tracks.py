"""Choice of tracks and languages: pure, so tested on made-up probes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from video_preprocessing.media import (
    choose_audio_track,
    choose_second_audio_track,
    choose_subtitle_track,
)
from video_preprocessing.media.languages import normal_language, speaks, written_characters
from yuki_builder.errors import MediaError, SubtitleError
from yuki_builder.records import AudioTrack, MediaInfo, SubtitleTrack


def info_of(*tracks: AudioTrack | SubtitleTrack) -> MediaInfo:
    return MediaInfo(
        path="/films/ep01.mkv",
        container="matroska,webm",
        duration_ms=1000,
        start_ms=0,
        size_bytes=1,
        audio=tuple(t for t in tracks if isinstance(t, AudioTrack)),
        subtitles=tuple(t for t in tracks if isinstance(t, SubtitleTrack)),
    )


def sound(position: int, language: str | None = None, title: str | None = None, default: bool = False) -> AudioTrack:
    return AudioTrack(position + 1, position, "aac", 2, 48000, "stereo", language, title, is_default=default)


def text(position: int, language: str | None = None, title: str | None = None, **flags: bool) -> SubtitleTrack:
    return SubtitleTrack(position + 5, position, "ass", True, language, title, **flags)


def pictures(position: int, language: str | None = None) -> SubtitleTrack:
    return SubtitleTrack(position + 5, position, "hdmv_pgs_subtitle", False, language)


@pytest.mark.parametrize(
    ("code", "normal"),
    [
        ("jpn", "ja"), ("ja", "ja"), ("JA", "ja"), ("eng", "en"), ("chi", "zh"), ("zho", "zh"), ("zh-Hant", "zh-hant"),
        ("chi_TW", "zh-tw"), ("ger", "de"), ("deu", "de"), ("yue", "yue"), ("fil", "fil"), ("tlh", "tlh"),
        ("und", None), ("", None), (None, None), (" fre ", "fr"), ("pt-BR", "pt-br"),
    ],
)  # fmt: skip
def test_every_spelling_of_a_language_becomes_one(code: str | None, normal: str | None) -> None:
    assert normal_language(code) == normal


def test_a_language_says_which_chinese_characters() -> None:
    asked = {"zh-hant": "traditional", "zh-TW": "traditional", "chi-Hans": "simplified", "zh_CN": "simplified"}
    assert {code: written_characters(code) for code in asked} == asked
    assert [written_characters(code) for code in (None, "zh", "ja-JP", "zh-x!", "en")] == [None] * 5


@given(st.text(max_size=20))
def test_normal_language_is_stable_whatever_a_file_holds(code: str) -> None:
    normal = normal_language(code)
    assert normal is None or normal_language(normal) == normal


def test_a_script_is_wanted_only_where_it_is_asked_for() -> None:
    assert speaks("zh-hant", "chi")
    assert speaks("zh-hant", "zh-Hant")
    assert not speaks("zh", "zh-Hant")
    assert not speaks("ja", "")


def test_default_audio_is_the_flagged_track_then_the_first() -> None:
    assert choose_audio_track(info_of(sound(0), sound(1, default=True))).position == 1
    assert choose_audio_track(info_of(sound(0), sound(1))).position == 0


@pytest.mark.parametrize("title", ["Director's Commentary", "Staff (commentary)", "スタッフコメンタリー", "评论音轨"])
def test_commentary_is_not_the_default_even_if_flagged(title: str) -> None:
    info = info_of(sound(0, title=title, default=True), sound(1, title="Main"))
    assert choose_audio_track(info).position == 1
    assert choose_audio_track(info, "0").position == 0
    assert choose_audio_track(info_of(sound(0, title=title))).position == 0


def test_audio_by_language_in_any_spelling() -> None:
    info = info_of(sound(0, "en"), sound(1, "ja", "Commentary"), sound(2, "ja"))
    for wanted in ("ja", "jpn", "JPN", " ja "):
        assert choose_audio_track(info, wanted).position == 2


@pytest.mark.parametrize("wanted", ["7", "-1", "kor", "", "９", "1" * 5000])
def test_audio_that_is_not_there_is_refused_with_the_list(wanted: str) -> None:
    with pytest.raises(MediaError, match=r'0: ja aac stereo "Main"; 1: en aac stereo'):
        choose_audio_track(info_of(sound(0, "ja", "Main"), sound(1, "en")), wanted)


@pytest.mark.parametrize(
    ("tracks", "wanted", "found"),
    [
        ([sound(0, "ja"), sound(1, "en")], "auto", 1),
        ([sound(0, "ja"), sound(1, "jpn"), sound(2, "en", "Commentary"), sound(3, "de")], "auto", 3),
        ([sound(0, "zh-Hans"), sound(1, "chi-Hant")], "auto", None),
        ([sound(0), sound(1, "en")], "auto", None),
        ([sound(0, "ja")], "auto", None),
        ([sound(0, "ja"), sound(1, "en")], "none", None),
        ([sound(0, "ja"), sound(1)], "1", 1),
        ([sound(0, "ja"), sound(1, "ja")], "ja", 1),
    ],
)
def test_a_second_audio_track_has_other_voices(tracks: list[AudioTrack], wanted: str, found: int | None) -> None:
    info = info_of(*tracks)
    second = choose_second_audio_track(info, info.audio[0], wanted)
    assert (None if second is None else second.position) == found


def test_a_second_audio_track_that_is_not_there_is_refused() -> None:
    info = info_of(sound(0, "ja"), sound(1, "en"))
    with pytest.raises(MediaError, match=r"audio track 0 is the one that is worked on.*--second-audio-track"):
        choose_second_audio_track(info, info.audio[0], "ja")
    with pytest.raises(MediaError, match=r"0: ja aac stereo; 1: en aac stereo"):
        choose_second_audio_track(info, info.audio[0], "ko")


def test_a_file_without_sound_is_named() -> None:
    with pytest.raises(MediaError, match=r"/films/ep01.mkv: has no audio track"):
        choose_audio_track(info_of(text(0)))


@pytest.mark.parametrize(
    ("tracks", "best"),
    [
        ([text(0), text(1, is_default=True)], 1),
        ([text(0, title="Signs & Songs", is_default=True), text(1, title="Full")], 1),
        ([text(0, is_forced=True, is_default=True), text(1)], 1),
        ([text(0, is_forced=True, is_default=True)], 0),  # a single track is often flagged as everything
        ([text(0, title="English SDH"), text(1, title="English")], 1),
        ([text(0, is_hearing_impaired=True), text(1, title="Full")], 1),
        ([pictures(0), text(1)], 1),
        ([text(0, title="Designated"), text(1, title="Forced")], 0),
    ],
)
def test_best_text_track(tracks: list[SubtitleTrack], best: int) -> None:
    track = choose_subtitle_track(info_of(*tracks))
    assert track is not None
    assert track.position == best


def test_without_text_tracks_nothing_is_chosen() -> None:
    assert choose_subtitle_track(info_of(sound(0), pictures(0), pictures(1))) is None
    assert choose_subtitle_track(info_of(sound(0))) is None


@pytest.mark.parametrize("wanted", ["0", "en", "fr"])
def test_pictures_that_were_wanted_are_refused_with_a_hint(wanted: str) -> None:
    with pytest.raises(SubtitleError, match=r"hdmv_pgs_subtitle.*OCR.*--subtitles"):
        choose_subtitle_track(info_of(pictures(0, "en")), wanted)


def test_wanted_language_takes_the_text_beside_the_pictures() -> None:
    track = choose_subtitle_track(info_of(pictures(0, "en"), text(1, "en"), text(2, "zh-hant")), "eng")
    assert track is not None
    assert track.position == 1


def test_subtitles_that_are_not_there_are_refused_with_the_list() -> None:
    with pytest.raises(
        MediaError, match=r"has no subtitle track 'ko'.*0: en ass; 1: language unknown, hdmv_pgs_subtitle \(pictures\)"
    ):
        choose_subtitle_track(info_of(text(0, "en"), pictures(1)), "ko")
    with pytest.raises(MediaError, match="It has no subtitle tracks"):
        choose_subtitle_track(info_of(sound(0)), "en")


titles = st.sampled_from([None, "Full", "Signs", "SDH", "Commentary", "歌词"])


@given(st.lists(st.tuples(titles, st.booleans(), st.booleans(), st.booleans()), min_size=1, max_size=6))
def test_choice_does_not_depend_on_the_order_tracks_are_listed_in(
    facts: list[tuple[str | None, bool, bool, bool]],
) -> None:
    tracks = [
        SubtitleTrack(n, n, "subrip", True, "en", title, default, forced, sdh)
        for n, (title, default, forced, sdh) in enumerate(facts)
    ]
    assert choose_subtitle_track(info_of(*tracks)) == choose_subtitle_track(info_of(*reversed(tracks)))
