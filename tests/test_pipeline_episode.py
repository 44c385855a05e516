"""The whole way on a small real episode: two people talking, from pyannote.audio's packaged sample, with music."""

from __future__ import annotations

import csv
import dataclasses
import hashlib
import importlib.util
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pysubs2
import pytest
import soundfile

from pipelines import EpisodeConfig, EpisodeResult, build_corpus, run_episode, run_season
from pipelines.console.app import main
from pipelines.engine.events import Event, EventKind
from pipelines.episode.records import _PARSED, parse_records, read_records
from pipelines.episode.stages import STAGES
from pipelines.layout import EMBEDDINGS, RENAMED_PATHS, RENAMED_STAGES
from video_preprocessing.speech import write_rttm
from yuki_builder import open_corpus
from yuki_builder.errors import GalleryError
from yuki_builder.records import AlignedCue, Record, Resync, Turn, Verdict

ROOT = Path(__file__).parents[1]
START_S, SECONDS = 8.0, 22.0
NAMES = {"speaker90": "Ada", "speaker91": "<script>alert(1)</script>"}
"""The packaged sample's speakers; the second name is what a hostile subtitle would bring."""


def sample(suffix: str) -> Path:
    spec = importlib.util.find_spec("pyannote.audio")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "sample" / f"sample{suffix}"


@dataclass(frozen=True)
class Said:
    start_s: float
    end_s: float
    speaker: str


def truth() -> list[Said]:
    """Who speaks when in the excerpt, after the sample's RTTM: its turns in pieces, where nobody else speaks."""
    turns = [
        ("speaker90", (8.4, 9.8), (11.1, 12.7), (12.8, 14.4), (18.7, 20.0), (20.1, 21.4), (28.6, 29.8)),
        ("speaker91", (14.8, 16.3), (16.4, 17.9), (21.9, 24.7), (24.8, 27.7)),
    ]
    spoken = [Said(a - START_S, b - START_S, speaker) for speaker, *spans in turns for a, b in spans]
    return sorted(spoken, key=lambda said: said.start_s)


def ffmpeg(*arguments: str | Path) -> None:
    from video_preprocessing.media import find_ffmpeg

    subprocess.run([find_ffmpeg(), "-v", "error", "-y", *map(str, arguments)], check=True)


def clock(seconds: float) -> str:
    return f"0:{int(seconds // 60):02d}:{seconds % 60:05.2f}"


def subtitles(*, tagged: bool = True) -> str:
    head = "[Script Info]\nScriptType: v4.00+\n\n"
    head += "[V4+ Styles]\nFormat: Name, Fontname, Fontsize\nStyle: Default,Arial,20\n\n"
    events = "[Events]\nFormat: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"
    for number, said in enumerate(truth()):
        name = NAMES[said.speaker] if tagged and number % 4 < 2 else ""
        text = f"Line {number}: “is it?” {{\\i1}}yes{{\\i0}}, 100 %"
        events += f"Dialogue: 0,{clock(said.start_s)},{clock(said.end_s)},Default,{name},0,0,0,,{text}\n"
    return head + events + "Comment: 0,0:00:00.00,0:00:01.00,Default,,0,0,0,,not said\n"


def make_video(path: Path, *extra: str | Path, subtitle: Path | None = None) -> Path:
    music = f"sine=frequency=110:duration={SECONDS},volume=0.05"
    inputs = ["-f", "lavfi", "-i", f"testsrc=size=64x36:rate=5:duration={SECONDS}"]
    inputs += ["-ss", str(START_S), "-t", str(SECONDS), "-i", str(sample(".wav")), "-f", "lavfi", "-i", music]
    maps = ["-filter_complex", "[1:a][2:a]amix=normalize=0[a]", "-map", "0:v", "-map", "[a]"]
    if subtitle is not None:
        inputs += ["-i", str(subtitle)]
        maps += ["-map", "3:s", "-c:s", "copy"]
    ffmpeg(*inputs, *maps, "-ar", "44100", "-ac", "2", "-c:a", "flac", "-bitexact", *extra, path)
    return path


@dataclass(frozen=True)
class Shared:
    """The finished episode that most tests look at; none changes it."""

    video: Path
    out: Path
    result: EpisodeResult
    events: tuple[Event, ...]
    remembered: Mapping[tuple[type[Record], bytes], tuple[Record, ...]]

    @property
    def folder(self) -> Path:
        return self.result.folder


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Shared:
    folder = tmp_path_factory.mktemp("episode")
    (folder / "subs.ass").write_text(subtitles(), encoding="utf-8")
    video = make_video(folder / "ep01.mkv", subtitle=folder / "subs.ass")
    events: list[Event] = []
    out = folder / "out"
    season = run_season([EpisodeConfig(video, out=out, separator="none")], progress=events.append)
    assert season.failures == ()
    remembered = {key: records for key, (_, records) in _PARSED._kept.items()}
    return Shared(video, out, season.episodes[0], tuple(events), remembered)


def test_what_is_remembered_of_files_is_what_they_hold(shared: Shared) -> None:
    # Else a run that goes on after an interruption, and reads them, would end in other results.
    found = set()
    for path in shared.folder.rglob("*.jsonl"):
        content = path.read_bytes()
        digest = hashlib.sha256(content).digest()
        for kind, records in ((kind, records) for (kind, of), records in shared.remembered.items() if of == digest):
            parsed = tuple(parse_records(content, kind))
            assert records == parsed, path
            assert repr([r.to_dict() for r in records]) == repr([r.to_dict() for r in parsed]), path  # also their types
            found.add(path.name)
    assert {"cues.jsonl", "aligned.jsonl", "attributions.jsonl", "measures.jsonl", "lines.jsonl"} <= found


@pytest.fixture
def copied(shared: Shared, tmp_path: Path) -> Shared:
    """The finished episode, to change."""
    shutil.copytree(shared.out, tmp_path / "out")
    return dataclasses.replace(shared, out=tmp_path / "out")


