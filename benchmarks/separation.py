"""How much cleaner the dialogue gets: SI-SDR improvement over the mixture, by level.

    python benchmarks/separation.py --tool make_episode.py --speech speech/dev --music music/dev

The whole path is measured, from the episode's container: extraction to 44.1 kHz stereo, separation, then compared at
16 kHz mono with the dialogue as it was mixed. Beside ours: REPET-SIM as in librosa's vocal separation example
(Rafii & Pardo 2012), harmonic-percussive separation at two resolutions (FitzGerald 2010), and the ideal ratio mask on
the same STFT, which knows the answer. Then what happens to music without dialogue (in the pauses of the episodes, and
whole pieces of it), and to dialogue without music. ``--separator`` repeats: several are compared on the same episodes.
``--effects`` takes a folder of other sounds (``render_effects.py`` makes one): dialogue over each, and each alone.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import soundfile as sf
import soxr
from episodes import add_arguments, material, report, truth

from video_preprocessing.media import choose_audio_track, extract_audio, probe
from video_preprocessing.uvr5 import Separator
from video_preprocessing.uvr5.training.mixing import find_audio
from yuki_builder.records import FloatArray

RATE_HZ = 16_000


def si_sdr_db(estimate: FloatArray, reference: FloatArray) -> float:
    """Scale-invariant signal-to-distortion ratio (Le Roux et al. 2019), over the shorter length."""
    n = min(len(estimate), len(reference))
    e, s = estimate[:n].astype(np.float64), reference[:n].astype(np.float64)
    target = (e @ s) / (s @ s) * s
    return float(10 * np.log10((target @ target) / ((e - target) @ (e - target))))


def repet_sim(mixture: FloatArray) -> FloatArray:
    """librosa's example of vocal separation, at 16 kHz: what does not repeat is foreground."""
    import librosa

    spectrum = librosa.stft(mixture)
    magnitude = np.abs(spectrum)
    width = int(librosa.time_to_frames(2, sr=RATE_HZ))
    background = librosa.decompose.nn_filter(magnitude, aggregate=np.median, metric="cosine", width=width)
    background = np.minimum(magnitude, background)
    mask = librosa.util.softmask(magnitude - background, 10 * background, power=2)
    return np.asarray(librosa.istft(mask * spectrum, length=len(mixture)))


def hpss(mixture: FloatArray) -> FloatArray:
    """Voices are percussive to a long window and harmonic to a short one."""
    import librosa

    for n_fft, part in ((4096, 1), (512, 0)):
        spectrum = librosa.stft(mixture, n_fft=n_fft)
        mixture = librosa.istft(librosa.decompose.hpss(spectrum)[part], n_fft=n_fft, length=len(mixture))
    return np.asarray(mixture)


def fall_in_pauses_db(estimate: FloatArray, mixture: FloatArray, episode: Path, margin_s: float = 0.2) -> float:
    """How far the music is turned down where nobody speaks, as one ratio of energies over all pauses."""
    n = min(len(estimate), len(mixture))
    pause = np.ones(n, bool)
    for line in truth(episode)["lines"]:
        pause[max(0, int((line["start"] - margin_s) * RATE_HZ)) : int((line["end"] + margin_s) * RATE_HZ)] = False
    before, after = (np.square(x[:n][pause], dtype=np.float64).sum() for x in (mixture, estimate))
    return float(10 * np.log10(before / max(after, 1e-12)))


def on_its_own(name: str, separator: Separator, music: Path, dialogue: FloatArray) -> dict[str, float | str]:
    """Music alone: how far it goes down. Dialogue alone: how little is lost."""
    falls = []
    for file in find_audio(music):
        x, rate_hz = sf.read(file, dtype="float32", always_2d=True, frames=30 * 44_100)
        left = separator.separate(x.T, rate_hz).vocals
        falls.append(10 * np.log10(np.square(x).mean() / max(np.square(left).mean(), 1e-12)))
    clean = separator.separate(np.stack([dialogue, dialogue]), RATE_HZ).vocals[0]
    return {
        "separator": name,
        f"music alone, {len(falls)} pieces: mean fall, dB": float(np.mean(falls)),
        "the piece that falls least, dB": float(np.min(falls)),
        "dialogue alone: SI-SDR, dB": si_sdr_db(clean, dialogue),
    }


def over_effects(
    separators: dict[str, Separator], folder: Path, dialogue: FloatArray, seconds: int = 50
) -> list[dict[str, float | str]]:
    """Dialogue in the centre over every sound of the folder, at the same level: improvement; each sound alone: fall."""
    voice = dialogue[: seconds * RATE_HZ]
    speaking, rows = np.abs(voice) > 1e-4, []
    for file in find_audio(folder):
        x, rate_hz = sf.read(file, dtype="float32", always_2d=True)
        sound = np.resize(soxr.resample(x[:, [0, -1]], rate_hz, RATE_HZ), (len(voice), 2)).T
        level = np.sqrt(np.square(voice[speaking]).mean() / np.square(sound.mean(axis=0)[speaking]).mean())
        sound = (sound * level).astype(np.float32)
        mixture = voice + sound
        row: dict[str, float | str] = {"sound": file.stem}
        for name, separator in separators.items():
            estimate = separator.separate(mixture, RATE_HZ).vocals.mean(axis=0)
            left = separator.separate(sound, RATE_HZ).vocals
            row[f"{name}: improvement"] = si_sdr_db(estimate, voice) - si_sdr_db(mixture.mean(axis=0), voice)
            row[f"{name}: fall alone"] = 10 * np.log10(np.square(sound).mean() / max(np.square(left).mean(), 1e-12))
        rows.append(row)
    return rows


