"""What the settings that make separation faster change: window length, crossfade, precision.

    python benchmarks/separation_settings.py --tool make_episode.py --speech speech/dev --music music/dev

Every setting separates the same mixture (dialogue and music at the same level). What comes out is compared with the
longest window in float32: as a waveform, as a speaker embedding hears it (Resemblyzer, windows of two seconds), and by
what it is for, the improvement in SI-SDR.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import soundfile as sf
import soxr
from episodes import add_arguments, material, report
from separation import RATE_HZ, si_sdr_db

from video_preprocessing.media import choose_audio_track, extract_audio, probe
from video_preprocessing.speech import load_embedder
from video_preprocessing.uvr5.separator import Separator, SeparatorOptions
from yuki_builder.records import FloatArray

SETTINGS = {
    "2048 frames": {"window_frames": 2048},
    "1024 frames": {"window_frames": 1024},
    "512 frames": {"window_frames": 512},
    "256 frames": {"window_frames": 256},
    "1024, crossfade 64": {"window_frames": 1024, "crossfade": 64},
    "1024, bfloat16": {"window_frames": 1024, "precision": "bfloat16"},
}


def embeddings(x: FloatArray) -> FloatArray:
    """(windows, dim) unit vectors of two seconds each."""
    embedder = load_embedder("resemblyzer", device="cpu")
    step = 2 * RATE_HZ
    vectors = np.stack([embedder.embed(x[i : i + step]) for i in range(0, len(x) - step, step)])
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_arguments(parser)
    parser.add_argument("--separator", default="dialogue")
    parser.add_argument("--minutes", type=float, default=2)
    a = parser.parse_args()
    folder = material(a).episode(seed=0, snr_db=0.0, minutes=a.minutes)
    info, mix = probe(folder / "ep.mkv"), a.work / "mix.flac"
    extract_audio(info, choose_audio_track(info, None), mix)
    stereo, rate_hz = sf.read(mix, dtype="float32")
    dialogue, _ = sf.read(folder / "dialogue.flac", dtype="float32")
    mixture, _ = sf.read(folder / "mixture.flac", dtype="float32")
    rows, reference, heard = [], None, None
    for name, options in SETTINGS.items():
        separator = Separator.load(a.separator, device="cpu", options=SeparatorOptions(**options))
        begun = time.perf_counter()
        vocals = separator.separate(stereo.T, rate_hz).vocals
        seconds = time.perf_counter() - begun
        at_16k = soxr.resample(vocals.mean(axis=0), rate_hz, RATE_HZ)
        vectors = embeddings(at_16k)
        if reference is None or heard is None:
            reference, heard = vocals, vectors
        error = np.square(vocals - reference).sum()
        rows.append(
            {
                "setting": name,
                "SNR to the first, dB": float(10 * np.log10(np.square(reference).sum() / error)) if error else "-",
                "least cosine of voices": float((vectors * heard).sum(axis=1).min()),
                "improvement, dB": si_sdr_db(at_16k, dialogue) - si_sdr_db(mixture, dialogue),
                "times real time": stereo.shape[0] / rate_hz / seconds,
            }
        )
    report(f"{a.separator} at 0 dB", rows, a.json)


if __name__ == "__main__":
    main()
