"""An episode without subtitles becomes lines: the real command, the real Whisper base; and what others bring."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from speech_files import sample_path
from whisper_model import whisper_base

from pipelines.console.app import main
from yuki_builder.corpus import read_lines_jsonl
from yuki_builder.records import LineSource

WORDS = ["diane", "here", "from", "new", "jersey", "and", "who", "are", "you"]


@pytest.fixture(scope="module")
def talk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The conversation of the sample, as an audio file."""
    path = tmp_path_factory.mktemp("talk") / "talk.flac"
    shutil.copy(sample_path(), path.with_suffix(".wav"))
    wave, rate = soundfile.read(path.with_suffix(".wav"))
    path.with_suffix(".wav").unlink()
    soundfile.write(path, wave, rate)
    return path


def words_file(path: Path) -> Path:
    words = [{"word": f" {w}", "start": 7.6 + 0.25 * k, "end": 7.8 + 0.25 * k} for k, w in enumerate(WORDS)]
    path.write_text(json.dumps({"language": "en", "segments": [{"words": words}]}), encoding="utf-8")
    return path


def run(talk: Path, out: Path, *arguments: str | Path) -> int:
    return main(["--video", str(talk), "--out", str(out), "--separator", "none", *map(str, arguments)])


def test_an_episode_without_subtitles_gives_lines(
    talk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = whisper_base(tmp_path)
    assert run(talk, tmp_path / "out", "--transcriber", model, "--device", "cpu") == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "transcribed by whisper-base (language en" in shown
    folder = tmp_path / "out" / "talk"
    lines = read_lines_jsonl(folder / "lines.jsonl")
    assert len(lines) >= 5
    assert {line.source for line in lines} == {LineSource.ASR}
    assert "jersey" in " ".join(line.text for line in lines).casefold()
    assert sum(line.clip is not None for line in lines) == len(lines)
    assert all(line.end_ms - line.start_ms <= 7800 for line in lines)
    cues = [json.loads(row) for row in (folder / "subtitles/cues.jsonl").read_text(encoding="utf-8").splitlines()]
    assert {cue["origin"] for cue in cues} == {"asr"}
    assert all(cue["words"] and cue["confidence"] for cue in cues)
    assert "Transcribed by speech recognition" in (folder / "report.html").read_text(encoding="utf-8")
    # Nothing is heard twice.
    assert run(talk, tmp_path / "out", "--transcriber", model, "--device", "cpu", "--dry-run") == 0
    plan = capsys.readouterr().out
    assert [row.split()[1] for row in plan.splitlines() if row.split()[0] in ("transcribe", "words")] == ["reuse"] * 2


def test_what_is_spoken_in_another_language_is_no_line_and_said(
    talk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = whisper_base(tmp_path)
    wave, rate = soundfile.read(talk)
    soundfile.write(tmp_path / "talk.flac", wave[: 18 * rate], rate)
    sound = tmp_path / "talk.flac"
    assert run(sound, tmp_path / "out", "--transcriber", model, "--device", "cpu", "--language", "ja") == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "most of it is spoken in another language: --language en" in shown
    rows = (tmp_path / "out/talk/subtitles/cues.jsonl").read_text(encoding="utf-8").splitlines()
    cues = [json.loads(row) for row in rows]
    others = [cue for cue in cues if cue["left_out"] == "another language: en"]
    assert "new jersey" in " ".join(cue["text"] for cue in others).casefold()
    lines = read_lines_jsonl(tmp_path / "out/talk/lines.jsonl")
    assert len(others) > len(lines)


def test_silence_gives_no_line_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = whisper_base(tmp_path)
    soundfile.write(tmp_path / "quiet.flac", np.zeros(3 * 16_000), 16_000)
    assert run(tmp_path / "quiet.flac", tmp_path / "out", "--transcriber", model, "--device", "cpu") == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "nobody was heard to speak" in shown
    assert "transcribed by" not in shown
    assert (tmp_path / "out/quiet/lines.jsonl").read_text() == ""


def test_words_from_elsewhere_become_lines(talk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = words_file(tmp_path / "words.json")
    assert run(talk, tmp_path / "out", "--words", words) == 0
    assert "words: words.json" in capsys.readouterr().out
    lines = read_lines_jsonl(tmp_path / "out/talk/lines.jsonl")
    assert " ".join(line.text for line in lines) == " ".join(WORDS)
    assert {line.source for line in lines} == {LineSource.ASR}
    words.write_text(words.read_text().replace("jersey", "york"))
    assert run(talk, tmp_path / "out", "--words", words) == 0
    assert "york" in " ".join(line.text for line in read_lines_jsonl(tmp_path / "out/talk/lines.jsonl"))


def test_without_a_transcriber_there_are_turns_and_a_note(
    talk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(talk, tmp_path / "out", "--transcriber", "none") == 0
    assert "wrote speaker turns only" in " ".join(capsys.readouterr().out.split())
    assert (tmp_path / "out/talk/lines.jsonl").read_text() == ""
    monkeypatch.setattr("pipelines.episode.context.has_transcriber", lambda: False)
    assert run(talk, tmp_path / "out") == 0
    assert "pip install 'yuki-builder[asr]'" in " ".join(capsys.readouterr().out.split())


def test_vocals_and_turns_from_elsewhere(talk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wave, rate = soundfile.read(talk)
    soundfile.write(tmp_path / "vocals.wav", wave * 0.5, rate)
    rttm = tmp_path / "turns.rttm"
    rttm.write_text("SPEAKER x 1 7.5 2.4 <NA> <NA> Diane <NA> <NA>\nSPEAKER x 1 10.5 4.1 <NA> <NA> Sheila <NA> <NA>\n")
    brought: list[Any] = ["--vocals", tmp_path / "vocals.wav", "--turns", rttm]
    brought += ["--words", words_file(tmp_path / "words.json")]
    assert run(talk, tmp_path / "out", *brought) == 0
    shown = capsys.readouterr().out
    for what in ("vocals: vocals.wav", "turns: turns.rttm", "words: words.json"):
        assert what in shown
    folder = tmp_path / "out/talk"
    vocals, _ = soundfile.read(folder / "audio/vocals.flac")
    mix, _ = soundfile.read(folder / "audio/mix.flac")
    assert len(vocals) == len(mix)
    assert np.abs(vocals).max() < 0.6 * np.abs(mix).max()
    assert "Diane" in (folder / "speakers/turns.rttm").read_text()
    assert read_lines_jsonl(folder / "lines.jsonl")[0].speaker == "Diane"


@pytest.mark.parametrize(
    ("option", "content", "says"),
    [
        ("--words", b"{}", "no words with times"),
        ("--words", None, "there is no such file of words"),
        ("--turns", b"", "holds no turns"),
        ("--turns", b"SPEAKER x 1 90.0 2.4 <NA> <NA> A <NA> <NA>\n", "the last turn ends at 92.4 s"),
        ("--vocals", b"no sound", "brought"),
        ("--transcriber", b"", "unknown transcriber"),
    ],
)
def test_bad_input_is_one_clear_line(
    talk: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    option: str,
    content: bytes | None,
    says: str,
) -> None:
    path = tmp_path / "brought"
    if content is not None:
        path.write_bytes(content)
    value = "smal" if option == "--transcriber" else path
    more = [] if option == "--transcriber" else ["--transcriber", "none"]
    assert run(talk, tmp_path / "out", option, value, *more) == 2
    told = capsys.readouterr().err.strip().splitlines()
    assert says in told[-1]
    assert sum(line.startswith("error: ") for line in told) == 1


def test_vocals_of_another_length_or_start_are_refused(
    talk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wave, rate = soundfile.read(talk)
    soundfile.write(tmp_path / "short.wav", wave[: 20 * rate], rate)
    assert run(talk, tmp_path / "out", "--vocals", tmp_path / "short.wav", "--transcriber", "none") == 2
    assert "these vocals last 20.0 s" in capsys.readouterr().err
    late = np.concatenate([np.zeros(rate // 2), wave[: -rate // 2]])
    soundfile.write(tmp_path / "late.wav", late, rate)
    assert run(talk, tmp_path / "out", "--vocals", tmp_path / "late.wav", "--transcriber", "none") == 2
    assert "begin 0.50 s after" in capsys.readouterr().err


def test_words_need_somebody_who_hears_them(talk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(talk, tmp_path / "out", "--align-words", "--transcriber", "none") == 2
    assert "--align-words" in capsys.readouterr().err


def test_subtitles_are_matched_to_words(talk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "s.srt").write_text(
        "1\n00:00:07,300 --> 00:00:10,900\n- Diane here from New Jersey.\n- And who are you?\n\n"
        "2\n00:00:18,000 --> 00:00:20,000\nSomething else entirely.\n",
        encoding="utf-8",
    )
    words = words_file(tmp_path / "words.json")
    data = json.loads(words.read_text())
    more = [
        {"word": f" {w}", "start": 11.2 + 0.7 * k, "end": 11.8 + 0.7 * k}
        for k, w in enumerate(["nobody", "wrote", "this"])
    ]
    data["segments"].append({"words": [dict(w, probability=0.9) for w in more]})
    words.write_text(json.dumps(data))
    assert run(talk, tmp_path / "out", "--subtitles", tmp_path / "s.srt", "--words", words) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "of the subtitles' words are heard" in shown
    folder = tmp_path / "out/talk"
    lines = read_lines_jsonl(folder / "lines.jsonl")
    assert {line.source for line in lines} == {LineSource.SUBTITLE}
    first, second, third = lines
    # "and" is heard from 8.85 s on: there the second speaker begins.
    assert (first.text, second.text) == ("Diane here from New Jersey.", "And who are you?")
    assert abs(second.start_ms - 8850) <= 150
    assert first.end_ms <= second.start_ms
    quality = [json.loads(row) for row in (folder / "quality.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [row["text_match"] for row in quality] == [1.0, 1.0, 0.0]
    assert "text not heard" in quality[2]["problems"]
    assert third.text == "Something else entirely."
    unwritten = (folder / "subtitles/unwritten.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(row)["text"] for row in unwritten] == ["nobody wrote this"]


def test_a_dry_run_says_what_would_be_transcribed(
    talk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def plan(*arguments: str | Path) -> str:
        assert run(talk, tmp_path / "out", "--dry-run", *arguments) == 0
        return next(row for row in capsys.readouterr().out.splitlines() if row.split()[0] == "transcribe")

    monkeypatch.setattr("pipelines.episode.context.has_transcriber", lambda: True)
    assert "small (" in plan("--device", "cpu")
    assert "language found by ear" in plan("--device", "cpu")
    assert "language ja" in plan("--language", "ja", "--transcriber", "base")
    assert "nothing to do: --transcriber none" in plan("--transcriber", "none")
    assert "words from words.json" in plan("--words", words_file(tmp_path / "words.json"))
    (tmp_path / "s.srt").write_text("1\n00:00:07,300 --> 00:00:10,900\nDiane here.\n")
    assert "nothing to do: there are subtitles" in plan("--subtitles", tmp_path / "s.srt")
    monkeypatch.setattr("pipelines.episode.context.has_transcriber", lambda: False)
    assert "pip install 'yuki-builder[asr]'" in plan()
    assert not (tmp_path / "out").exists()


def test_what_is_heard_is_written_in_the_characters_asked_for(talk: Path, tmp_path: Path) -> None:
    texts = ["這", "封", "信", "是", "誰", "寫", "的", "？"]
    words = [{"word": w, "start": 7.6 + 0.25 * k, "end": 7.85 + 0.25 * k} for k, w in enumerate(texts)]
    (tmp_path / "words.json").write_text(json.dumps({"segments": [{"words": words}]}), encoding="utf-8")
    assert run(talk, tmp_path / "out", "--words", tmp_path / "words.json", "--chinese", "simplified") == 0
    lines = read_lines_jsonl(tmp_path / "out/talk/lines.jsonl")
    assert "".join(line.text for line in lines) == "这封信是谁写的？"