def files(folder: Path) -> dict[str, bytes]:
    """What a user sees, without the timings in episode.json."""
    found = {}
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        if path.is_file() and ".work" not in relative.parts:
            found[relative.as_posix()] = path.read_bytes()
            if path.name == "episode.json":
                facts = json.loads(path.read_text(encoding="utf-8"))
                for stage in facts["stages"]:
                    stage.pop("seconds")
                found[relative.as_posix()] = json.dumps(facts).encode()
    return found


def rerun(episode: Shared, **options: Any) -> tuple[EpisodeResult, list[str]]:
    """Run again; which stages were not reused."""
    ran: list[str] = []

    def listen(event: Event) -> None:
        if event.kind is EventKind.FINISHED:
            ran.append(str(event.stage))

    config = EpisodeConfig(episode.video, **{"out": episode.out, "separator": "none", **options})
    return run_episode(config, progress=listen), ran


# --- what comes out ---------------------------------------------------------------------------------------


def test_everything_the_contract_names_is_there(shared: Shared) -> None:
    for name in (
        *("episode.json", "audio/mix.flac", "audio/vocals.flac", "subtitles/cues.jsonl", "speakers/turns.rttm"),
        *("lines.jsonl", "lines.csv", "clips", "report.html"),
    ):
        assert (shared.folder / name).exists(), name
    for name in ("lines.parquet", "texts", "haruhi", "roleplay"):
        assert (shared.out / "corpus" / name).exists(), name
    assert shared.folder == shared.out / "ep01"


def test_lines_say_who_said_what_and_when(shared: Shared) -> None:
    spoken = truth()
    assert len(shared.result.lines) == len(spoken)
    for number, (line, said) in enumerate(zip(shared.result.lines, spoken, strict=True)):
        assert line.text == f"Line {number}: “is it?” yes, 100 %"
        assert abs(line.start_ms - 1000 * said.start_s) < 500
        assert abs(line.end_ms - 1000 * said.end_s) < 500
        assert line.line_id.startswith("ep01-")
        assert line.index == number
        assert line.confidence > 0.3
        if number % 4 < 2:
            assert line.character == NAMES[said.speaker]
            assert "actor" in {evidence.source for evidence in line.evidence}
    assert {line.character for line in shared.result.lines} <= set(NAMES.values()) | {None}
    rows = [json.loads(row) for row in (shared.folder / "lines.jsonl").read_text(encoding="utf-8").splitlines()]
    assert rows == [line.to_dict() for line in shared.result.lines]


def test_clips_are_where_the_lines_say(shared: Shared) -> None:
    import soundfile

    for line in shared.result.lines:
        assert line.clip is not None
        clip = shared.out / line.clip
        assert clip.resolve().is_relative_to(shared.folder / "clips")
        info = soundfile.info(clip)
        assert info.samplerate == 44100
        assert 0 <= info.duration - (line.end_ms - line.start_ms) / 1000 <= 0.101


def test_hostile_names_neither_climb_nor_run(shared: Shared) -> None:
    page = (shared.folder / "report.html").read_text(encoding="utf-8")
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert len(list((shared.folder / "clips").iterdir())) >= 2


def test_episode_json_tells_what_happened(shared: Shared) -> None:
    facts = json.loads((shared.folder / "episode.json").read_text(encoding="utf-8"))
    assert facts["episode_id"] == "ep01"
    assert facts["media"]["path"] == str(shared.video)
    assert facts["configuration"]["separator"] == "none"
    assert facts["versions"]["yuki-builder"]
    by_name = {stage["stage"]: stage for stage in facts["stages"]}
    assert list(by_name) == [s.name for s in STAGES[:-2]]
    assert by_name["cues"]["came_in"] == len(truth()) + 1
    assert by_name["cues"]["kept"] == len(truth())
    assert sum(by_name["cues"]["dropped"].values()) == 1
    for stage in facts["stages"]:
        assert stage["came_in"] == stage["kept"] + sum(stage["dropped"].values()), stage
        assert stage["seconds"] >= 0


def test_left_out_cues_are_kept_with_their_reason(shared: Shared) -> None:
    cues = [json.loads(row) for row in (shared.folder / "subtitles" / "cues.jsonl").read_text().splitlines()]
    assert [c["left_out"] is None for c in cues].count(False) == 1


def test_cues_say_where_they_come_from(shared: Shared) -> None:
    cues = (shared.folder / "subtitles" / "cues.jsonl").read_text(encoding="utf-8").splitlines()
    assert {json.loads(cue)["origin"] for cue in cues} == {"track"}


def test_corpus_opens(shared: Shared) -> None:
    corpus = open_corpus(shared.out)
    assert list(corpus.lines["line_id"]) == [line.line_id for line in shared.result.lines]
    assert set(corpus.characters["character"]) <= set(NAMES.values())


def test_reports_show_the_sound_and_lead_to_each_other(shared: Shared) -> None:
    page = (shared.folder / "report.html").read_text(encoding="utf-8")
    data = json.loads(page.split('id="data">')[1].split("</script>")[0])
    assert data["lines"]["id"] == [line.line_id for line in shared.result.lines]
    assert len(data["peaks"]["mix"]) > 100
    assert data["peaks"]["vocals"] is None  # --separator none: there is but one sound
    assert (shared.folder / data["episodes"][0]["mix"]).is_file()
    corpus = (shared.out / "corpus" / "report.html").read_text(encoding="utf-8")
    season = json.loads(corpus.split('id="data">')[1].split("</script>")[0])
    assert season["lines"]["id"] == data["lines"]["id"]
    assert (shared.out / "corpus" / season["episodes"][0]["vocals"]).is_file()
    assert 'href="./../ep01/report.html"' in corpus
    assert "corpus: files" in corpus


def test_events_tell_the_whole_story(shared: Shared) -> None:
    finished = [e.stage for e in shared.events if e.kind is EventKind.FINISHED and e.subject == "ep01"]
    assert finished == [stage.name for stage in STAGES]
    for event in shared.events:
        if event.kind is EventKind.PROGRESS and event.total:
            assert event.completed is not None
            assert 0 <= event.completed <= event.total + 1e-6


