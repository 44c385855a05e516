"""A season at scale: episodes per hour by jobs, what an episode costs beside its own work, and corpora of thousands.

    python benchmarks/season.py jobs --jobs 1 2               # real small episodes, by the command
    python benchmarks/season.py jobs --jobs 1 2 4 --videos SHOW --device cuda   # one's own, sharing a GPU
    python benchmarks/season.py corpus --episodes 200 1000    # a corpus from finished episodes (records alone)
    python benchmarks/season.py voices --episodes 1000 10000  # voices without names, linked over a season

Finished episodes are made up here: lines of a cast, a third of whom nobody named, with records as the pipeline writes
them and no sound.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

from stages import family, resident_bytes

EMBEDDER = "campplus-made-up"
DIM = 192
LINES = 400
TEXT = "the of and to you he was it in that his with for they at be this have from one had by word but not"
WORDS = re.findall(r"\w+", TEXT)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    jobs = commands.add_parser("jobs")
    jobs.add_argument("--jobs", type=int, nargs="+", default=[1, 2])
    jobs.add_argument("--episodes", type=int, default=6)
    jobs.add_argument("--videos", type=Path, help="a folder of episodes instead, with separation of the vocals")
    jobs.add_argument("--device", default="cpu")
    corpus = commands.add_parser("corpus")
    corpus.add_argument("--episodes", type=int, nargs="+", default=[200])
    corpus.add_argument("--per-show", type=int, default=20, help="episodes of one show, which share a cast")
    corpus.add_argument("--lines", type=int, default=LINES, help="of an episode")
    corpus.add_argument("--folder", type=Path)
    voices = commands.add_parser("voices")
    voices.add_argument("--episodes", type=int, nargs="+", default=[1000])
    voices.add_argument("--approximate-from", type=int, help="voices from which on hnswlib finds the neighbours")
    one = commands.add_parser("build")  # in a process of its own, whose memory is measured
    one.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    return {"jobs": run_jobs, "corpus": run_corpus, "voices": run_voices, "build": run_build}[arguments.command](
        arguments
    )


# --- jobs -------------------------------------------------------------------------------------------------


def run_jobs(arguments: argparse.Namespace) -> int:
    from campaigns import visible

    from pipelines.videos import find_videos
    from video_preprocessing.media import probe

    with tempfile.TemporaryDirectory() as folder:
        show = arguments.videos or small_season(Path(folder), arguments.episodes)
        videos = find_videos([show])
        options = ["--device", arguments.device] if arguments.videos else ["--separator", "none"]
        seconds = sum(probe(video).duration_ms for video in videos) / 1000
        print(f"{len(videos)} episodes, {seconds:.0f} s in all, {' '.join(options)}")
        print(
            "| jobs | seconds | episodes/hour | CPU seconds an episode | reused: seconds, CPU seconds | peak (MB) "
            "| peak on the GPU (MB) | bytes as with the first |"
        )
        print("|-|-|-|-|-|-|-|-|")
        kept: dict[str, bytes] | None = None
        for jobs in arguments.jobs:
            out = Path(folder, f"out{jobs}")
            first, cpu, peak, on_gpu = command(show, out, jobs, options)
            again, cpu_again, _, _ = command(show, out, jobs, options)
            files = visible(out)
            kept = kept or files
            unlike = sorted(name for name in kept.keys() | files.keys() if kept.get(name) != files.get(name))
            print(
                f"| {jobs} | {first:.1f} | {3600 * len(videos) / first:.0f} | {cpu / len(videos):.1f} "
                f"| {again / len(videos):.2f}, {cpu_again / len(videos):.2f} | {peak:.0f} | {on_gpu:.0f} "
                f"| {f'{len(unlike)} of {len(files)} differ: {unlike[:3]}' if unlike else 'yes'} |",
                flush=True,
            )
    return 0


def small_season(folder: Path, episodes: int) -> Path:
    """Copies of one small episode."""
    from campaigns import small_episode

    show = folder / "show"
    small_episode(folder / "one")
    show.mkdir()
    for number in range(episodes):
        for file in (folder / "one").iterdir():
            shutil.copy(file, show / f"{file.stem}{number}{file.suffix}")
    return show


def command(show: Path, out: Path, jobs: int, options: list[str]) -> tuple[float, float, float, float]:
    """Seconds of a run, CPU seconds, and the most memory that all its processes had together, and a GPU, MB."""
    arguments = ["--video", str(show), "--out", str(out), "--quiet", "--jobs", str(jobs), *options]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began, peak, on_gpu = time.monotonic(), 0.0, 0.0
    idle = gpu_memory_mb()
    with subprocess.Popen([sys.executable, str(ROOT / "run_pipeline.py"), *arguments]) as process:
        while process.poll() is None:
            peak = max(peak, sum(map(resident_bytes, family(process.pid))) / 1e6)
            on_gpu = max(on_gpu, gpu_memory_mb() - idle)
            time.sleep(0.2)
    assert process.returncode == 0
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.monotonic() - began, cpu, peak, on_gpu


def gpu_memory_mb() -> float:
    """What is taken of the first GPU's memory by anybody; 0 where there is none."""
    asked = ["nvidia-smi", "--query-gpu=memory.used", "--format=csv,noheader,nounits", "--id=0"]
    if shutil.which(asked[0]) is None:
        return 0.0
    return float(subprocess.run(asked, check=True, capture_output=True, text=True).stdout)


