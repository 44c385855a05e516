"""The subtitles of an episode: which file or track, names from another one, languages that differ are said."""

from __future__ import annotations

from pathlib import Path

import pytest
from media_files import Subtitles, click_track, make_video

from pipelines import EpisodeConfig, run_episode
from video_preprocessing.media import choose_audio_track, hearing_impaired_track, probe

SAID = ("We sail at dawn.", "Then I will pack.", "Bring the map.")
NAMES = ("ANNA", "BEN", "ANNA")


def srt(rows: list[str]) -> str:
    return "".join(f"{k}\n00:00:0{k},000 --> 00:00:0{k},900\n{row}\n\n" for k, row in enumerate(rows, 1))


PLAIN, SDH = srt([*SAID]), srt([f"{name}: {row}" for name, row in zip(NAMES, SAID, strict=True)])


@pytest.fixture
def video(tmp_path: Path) -> Path:
    """English and Japanese sound, plain English subtitles and such for the hard of hearing."""
    clicks = click_track(tmp_path / "c.wav")
    return make_video(
        tmp_path / "ep.mkv",
        clicks,
        clicks,
        subtitles=[Subtitles(PLAIN, language="eng"), Subtitles(SDH, language="eng", title="English (SDH)")],
        options=["-metadata:s:a:0", "language=eng", "-metadata:s:a:1", "language=jpn"],
    )


def notes_and_names(config: EpisodeConfig) -> tuple[list[str], list[tuple[str, str]]]:
    result = run_episode(config)
    notes = [note for report in result.reports for note in report.notes]
    told = [(line.text, next((e.character for e in line.evidence if e.source == "sdh"), "")) for line in result.lines]
    return notes, told


def test_the_language_prefers_an_audio_track(video: Path) -> None:
    info = probe(video)
    assert choose_audio_track(info).language == "en"
    assert choose_audio_track(info, language="ja").language == "ja"
    assert choose_audio_track(info, "0", language="ja").language == "en"
    assert choose_audio_track(info, language="fr").language == "en"
    chosen = hearing_impaired_track(info, info.subtitles[0])
    assert chosen == info.subtitles[1]
    assert hearing_impaired_track(info, info.subtitles[1]) is None


@pytest.mark.slow
def test_words_from_the_plain_track_names_from_the_other(video: Path, tmp_path: Path) -> None:
    notes, told = notes_and_names(EpisodeConfig(video, out=tmp_path / "out", separator="none", language="ja"))
    assert told == [*zip(SAID, NAMES, strict=True)]
    assert any(note.startswith("names of 3 lines from track 1") for note in notes)
    assert "the audio is ja, the subtitles are en: the lines are a translation" in notes


@pytest.mark.slow
def test_words_from_the_plain_file_names_from_the_other(video: Path, tmp_path: Path) -> None:
    (tmp_path / "ep [English].srt").write_text(PLAIN)
    (tmp_path / "ep.en.sdh.srt").write_text(SDH)
    notes, told = notes_and_names(EpisodeConfig(video, out=tmp_path / "out", separator="none"))
    assert told == [*zip(SAID, NAMES, strict=True)]
    assert any(note.startswith("names of 3 lines from ep.en.sdh.srt") for note in notes)


@pytest.mark.slow
def test_an_encoding_is_taken_and_a_missing_language_said(video: Path, tmp_path: Path) -> None:
    path = tmp_path / "x.srt"
    path.write_bytes(srt(["Příště přijď včas."]).encode("mac_latin2"))
    config = EpisodeConfig(
        video, out=tmp_path / "out", separator="none", subtitles=str(path), encoding="mac_latin2", language="cs"
    )
    notes, told = notes_and_names(config)
    assert [text for text, _ in told] == ["Příště přijď včas."]
    assert "the audio is en: there is no audio track in cs" in notes
    assert "the audio is en, the subtitles are cs: the lines are a translation" in notes