# --- reuse ------------------------------------------------------------------------------------------------


def test_second_run_reuses_everything(copied: Shared) -> None:
    before = files(copied.out)
    result, ran = rerun(copied)
    assert ran == []
    assert result.lines == copied.result.lines
    assert result.reports == copied.result.reports
    assert files(copied.out) == before


SEPARATED: dict[str, Any] = {"separator": "dialogue", "window_frames": 192, "crossfade": 8}


@dataclass(frozen=True)
class Separated:
    """The finished episode, run again with the separator; none changes it."""

    out: Path
    result: EpisodeResult
    ran: tuple[str, ...]


@pytest.fixture(scope="module")
def separated(shared: Shared, tmp_path_factory: pytest.TempPathFactory) -> Separated:
    out = tmp_path_factory.mktemp("separated") / "out"
    shutil.copytree(shared.out, out)
    result, ran = rerun(dataclasses.replace(shared, out=out), **SEPARATED)
    return Separated(out, result, tuple(ran))


@pytest.mark.slow
def test_separation_redoes_what_depends_on_it(shared: Shared, separated: Separated, tmp_path: Path) -> None:
    result, ran = separated.result, separated.ran
    # Without characters to enrol, pictures to read, words to hear or corrections there is nothing to do again.
    same = ("probe", "ocr", "cues", "extract", "transcribe", "words", "corrected", "corrected dub", "shots", "enrol")
    assert list(ran) == [stage.name for stage in STAGES if stage.name not in same]
    out = tmp_path / "out"
    shutil.copytree(separated.out, out)
    assert (out / "ep01/audio/vocals.flac").read_bytes() != (out / "ep01/audio/mix.flac").read_bytes()
    assert all(line.snr_db is not None for line in result.lines)
    build_corpus(out)
    assert_light("--video", shared.video, "--out", out, "--window-frames", "192", "--crossfade", "8")


def test_second_run_imports_nothing_heavy(copied: Shared) -> None:
    stdout = assert_light("--video", copied.video, "--out", copied.out, "--separator", "none")
    assert "Ada" in stdout
    assert f"report: {copied.out / 'ep01' / 'report.html'}" in stdout.replace("\n", "")