# --- the corpus -------------------------------------------------------------------------------------------


def run_corpus(arguments: argparse.Namespace) -> int:
    print(f"episodes of {arguments.lines} lines, {arguments.per_show} to a show")
    for episodes in arguments.episodes:
        folder = Path(arguments.folder or tempfile.mkdtemp())
        began = time.monotonic()
        make_episodes(folder / str(episodes), episodes, arguments.per_show, arguments.lines)
        print(f"made {episodes} episodes in {time.monotonic() - began:.0f} s", file=sys.stderr)
        done = subprocess.run(
            [sys.executable, __file__, "build", str(folder / str(episodes))], check=True, capture_output=True, text=True
        )
        figures = json.loads(done.stdout.splitlines()[-1])
        print(json.dumps({"episodes": episodes, **figures}), flush=True)
        if arguments.folder is None:
            shutil.rmtree(folder)
    return 0


def run_build(arguments: argparse.Namespace) -> int:
    from pipelines import build_corpus
    from pipelines.engine.events import Event, EventKind

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    began = time.monotonic()
    # By the program and by the system apart: making a file costs a disk 0.1 to 1 ms, and not always the same.
    cpu: dict[str, list[float]] = {}
    peaks: dict[str, int] = {}

    def listen(event: Event) -> None:
        now = os.times()
        if event.kind is EventKind.STARTED:
            peaks["before"] = max(peaks.get("before", 0), peak_mb())
            forget_peak()
            cpu[event.stage or ""] = [-now.user, -now.system]
        elif event.kind is EventKind.FINISHED:
            user, system = cpu[event.stage or ""]
            cpu[event.stage or ""] = [user + now.user, system + now.system]
            peaks[event.stage or ""] = peak_mb()
            forget_peak()

    result = build_corpus(arguments.folder, progress=listen)
    figures = {
        "seconds": round(time.monotonic() - began, 1),
        "cpu_seconds": round(time.process_time(), 1),
        "stages_cpu": {stage: [round(part, 1) for part in parts] for stage, parts in cpu.items()},
        "stages": {report.stage: round(report.seconds, 1) for report in result.reports},
        "peak_mb": max(peaks.values()),
        "stages_peak_mb": peaks,
        "peak_mb_before": round(before),
        "report_mb": round((result.folder / "report.html").stat().st_size / 1e6, 2),
        "pages": sum(1 for _ in (result.folder / "characters").glob("*.html")),
        "largest_page_mb": round(
            max((p.stat().st_size for p in (result.folder / "characters").glob("*.html")), default=0) / 1e6, 2
        ),
        "files": sum(1 for path in result.folder.rglob("*") if path.is_file()),
    }
    forget_peak()
    began, cpu_began = time.monotonic(), time.process_time()
    build_corpus(arguments.folder)
    again = {"seconds": time.monotonic() - began, "cpu_seconds": time.process_time() - cpu_began, "peak_mb": peak_mb()}
    print(json.dumps({**figures, "again": {name: round(value, 1) for name, value in again.items()}}))
    return 0


def peak_mb() -> int:
    """The most memory that this process had since ``forget_peak``."""
    status = Path("/proc/self/status").read_text()
    return int(re.findall(r"VmHWM:\s+(\d+)", status)[0]) // 1024


def forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def make_episodes(out: Path, episodes: int, per_show: int, lines: int) -> None:
    """Finished episodes: the records that a corpus is built from."""
    dice = np.random.default_rng(0)
    cast = np.zeros((0, DIM))
    for number in range(episodes):
        if number % per_show == 0:
            cast = unit(dice.standard_normal((30, DIM)))
        make_episode(out, f"show{number // per_show:04d}-{number % per_show:03d}", cast, dice, lines)


