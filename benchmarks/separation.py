"""How much cleaner the dialogue gets: SI-SDR improvement over the mixture, by level.

    python benchmarks/separation.py --tool make_episode.py --speech speech/dev --music music/dev

The whole path is measured, from the episode's container: extraction to 44.1 kHz stereo, separation, then compared at
16 kHz mono with the dialogue as it was mixed. Beside ours: REPET-SIM as in librosa's vocal separation example
(Rafii & Pardo 2012), harmonic-percussive separation at two resolutions (FitzGerald 2010), and the ideal ratio mask on
the same STFT, which knows the answer. Then what happens to music without dialogue, and to dialogue without music.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import soundfile as sf
import soxr
from episodes import add_arguments, material, report

from video_preprocessing.media import choose_audio_track, extract_audio, probe
from video_preprocessing.uvr5 import Separator
from video_preprocessing.uvr5.mixing import find_audio
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


def on_its_own(separator: Separator, music: Path, dialogue: FloatArray) -> list[dict[str, float | str]]:
    """Music alone: how far it goes down. Dialogue alone: how little is lost."""
    falls = []
    for file in find_audio(music):
        x, rate_hz = sf.read(file, dtype="float32", always_2d=True, frames=30 * 44_100)
        left = separator.separate(x.T, rate_hz).vocals
        falls.append(10 * np.log10(np.square(x).mean() / max(np.square(left).mean(), 1e-12)))
    clean = separator.separate(np.stack([dialogue, dialogue]), RATE_HZ).vocals[0]
    return [
        {"what": f"music alone, {len(falls)} pieces: mean fall, dB", "dB": float(np.mean(falls))},
        {"what": "the piece that falls least", "dB": float(np.min(falls))},
        {"what": "dialogue alone: SI-SDR", "dB": si_sdr_db(clean, dialogue)},
    ]


def ideal_ratio_mask(mixture: FloatArray, dialogue: FloatArray) -> FloatArray:
    """What no mask with the mixture's phase gets far beyond."""
    import librosa

    m, s = (librosa.stft(x, n_fft=960, hop_length=320) for x in (mixture, dialogue))
    mask = np.abs(s) / (np.abs(s) + np.abs(m - s) + 1e-9)
    return np.asarray(librosa.istft(mask * m, hop_length=320, n_fft=960, length=len(mixture)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_arguments(parser)
    parser.add_argument("--levels", type=float, nargs="+", default=[-5, 0, 5, 10], help="dialogue over music, dB")
    parser.add_argument("--episodes", type=int, default=3, help="a level (%(default)s)")
    parser.add_argument("--minutes", type=float, default=2)
    parser.add_argument("--separator", default="dialogue")
    a = parser.parse_args()
    source, separator, rows = material(a), Separator.load(a.separator), []
    for level_db in a.levels:
        gains: dict[str, list[float]] = {
            "mixture": [],
            "ours": [],
            "ours, mono input": [],
            "REPET-SIM": [],
            "HPSS": [],
            "ideal": [],
        }
        seconds = audio_seconds = 0.0
        for seed in range(a.episodes):
            folder = source.episode(seed=seed, snr_db=level_db, minutes=a.minutes)
            mix, vocals = a.work / "mix.flac", a.work / "vocals.flac"
            info = probe(folder / "ep.mkv")
            extract_audio(info, choose_audio_track(info, None), mix)
            begun = time.perf_counter()
            done = separator.separate_file(mix, vocals)
            seconds += time.perf_counter() - begun
            audio_seconds += done.duration_ms / 1000
            dialogue, _ = sf.read(folder / "dialogue.flac", dtype="float32")
            mixture, _ = sf.read(folder / "mixture.flac", dtype="float32")
            stereo, rate_hz = sf.read(vocals, dtype="float32")
            before = si_sdr_db(mixture, dialogue)
            gains["mixture"].append(before)
            for name, estimate in (
                ("ours", soxr.resample(stereo.mean(axis=1), rate_hz, RATE_HZ)),
                ("ours, mono input", separator.separate(mixture, RATE_HZ).vocals[0]),
                ("REPET-SIM", repet_sim(mixture)),
                ("HPSS", hpss(mixture)),
                ("ideal", ideal_ratio_mask(mixture, dialogue)),
            ):
                gains[name].append(si_sdr_db(estimate, dialogue) - before)
        rows.append(
            {"level dB": level_db}
            | {name: float(np.mean(values)) for name, values in gains.items()}
            | {"times real time": audio_seconds / seconds}
        )
    report("without the other", on_its_own(separator, a.music, dialogue), None)
    report("SI-SDR of the mixture, and improvement over it, dB (mean over episodes)", rows, a.json)


if __name__ == "__main__":
    Path("runs/benchmarks").mkdir(parents=True, exist_ok=True)
    main()