def assert_light(*arguments: str | Path) -> str:
    """That the command ends well without any of the big libraries; what it printed."""
    code = (
        "import sys; from pipelines.console.app import main; status = main(sys.argv[1:])\n"
        "heavy = {'torch', 'librosa', 'pandas', 'av', 'resemblyzer', 'sklearn', 'pyarrow', 'scipy', 'jinja2'}\n"
        "heavy &= set(sys.modules)\n"
        "sys.exit(f'{status} {heavy}' if status or heavy else 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_moved_video_is_the_same_episode(copied: Shared, tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere" / "ep01.mkv"
    moved.parent.mkdir()
    shutil.copy(copied.video, moved)
    _, ran = rerun(dataclasses.replace(copied, video=moved))
    assert ran == ["summary"]  # episode.json says where the video is


def test_edited_subtitles_keep_the_neighbours_line_ids(copied: Shared, tmp_path: Path) -> None:
    edited = tmp_path / "edited.ass"
    edited.write_text(subtitles().replace("Line 1:", "Line one:"), encoding="utf-8")
    result, ran = rerun(copied, subtitles=str(edited))
    assert "separate" not in ran
    assert "extract" not in ran
    before, after = ([line.line_id for line in r.lines] for r in (copied.result, result))
    assert [a == b for a, b in zip(before, after, strict=True)].count(False) == 1


def test_edited_and_deleted_outputs(copied: Shared) -> None:
    folder = copied.out / "ep01"
    before = files(copied.out)
    table = folder / "lines.csv"
    table.write_text(table.read_text(encoding="utf-8-sig").replace("Ada", "Eve"), encoding="utf-8")
    next((folder / "clips").rglob("*.flac")).unlink()
    _, ran = rerun(copied)
    assert ran == ["clips", "lines", "summary"]  # which tells the seconds that it took this time
    kept = folder / "lines.csv.bak-1"
    assert "Eve" in kept.read_text(encoding="utf-8")
    kept.unlink()
    assert files(copied.out) == before


def test_a_folder_of_an_earlier_version_goes_on(copied: Shared) -> None:
    """Its stages and outputs had other names."""
    before = files(copied.out)
    work = copied.out / "ep01" / ".work"
    (earlier,) = (path for path, now in RENAMED_PATHS.items() if now == EMBEDDINGS)
    (work.parent / EMBEDDINGS).rename(work.parent / earlier)
    for before_that, now in RENAMED_STAGES.items():
        text = (work / f"done/{now}.json").read_text().replace(EMBEDDINGS, earlier)
        mark = json.loads(text.replace(f'"{now}"', f'"{before_that}"'))
        del mark["sha256"]
        (work / f"done/{before_that}.json").write_text(json.dumps(mark))
        (work / f"done/{now}.json").unlink()
    # The corpus of a run that has other episodes in work reads it as it is.
    build_corpus(copied.out, force=True)
    corpus = files(copied.out)
    assert corpus.pop("corpus/report.html") and corpus == {k: v for k, v in before.items() if k in corpus}
    assert "corpus/gallery/gallery.json" in corpus and (work.parent / earlier).exists()
    # Its own run takes over what was made, and leaves nothing of the earlier names.
    assert rerun(copied)[1] == []
    assert files(copied.out / "ep01") == {k[5:]: v for k, v in before.items() if k.startswith("ep01/")}
    assert not list(copied.out.rglob("*voiceprint*"))
    config = EpisodeConfig(copied.video, out=copied.out, separator="none")
    for before_that, now in RENAMED_STAGES.items():
        assert run_episode(config, until=before_that).reports[-1].stage == now


def test_force_makes_the_same_bytes(copied: Shared) -> None:
    before = files(copied.out)
    _, ran = rerun(copied, force=True)
    assert ran == [stage.name for stage in STAGES]
    assert files(copied.out) == before


# --- characters -------------------------------------------------------------------------------------------


def test_two_speakers_a_cue_and_other_names(copied: Shared, tmp_path: Path) -> None:
    """Two turns in one cue with dashes, a name that is another's alias: put right, and evaluated."""
    said = truth()
    first, second = said[5], said[6]
    rows = [
        (s.start_s, s.end_s, f"{NAMES[s.speaker].upper()}: Line {k}.")
        for k, s in enumerate(said)
        if s not in (first, second)
    ]
    rows.append((first.start_s, second.end_s, "- Where to?\n- (sighs) I do not know."))
    text = ""
    for number, (start, end, words) in enumerate(sorted(rows), start=1):
        times = " --> ".join(f"00:00:{t:06.3f}".replace(".", ",") for t in (start, end))
        text += f"{number}\n{times}\n{words.replace(NAMES['speaker91'].upper(), 'BYRON')}\n\n"
    (tmp_path / "other.srt").write_text(text, encoding="utf-8")
    (copied.out / "aliases.toml").write_text('Augusta = ["Ada"]\n', encoding="utf-8")
    result, _ = rerun(copied, subtitles=tmp_path / "other.srt")
    folder = copied.out / result.episode_id
    assert {line.character for line in result.lines} - {None} == {"Augusta", "BYRON"}
    both = [line for line in result.lines if line.text in ("Where to?", "I do not know.")]
    assert [line.text for line in both] == ["Where to?", "I do not know."]
    assert both[0].end_ms <= both[1].start_ms
    assert both[0].end_ms / 1000 == pytest.approx((first.end_s + second.start_s) / 2, abs=0.5)
    cues = [json.loads(row) for row in (folder / "subtitles/cues.jsonl").read_text().splitlines()]
    assert [cue["sounds"] for cue in cues if cue["text"] == "Where to?"] == [["sighs"]]

    names = {"speaker90": "augusta", "speaker91": "Byron"}
    labels = [{"start": s.start_s, "end": s.end_s, "speaker": names[s.speaker]} for s in said]
    (tmp_path / "truth.json").write_text(json.dumps({"lines": labels}))
    assert main(["evaluate", "--out", str(copied.out), "--truth", str(tmp_path / "truth.json")]) == 0
    figures = json.loads((folder / "evaluation.json").read_text())
    assert figures["lines"] == 10
    assert figures["accuracy"] >= 0.8
    assert figures["start_error_ms"][0] <= 150
    assert (folder / "evaluation.png").read_bytes().startswith(b"\x89PNG")


def test_subtitles_of_another_cut(tmp_path: Path) -> None:
    """Turns of the sample, shuffled, with pauses; subtitles 30 s early at first, then 38: found and put right."""
    audio, rate_hz = soundfile.read(sample(".wav"), dtype="float32")
    rng = random.Random(0)
    pieces, kept = [np.zeros(40 * rate_hz, np.float32)], []
    end_s = 40.0
    for number in range(70):
        turn = rng.choice(truth())
        first, last = ((t + START_S) * rate_hz for t in (turn.start_s, turn.end_s))
        pieces += [audio[round(first) : round(last)], np.zeros(round(rng.uniform(0.2, 2) * rate_hz), np.float32)]
        early_s = 30 if number < 40 else 38
        kept.append((end_s, end_s + turn.end_s - turn.start_s, early_s))
        if number == 39:
            pieces.append(np.zeros(9 * rate_hz, np.float32))
        end_s = sum(map(len, pieces)) / rate_hz
    soundfile.write(tmp_path / "long.flac", np.concatenate(pieces), rate_hz)
    rows = [f"Dialogue: 0,{clock(a - early)},{clock(b - early)},Default,,0,0,0,,Line." for a, b, early in kept]
    head = "[Events]\nFormat: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"
    (tmp_path / "long.ass").write_text(head + "\n".join(rows) + "\n", encoding="utf-8")
    turns = [Turn(round(1000 * a), round(1000 * b), "SPEAKER_01") for a, b, _ in kept]
    write_rttm(turns, tmp_path / "long.rttm", uri="long")  # who speaks is not the question here
    options: dict[str, Any] = {"out": tmp_path / "out", "separator": "none", "turns": tmp_path / "long.rttm"}
    run_episode(EpisodeConfig(tmp_path / "long.flac", **options), until="part")
    folder = tmp_path / "out" / "long"
    change = json.loads((folder / ".work/resync.jsonl").read_text())
    assert change["reason"] is None
    assert [piece["offset_ms"] / 1000 for piece in change["pieces"]] == pytest.approx([30, 38], abs=0.3)
    aligned = [json.loads(row) for row in (folder / ".work/aligned.jsonl").read_text().splitlines()]
    distances = [abs(row["start_ms"] / 1000 - a) for row, (a, _, _) in zip(aligned, kept, strict=True)]
    assert np.median(distances) <= 0.15
    assert np.mean(np.array(distances) <= 0.4) >= 0.9
    run_episode(EpisodeConfig(tmp_path / "long.flac", **options, resync=False), until="align")
    assert json.loads((folder / ".work/resync.jsonl").read_text())["reason"] == "switched off"


@pytest.fixture(scope="session")
def voices(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A role_audios folder; one role climbs, one clip is no audio."""
    folder = tmp_path_factory.mktemp("roles") / "voices"
    for speaker, role in (("speaker90", "a&b <x>; rm"), ("speaker91", "阿虚")):
        (folder / role).mkdir(parents=True)
        for number, said in enumerate(s for s in truth() if s.speaker == speaker):
            at = ["-ss", f"{START_S + said.start_s}", "-t", f"{said.end_s - said.start_s}"]
            ffmpeg(*at, "-i", sample(".wav"), folder / role / f"{number}.wav")
    (folder / "阿虚" / "broken.wav").write_bytes(b"RIFF")
    (folder / "阿虚" / "notes.txt").write_text("no audio")
    return folder


def test_role_audios_name_the_lines(copied: Shared, voices: Path, tmp_path: Path) -> None:
    untagged = tmp_path / "untagged.ass"
    untagged.write_text(subtitles(tagged=False), encoding="utf-8")
    result, ran = rerun(copied, subtitles=str(untagged), characters=voices)
    assert not {"extract", "separate", "speech"} & set(ran)  # turns listen to names
    by_speaker = {"speaker90": "a&b <x>; rm", "speaker91": "阿虚"}
    named = [line.character == by_speaker[said.speaker] for line, said in zip(result.lines, truth(), strict=True)]
    assert sum(named) >= 0.8 * len(named)
    report = next(r for r in result.reports if r.stage == "enrol")
    assert report.dropped["cannot be read as audio"] == 1
    assert report.dropped["not an audio file"] == 1
    assert (copied.out / "ep01" / "speakers" / "gallery" / "gallery.json").exists()


def test_annotated_table_labels_and_enrols(copied: Shared, tmp_path: Path) -> None:
    untagged, table = tmp_path / "untagged.ass", tmp_path / "ep01.csv"
    untagged.write_text(subtitles(tagged=False), encoding="utf-8")
    rows = [["人物", "人物台词", "开始时间", "结束时间"]]
    labelled = {0: "../../x", 1: "阿虚", 2: "../../x", 3: "阿虚"}
    for number, said in enumerate(truth()):
        rows.append([labelled.get(number, ""), f"Line {number}", clock(said.start_s), clock(said.end_s)])
    with table.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows(rows)
    result, _ = rerun(copied, subtitles=str(untagged), characters=table)
    for number, character in labelled.items():
        line = result.lines[number]
        assert (line.character, line.verdict) == (character, Verdict.CERTAIN)
        assert "manual" in {evidence.source for evidence in line.evidence}
    assert any("voice" in {e.source for e in line.evidence} for line in result.lines[4:])
    assert not (copied.out.parent / "x").exists()
    for path in copied.out.rglob("*.flac"):
        assert path.resolve().is_relative_to(copied.out / "ep01")


def test_labels_add_to_a_gallery(copied: Shared, voices: Path, tmp_path: Path) -> None:
    """Neither displaces the other: the labelled lines are what the person says, the others are known by voice."""
    rerun(copied, characters=voices)
    shutil.copytree(copied.out / "ep01" / "speakers" / "gallery", tmp_path / "gallery")
    said = truth()[0]
    (tmp_path / "labels.csv").write_text(
        f"人物,人物台词,开始时间,结束时间\nKyon,,{clock(said.start_s)},{clock(said.end_s)}\n", encoding="utf-8"
    )
    untagged = tmp_path / "untagged.ass"
    untagged.write_text(subtitles(tagged=False), encoding="utf-8")
    result, _ = rerun(
        copied, subtitles=str(untagged), characters=(tmp_path / "gallery",), labels=tmp_path / "labels.csv"
    )
    assert result.lines[0].character == "Kyon"
    assert "阿虚" in {line.character for line in result.lines[1:]}


def test_gallery_of_another_embedder_is_refused(copied: Shared, voices: Path, tmp_path: Path) -> None:
    rerun(copied, characters=voices)
    gallery = tmp_path / "gallery"
    shutil.copytree(copied.out / "ep01" / "speakers" / "gallery", gallery)
    _, ran = rerun(copied, characters=gallery)
    assert {"identify"} <= set(ran)
    content = json.loads((gallery / "gallery.json").read_text(encoding="utf-8"))
    (gallery / "gallery.json").write_text(json.dumps({**content, "embedder": "another"}), encoding="utf-8")
    with pytest.raises(GalleryError, match="another"):
        rerun(copied, characters=gallery)


# --- without subtitles ------------------------------------------------------------------------------------


def test_no_subtitles_is_no_failure(
    shared: Shared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    ffmpeg("-i", shared.video, "-map", "0:a", "-t", "8", "talk.flac")
    assert main(["--video", "talk.flac", "--separator", "none"]) == 0
    shown = capsys.readouterr().out.replace("\n", " ")
    assert "wrote speaker turns only" in shown
    assert "--subtitles FILE" in shown
    assert (tmp_path / "out/talk/lines.jsonl").read_text() == ""
    assert "SPEAKER" in (tmp_path / "out/talk/speakers/turns.rttm").read_text()
    assert "--subtitles FILE" in (tmp_path / "out/talk/report.html").read_text(encoding="utf-8")


# --- a season ---------------------------------------------------------------------------------------------


def test_season_goes_on_after_a_failure(
    copied: Shared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    season = tmp_path / "season"
    for name in ("1", "2"):
        (season / name).mkdir(parents=True)
    shutil.copy(copied.video, season / "1" / "ep01.mkv")
    ffmpeg("-i", copied.video, "-map", "0", "-c", "copy", "-t", "9", season / "2" / "ep01.mkv")
    (season / "1" / "ep02.mkv").write_text("no video")
    arguments = ["--video", "season/1", "--video", "season/2/*.mkv", "--separator", "none", "--json"]
    assert main(arguments) == 3
    shown = capsys.readouterr()
    assert shown.err.splitlines()[-1].startswith("error: season/1/ep02.mkv: is not a readable media file")
    summary = json.loads(shown.out)
    ids = [episode["episode_id"] for episode in summary["episodes"]]
    assert ids[0] == "ep01"
    assert ids[1] == "2 ep01"
    assert [f["video"] for f in summary["failures"]] == ["season/1/ep02.mkv"]
    assert summary["corpus"]["lines"] == sum(e["lines"] for e in summary["episodes"]) > 0
    assert len(set(open_corpus("out").lines["line_id"])) == summary["corpus"]["lines"]
    assert main([*arguments, "--dry-run"]) == 0
    plan = json.loads(capsys.readouterr().out)["plan"]
    assert {stage["reason"] for name in ids for stage in plan[name]} == {None}
    assert plan["ep02"][0]["reason"] == "not done yet"
    assert {stage["reason"] for stage in plan["corpus"]} == {"after ep02"}
    # One of the two alone: both stay in the corpus.
    assert main(["--video", "season/2/ep01.mkv", "--separator", "none", "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")
    assert len(open_corpus("out").lines) == summary["corpus"]["lines"]


def test_a_season_enrols_from_the_labelled_episode(shared: Shared, tmp_path: Path) -> None:
    labelled, other = tmp_path / "b.mkv", tmp_path / "a.mkv"  # the labelled one comes later in the season
    shutil.copy(shared.video, labelled)
    ffmpeg("-i", shared.video, "-map", "0:v", "-map", "0:a", "-c", "copy", other)
    other.with_suffix(".ass").write_text(subtitles(tagged=False), encoding="utf-8")
    rows = ["人物,人物台词,开始时间,结束时间"]
    rows += [f"{NAMES[s.speaker]},,{clock(s.start_s)},{clock(s.end_s)}" for s in truth()]
    (tmp_path / "labels.csv").write_text("\n".join(rows), encoding="utf-8")
    (tmp_path / "map.csv").write_text("标注文件,视频文件\nlabels.csv,b.mkv\n", encoding="utf-8")
    options = {"out": tmp_path / "out", "separator": "none", "characters": tmp_path / "map.csv"}
    configs = [EpisodeConfig(video, **options) for video in (other, labelled)]
    season = run_season(configs)
    assert season.failures == ()
    first, second = season.episodes
    assert [line.character for line in first.lines] == [NAMES[s.speaker] for s in truth()]
    assert {evidence.source for line in first.lines for evidence in line.evidence} & {"voice"}
    assert all("manual" in {e.source for e in line.evidence} for line in second.lines)
    again: list[Event] = []
    assert run_season(configs, progress=again.append).episodes == season.episodes
    assert EventKind.FINISHED not in {event.kind for event in again}


def test_an_episode_that_cannot_be_prepared_is_told_of(
    shared: Shared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A failure of the program that may not come again in the episode's own turn."""
    (tmp_path / "labels.csv").write_text("人物,人物台词,开始时间,结束时间\nAda,,0:00:00,0:00:01\n", encoding="utf-8")
    configs = [
        EpisodeConfig(tmp_path / f"{name}.mkv", out=tmp_path / "out", characters=tmp_path / "labels.csv")
        for name in ("a", "b")
    ]

    def broken(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr("pipelines.episode.session.Session.open", broken)
    events: list[Event] = []
    run_season(configs, progress=events.append)
    notices = [event.message or "" for event in events if event.kind is EventKind.NOTICE]
    assert len(notices) == 2 and all("ZeroDivisionError: a bug" in notice for notice in notices)


def test_copied_episode_folder_is_left_out_of_the_corpus(copied: Shared) -> None:
    shutil.copytree(copied.out / "ep01", copied.out / "ep01 copy")
    events: list[Event] = []
    corpus = build_corpus(copied.out, progress=events.append)
    assert len(corpus.lines) == len(copied.result.lines)
    (notice,) = [event.message for event in events if event.kind is EventKind.NOTICE]
    assert notice is not None
    assert "ep01 copy" in notice


def test_video_called_corpus_does_not_take_the_corpus_folder(shared: Shared, tmp_path: Path) -> None:
    from pipelines.episode.session import Session

    video = tmp_path / "Corpus.mkv"
    shutil.copy(shared.video, video)
    assert Session(tmp_path).episode_id(video).startswith("Corpus-")


# --- interruption -----------------------------------------------------------------------------------------


def test_a_season_without_names_knows_its_voices_again(tmp_path: Path) -> None:
    (tmp_path / "subs.ass").write_text(subtitles(tagged=False), encoding="utf-8")
    videos = [
        make_video(tmp_path / f"ep{k}.mkv", "-metadata", f"title={k}", subtitle=tmp_path / "subs.ass") for k in (1, 2)
    ]
    configs = [EpisodeConfig(video, out=tmp_path / "out", separator="none", export=("rttm",)) for video in videos]
    season = run_season(configs)
    assert season.failures == () and season.corpus is not None
    assert all(line.character in (None, line.speaker) for line in season.episodes[0].lines)
    by_voice: dict[str | None, set[tuple[str, str | None]]] = {}
    for line in season.corpus.lines:
        by_voice.setdefault(line.character, set()).add((line.episode_id, line.speaker))
    named = {name: labels for name, labels in by_voice.items() if name}
    assert named
    assert all(name.startswith("VOICE_") and {e for e, _ in labels} == {"ep1", "ep2"} for name, labels in named.items())
    assert set(open_corpus(tmp_path / "out").characters["character"]) == set(named)
    assert "VOICE_01" in (tmp_path / "out/corpus/exports/rttm/ep2.rttm").read_text(encoding="utf-8")
    # The page of the season calls them so too.
    page = (tmp_path / "out/corpus/report.html").read_text(encoding="utf-8")
    assert ">VOICE_01<" in page and ">SPEAKER_01<" not in page  # that label is left in the paths of clips
    # What a next season begins with.
    gallery = json.loads((tmp_path / "out/corpus/gallery/gallery.json").read_text(encoding="utf-8"))
    assert set(gallery["characters"]) <= set(named) and gallery["characters"]


def test_exports_of_a_finished_corpus(copied: Shared, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = str(copied.out)
    assert main(["export", "chat,ljspeech", "hf-parquet", "--out", out, "--min-confidence", "0.5"]) == 0
    folder = copied.out / "corpus" / "exports"
    assert {p.name for p in folder.iterdir()} == {"chat", "ljspeech", "hf-parquet"}
    assert (folder / "hf-parquet" / "README.md").read_text(encoding="utf-8").startswith("---\n# Fill in before")
    before = files(folder)
    wav = next(folder.rglob("*.wav"))
    wav.write_bytes(b"mine")
    capsys.readouterr()
    assert main(["export", "chat,ljspeech", "--out", out, "--min-confidence", "0.5"]) == 0
    shown = capsys.readouterr()
    assert "export chat     reused" in shown.err and "exports/ljspeech:" in shown.out
    assert wav.with_name(f"{wav.name}.bak-1").read_bytes() == b"mine"
    wav.with_name(f"{wav.name}.bak-1").unlink()
    assert files(folder) == before
    # Other options make it anew.
    assert main(["export", "chat", "--out", out, "--min-confidence", "0.5", "--context-lines", "2", "--quiet"]) == 0
    assert files(folder / "chat") != {name[5:]: data for name, data in before.items() if name.startswith("chat/")}

    assert main(["export", "srt", "--out", out, "--to", str(tmp_path / "mine")]) == 0
    assert list((tmp_path / "mine" / "srt").rglob("*.srt"))
    for arguments, what in (
        (["srt", "--to", str(tmp_path / "mine")], "is there already"),
        (["midi"], "unknown export 'midi'"),
        (["srt", "--character", "Nobody"], "no line is said by 'Nobody'"),
        (["srt", "--without", "ugly"], "unknown problem 'ugly'"),
        (["srt", "--validation", "2"], "shares from 0 to 1"),
        (["chat", "--system-prompt", str(tmp_path / "none.txt")], "cannot be read"),
    ):
        capsys.readouterr()
        assert main(["export", *arguments, "--out", out]) == 2
        assert what in capsys.readouterr().err
    assert main(["export", "srt", "--out", str(tmp_path)]) == 2
    assert "holds no finished episode" in capsys.readouterr().err
    assert not [p for p in (tmp_path / "mine").iterdir() if p.name.startswith(".")]


def test_an_export_says_what_came_of_it(copied: Shared, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, folder = str(copied.out), copied.out / "corpus" / "exports"
    capsys.readouterr()
    assert main(["export", "hf", "roleplay", "--out", out, "--min-confidence", "0", "--quiet", "--json"]) == 0
    told = {each["name"]: each for each in json.loads(capsys.readouterr().out)["exports"]}
    assert set(told) == {"hf-folder", "chat"}
    assert told["hf-folder"]["folder"] == str(folder / "hf-folder") and told["hf-folder"]["kept"] > 0
    card = (folder / "chat" / "README.md").read_text(encoding="utf-8")
    assert "- separator: none" in card and "- embedder: " in card and str(tmp_path) not in card

    # Nothing left is told as what it is; elsewhere nothing is made of it.
    lines = copied.out / "ep01" / "lines.jsonl"  # some are as sure as can be, and would be left
    lines.write_text(lines.read_text(encoding="utf-8").replace('"confidence": 1.0,', '"confidence": 0.9999,'), "utf-8")
    arguments = ["export", "ljspeech", "--out", out, "--min-confidence", "1"]
    for more in ([], ["--to", str(tmp_path / "mine")]):
        assert main([*arguments, *more]) == 2
        shown = capsys.readouterr()
        assert "no line is left for ljspeech" in shown.err and "x name not sure enough" in shown.out
    assert not list((tmp_path / "mine").iterdir())

    (tmp_path / "file").write_text("in the way")
    assert main(["export", "srt", "--out", out, "--to", str(tmp_path / "file" / "x")]) == 2
    error = capsys.readouterr().err
    assert "another --to" in error and "Traceback" not in error and len(error.splitlines()) == 1


def test_exported_subtitles_are_shown_when_the_file_shows_them(copied: Shared) -> None:
    assert main(["export", "ass", "--out", str(copied.out), "--min-confidence", "0", "--quiet"]) == 0
    (written,) = (copied.out / "corpus" / "exports" / "ass").glob("*.ass")
    events = [event for event in pysubs2.load(str(written)) if event.plaintext.strip()]
    cues = read_records(copied.out / "ep01" / ".work" / "aligned.jsonl", AlignedCue)
    (resync,) = read_records(copied.out / "ep01" / ".work" / "resync.jsonl", Resync)
    spans = sorted(resync.place(line.cue.span) for line in cues)
    assert events and len(events) == len(spans)
    for event, span in zip(events, spans, strict=True):
        assert (event.start, event.end) == (pytest.approx(span.start_ms, abs=10), pytest.approx(span.end_ms, abs=10))


def test_labels_that_fit_no_episode_are_refused(
    copied: Shared, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.csv").write_text("长门,你好,0:00:01.00,0:00:02.00\n", encoding="utf-8")
    of_another = tmp_path / "c.csv"
    of_another.write_text("episode_id,start_ms,end_ms,character\nS01E01,1000,2000,Vivi\n", encoding="utf-8")
    assert main(["evaluate", "--truth", str(of_another), "--out", str(copied.out)]) == 2
    assert "name another episode than 'ep01'" in capsys.readouterr().err
    assert main(["evaluate", "--truth", str(of_another), "--episode", "ep01", "--out", str(copied.out)]) == 0
    shutil.copytree(copied.out / "ep01", copied.out / "ep02")
    for arguments, what in (
        (["--truth", str(tmp_path / "a.csv")], "it is unclear which of 2 episodes"),
        (["--truth", str(tmp_path / "a.csv"), "--episode", "ep09"], "there is no episode 'ep09'"),
        (["--truth", str(tmp_path / "b.csv")], "no such file of labels"),
        (["--truth", str(tmp_path / "b.rttm")], "no such file of labels"),
    ):
        capsys.readouterr()
        assert main(["evaluate", *arguments, "--out", str(copied.out)]) == 2
        assert what in capsys.readouterr().err
    assert main(["evaluate", "--truth", str(tmp_path / "a.csv"), "--episode", "ep01", "--out", str(copied.out)]) == 0
    rttm = str(sample(".rttm"))
    capsys.readouterr()
    assert main(["evaluate", "--truth", rttm, "--episode", "ep01", "--out", str(copied.out), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["lines"] == 10


def test_a_label_given_in_the_notebook_is_the_next_runs(copied: Shared, tmp_path: Path) -> None:
    corpus = open_corpus(copied.out)
    line_id = corpus.lines["line_id"].iloc[3]
    corpus.relabel(line_id, "Grace")
    corpus.save_labels(tmp_path / "labels.csv")
    result, _ = rerun(copied, characters=tmp_path / "labels.csv")
    (line,) = [line for line in result.lines if line.line_id == line_id]
    assert (line.character, line.confidence, line.verdict) == ("Grace", 1.0, Verdict.CERTAIN)
    assert "manual" in {e.source for e in line.evidence}


def test_labels_of_an_earlier_episode_name_the_voices_of_the_next_and_none_of_its_lines(
    copied: Shared, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    video = tmp_path / "ep02.mkv"
    ffmpeg("-i", copied.video, "-map", "0:v", "-map", "0:a", "-c", "copy", video)
    video.with_suffix(".ass").write_text(subtitles(tagged=False), encoding="utf-8")
    corpus = open_corpus(copied.out)
    corpus.relabel({line.line_id: f"Dr. {line.character}" for line in corpus.lines.itertuples()})
    corpus.save_labels(tmp_path / "labels.csv")
    config = EpisodeConfig(video, out=copied.out, separator="none", characters=tmp_path / "labels.csv")
    lines = run_episode(config).lines
    assert [line.character for line in lines] == [f"Dr. {NAMES[s.speaker]}" for s in truth()]
    assert "manual" not in {e.source for line in lines for e in line.evidence}
    # Where the other episode is not known, its labels say nothing: an error, not somebody's name on a line.
    elsewhere = ["--out", str(tmp_path / "elsewhere"), "--separator", "none", "--quiet"]
    assert main(["--video", str(video), "--characters", str(tmp_path / "labels.csv"), *elsewhere]) == 2
    assert "neither in work nor in the output folder" in capsys.readouterr().err


@pytest.mark.slow
def test_killed_at_random_moments_it_ends_with_the_same_bytes(shared: Shared, tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = [
        sys.executable,
        str(ROOT / "run_pipeline.py"),
        "--video",
        shared.video,
        "--separator",
        "none",
        "--out",
        out,
    ]
    kills = 0
    for seconds in (2.5, 5.0, 7.5):
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        time.sleep(seconds)
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            kills += 1
        process.wait()
    assert kills
    subprocess.run(command, check=True, capture_output=True)
    assert files(out) == files(shared.out)
    assert not list(out.rglob(".work/tmp/*"))


def test_interrupted_by_the_user(shared: Shared, tmp_path: Path) -> None:
    def interrupt(event: Event) -> None:
        if event.kind is EventKind.STARTED and event.stage == "turns":
            raise KeyboardInterrupt

    config = EpisodeConfig(shared.video, out=tmp_path / "out", separator="none")
    with pytest.raises(KeyboardInterrupt):
        run_episode(config, progress=interrupt)
    _, ran = rerun(dataclasses.replace(shared, out=tmp_path / "out"))
    assert ran == [s.name for s in STAGES][[s.name for s in STAGES].index("turns") :]


def test_all_settings_are_plain_json(shared: Shared) -> None:
    from pipelines.engine.store import Store

    store = Store(shared.folder)
    for stage in STAGES:
        mark = store.mark(stage.name)
        assert mark is not None
        assert isinstance(mark.recipe.settings, Mapping)
        assert mark.outputs or stage.name in ("ocr", "enrol", "transcribe", "words", "corrected", "corrected dub")


@pytest.fixture(scope="module")
def public_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small network of the v5.0 family with random weights, as the public files are: a bare state dict."""
    import torch

    from video_preprocessing.uvr5.nets import CascadedASPPNet
    from video_preprocessing.uvr5.network.nets_v50 import Widths

    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("net") / "public.pth"
    torch.save(CascadedASPPNet(1344, Widths(4, 2, 4, 4, 8)).state_dict(), path)
    return path


def notes_of_separate(result: EpisodeResult) -> tuple[str, ...]:
    facts = json.loads((result.folder / "episode.json").read_text(encoding="utf-8"))
    return tuple(next(stage["notes"] for stage in facts["stages"] if stage["stage"] == "separate"))


def test_a_public_checkpoint_wants_its_band_plan_and_its_models_work_in_a_row(
    shared: Shared, public_checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from video_preprocessing.uvr5.separator import cpu_engine

    command = ["--video", str(shared.video), "--out", str(tmp_path / "out"), "--quiet"]
    assert main([*command, "--separator", str(public_checkpoint)]) == 2
    assert "--band-plan" in capsys.readouterr().err
    chain = f"{public_checkpoint}+{public_checkpoint}"
    assert main([*command, "--separator", chain, "--band-plan", "4band_v2", "--post-process"]) == 0
    # Nothing has changed; another plan has.
    assert main([*command, "--separator", chain, "--band-plan", "4band_v2", "--post-process", "--dry-run"]) == 0
    config = EpisodeConfig(shared.video, out=tmp_path / "out", separator=chain, band_plan="4band_v2", post_process=True)
    events: list[Event] = []
    result = run_episode(config, progress=events.append)
    assert not [e for e in events if e.kind is EventKind.STARTED]
    engine, *assumed = notes_of_separate(result)
    assert engine == f"separator: {cpu_engine()}"
    assert any("accompaniment" in note for note in assumed)
    run_episode(dataclasses.replace(config, band_plan="4band_v3"), progress=events.append, until="separate")
    assert "separate" in [e.stage for e in events if e.kind is EventKind.STARTED]


def test_an_interrupted_separation_goes_on(shared: Shared, separated: Separated, tmp_path: Path) -> None:
    class Interrupted(Exception):
        pass

    def interrupt(event: Event) -> None:
        if event.stage == "separate" and event.total and (event.completed or 0) > 0.85 * event.total:
            raise Interrupted

    config = EpisodeConfig(shared.video, out=tmp_path / "out", **SEPARATED)
    with pytest.raises(Interrupted):
        run_episode(config, progress=interrupt)
    events: list[Event] = []
    result = run_episode(config, progress=events.append)
    assert any("resumed at" in (e.message or "") for e in events if e.kind is EventKind.NOTICE)
    assert not (result.folder / ".work" / "unfinished" / "separate").exists()
    # What happened on the way is no part of the result.
    for name in ("report.html", "audio/vocals.flac", "lines.jsonl"):
        assert (result.folder / name).read_bytes() == (separated.out / "ep01" / name).read_bytes(), name