def make_episode(out: Path, name: str, cast: np.ndarray, dice: np.random.Generator, count: int) -> None:
    from pipelines.engine.marks import Recipe
    from pipelines.engine.store import Store
    from pipelines.episode.records import write_audio_fingerprints, write_embeddings, write_records
    from pipelines.layout import AUDIO_FINGERPRINTS, EMBEDDINGS, MEDIA, QUALITY, SCENES
    from pipelines.layout import LINES as LINES_FILE
    from yuki_builder.corpus import ClipQuality, SceneRow, split_scenes, write_lines_jsonl
    from yuki_builder.records import Evidence, Line, MediaInfo, SpeakerEmbeddings, StageReport, Verdict

    show = name.partition("-")[0]
    speaking = dice.choice(len(cast), 10, replace=False)
    lines, vectors = [], []
    start = 0
    for index in range(count):
        who = int(dice.integers(len(speaking)))
        person = speaking[who]
        start += int(dice.integers(1500, 5000))
        text = " ".join(dice.choice(WORDS, int(dice.integers(3, 14)))).capitalize() + "."
        label = f"SPEAKER_{who:02d}"
        character = label if person % 3 == 0 else f"{show} person {person:02d}"
        identity = f"{name}-{start:08d}-{index:08x}"
        lines.append(
            Line(
                line_id=identity,
                episode_id=name,
                index=index,
                start_ms=start,
                end_ms=start + 1400,
                text=text,
                text_secondary=None,
                character=character,
                confidence=round(float(dice.uniform(0.4, 1.0)), 4),
                verdict=Verdict.CERTAIN,
                evidence=(Evidence("voice", character, 3.0),),
                speaker=label,
                overlap=0.0,
                snr_db=12.0,
                quality=None,
                clip=f"{name}/clips/{person}/{identity}.flac",
            )
        )
        vectors.append(unit(cast[person] + 1.0 * dice.standard_normal(DIM) / np.sqrt(DIM)))
    keys = tuple(line.line_id for line in lines)
    store = Store(out / name)
    with store.locked(), store.workspace("lines") as workspace:
        for path in (LINES_FILE, EMBEDDINGS):
            (workspace.outputs / path).parent.mkdir(parents=True, exist_ok=True)
        write_lines_jsonl(lines, workspace.outputs / LINES_FILE)
        rows = [SceneRow.of(scene) for scene in split_scenes(lines)]
        write_records(rows, workspace.outputs / SCENES)
        embeddings = SpeakerEmbeddings(keys, np.array(vectors, np.float32), (1400,) * len(keys))
        write_embeddings(embeddings, workspace.outputs / EMBEDDINGS, embedder=EMBEDDER)
        measured = [ClipQuality(key, 1.4, 0.0, 16000, 0.9, 12.0, 0.0, 12.0) for key in keys]
        write_records(measured, workspace.outputs / QUALITY)
        sounds = dict(zip(keys, unit(dice.standard_normal((len(keys), 768))).astype(np.float32), strict=True))
        write_audio_fingerprints(sounds, workspace.outputs / AUDIO_FINGERPRINTS)
        write_records([MediaInfo(f"{name}.mkv", "matroska", start + 5000, 0, 1, (), ())], workspace.outputs / MEDIA)
        store.commit("lines", Recipe(1, {"episode": name}, {}, {}), StageReport("lines", 0.0, count, count, {}))


def unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


# --- voices -----------------------------------------------------------------------------------------------


def run_voices(arguments: argparse.Namespace) -> int:
    from yuki_builder.characters import EpisodeVoice, link_voices, season_voices

    if arguments.approximate_from is not None:
        season_voices._MOST_BY_SEARCH = arguments.approximate_from
    print("eight voices an episode, six lines each, a cast of 30 for 20 episodes; clips at a cosine of 0.5")
    print("| episodes | voices | people | found | B-cubed precision | recall | CPU seconds | peak (MB) |")
    print("|-|-|-|-|-|-|-|-|")
    for episodes in arguments.episodes:
        truth: dict[tuple[str, str], int] = {}

        def heard(episodes: int = episodes, truth: dict[tuple[str, str], int] = truth) -> Iterator[EpisodeVoice]:
            dice = np.random.default_rng(1)
            cast = np.zeros((0, DIM))
            for number in range(episodes):
                if number % 20 == 0:
                    cast = unit(dice.standard_normal((30, DIM)))
                for who, person in enumerate(dice.choice(30, 8, replace=False)):
                    vectors = unit(cast[person] + dice.standard_normal((6, DIM)) / np.sqrt(DIM))
                    voice = EpisodeVoice(f"e{number:06d}", f"S{who}", vectors.astype(np.float32), 9000)
                    truth[voice.episode_id, voice.speaker] = number // 20 * 30 + int(person)
                    yield voice

        began = time.process_time()
        names = link_voices(heard(), embedder=EMBEDDER)
        seconds = time.process_time() - began
        joint = Counter((names[key], truth[key]) for key in truth)
        found, people = Counter(names.values()), Counter(truth.values())
        precision = sum(n * n / found[a] for (a, _), n in joint.items()) / len(truth)
        recall = sum(n * n / people[b] for (_, b), n in joint.items()) / len(truth)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(
            f"| {episodes:,} | {len(truth):,} | {len(people):,} | {len(found):,} | {precision:.4f} | {recall:.4f} | "
            f"{seconds:.0f} | {peak:.0f} |",
            flush=True,
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