def ideal_ratio_mask(mixture: FloatArray, dialogue: FloatArray) -> FloatArray:
    """What no mask with the mixture's phase gets far beyond."""
    import librosa

    m, s = (librosa.stft(x, n_fft=960, hop_length=320) for x in (mixture, dialogue))
    mask = np.abs(s) / (np.abs(s) + np.abs(m - s) + 1e-9)
    return np.asarray(librosa.istft(mask * m, hop_length=320, n_fft=960, length=len(mixture)))


def measure(separator: Separator, episode: Path, mix: Path, work: Path) -> dict[str, float]:
    """The figures of one separator on one episode; the mix is its sound track, already extracted."""
    dialogue, mixture = stems(episode)
    vocals = work / "vocals.flac"
    begun = time.perf_counter()
    done = separator.separate_file(mix, vocals)
    seconds = time.perf_counter() - begun
    stereo, rate_hz = sf.read(vocals, dtype="float32")
    estimate = soxr.resample(stereo.mean(axis=1), rate_hz, RATE_HZ)
    before = si_sdr_db(mixture, dialogue)
    return {
        "stereo": si_sdr_db(estimate, dialogue) - before,
        "mono input": si_sdr_db(separator.separate(mixture, RATE_HZ).vocals[0], dialogue) - before,
        "fall in pauses": fall_in_pauses_db(estimate, mixture, episode),
        "times real time": done.duration_ms / 1000 / seconds,
    }


def stems(episode: Path) -> tuple[FloatArray, FloatArray]:
    """(dialogue, mixture) of an episode, as they were mixed."""
    dialogue, _ = sf.read(episode / "dialogue.flac", dtype="float32")
    mixture, _ = sf.read(episode / "mixture.flac", dtype="float32")
    return dialogue, mixture


def others(episode: Path) -> dict[str, float]:
    """The mixture itself, and what needs no network, on one episode."""
    dialogue, mixture = stems(episode)
    before = si_sdr_db(mixture, dialogue)
    estimates = {"REPET-SIM": repet_sim(mixture), "HPSS": hpss(mixture), "ideal": ideal_ratio_mask(mixture, dialogue)}
    return {"mixture": before} | {name: si_sdr_db(x, dialogue) - before for name, x in estimates.items()}


def mean(rows: list[dict[str, float]]) -> dict[str, float]:
    """Key by key."""
    return {key: float(np.mean([row[key] for row in rows])) for key in rows[0]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_arguments(parser)
    parser.add_argument("--levels", type=float, nargs="+", default=[-5, 0, 5, 10], help="dialogue over music, dB")
    parser.add_argument("--episodes", type=int, default=3, help="a level (%(default)s)")
    parser.add_argument("--minutes", type=float, default=2)
    parser.add_argument("--separator", action="append", help="name or path; repeat it to compare (default: dialogue)")
    parser.add_argument("--effects", type=Path, help="folder of sounds that are no music")
    a = parser.parse_args()
    a.work.mkdir(parents=True, exist_ok=True)
    source = material(a)
    separators = {name: Separator.load(name) for name in a.separator or ["dialogue"]}
    rows, besides = [], []
    for level_db in a.levels:
        figures: dict[str, list[dict[str, float]]] = {name: [] for name in separators}
        references = []
        for seed in range(a.episodes):
            episode = source.episode(seed=seed, snr_db=level_db, minutes=a.minutes)
            mix = a.work / "mix.flac"
            extract_audio(info := probe(episode / "ep.mkv"), choose_audio_track(info, None), mix)
            references.append(others(episode))
            for name, separator in separators.items():
                figures[name].append(measure(separator, episode, mix, a.work))
        rows += [{"level dB": level_db, "separator": name} | mean(figures[name]) for name in separators]
        besides.append({"level dB": level_db} | mean(references))
    alone = [on_its_own(name, s, a.music, stems(episode)[0]) for name, s in separators.items()]
    report(
        "SI-SDR improvement over the mixture, and fall of music in the pauses, dB (mean over episodes)", rows, a.json
    )
    report("without a network: SI-SDR of the mixture, and improvement over it, dB", besides, None)
    report("without the other", alone, None)
    if a.effects:
        rows = over_effects(separators, a.effects, stems(episode)[0])
        report("dialogue over other sounds at 0 dB: SI-SDR improvement; the sound alone: fall, dB", rows, None)


if __name__ == "__main__":
    main()
