"""Turns on audio alone: diarization error, speech missed and false, voices found, seconds per second.

    python benchmarks/diarization.py vocals.flac truth.rttm [AUDIO RTTM …] [--diarizer embedded] [--json FILE]
    python benchmarks/diarization.py --episodes FOLDER [FOLDER …] [--mix noisy always never]
                                     [--groups likelihood similarity] [--set observations_per_s=0.3 …]

FOLDER is one of make_episode.py's or make_drama.py's that the command has been run in: FOLDER/truth.rttm, and under
FOLDER/out the vocals, the mix and the speech, cut at the edges of the subtitles as the command does. ``--mix``: the
embedded diarizer hears the mix, too, in segments in which it is noisy (as it ships), in all, or in none. ``--groups``:
it joins segments while one voice is likelier than two (as it ships), or while they are similar enough on average.
``--set`` changes any of ``VoiceSettings``.

Without either, it is pyannote.audio's packaged conversation. Errors are pyannote.metrics', overlapping speech counted,
without a collar and with 250 ms on either side of an edge.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import soundfile

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from pyannote.core import Annotation, Segment, Timeline
from pyannote.metrics.diarization import DiarizationErrorRate
from speech_files import sample_path

from pipelines.episode.records import read_records
from pipelines.layout import PIECES
from video_preprocessing.speech import Diarizer, detect_speech, load_diarizer, load_embedder, read_rttm
from video_preprocessing.speech.embedded import EmbeddedDiarizer, settings_for
from video_preprocessing.speech.local_voices import VoiceSettings
from yuki_builder.records import Span, Turn

NOISY_DB = {"noisy": VoiceSettings().noisy_db, "always": float("inf"), "never": float("-inf")}

GROUPS = ("likelihood", "similarity")


def annotation(turns: Sequence[Turn]) -> Annotation:
    result = Annotation()
    for number, t in enumerate(turns):
        result[Segment(t.start_ms / 1000, t.end_ms / 1000), number] = t.speaker
    return result


def errors(truth: Sequence[Turn], turns: Sequence[Turn], *, collar_s: float) -> dict[str, float]:
    """Shares of the speech of the truth, in percent."""
    end_s = max(t.end_ms for t in [*truth, *turns]) / 1000
    metric = DiarizationErrorRate(collar=2 * collar_s)
    found = metric(annotation(truth), annotation(turns), uem=Timeline([Segment(0, end_s)]), detailed=True)
    names = {"DER %": "diarization error rate"}
    if not collar_s:
        scaled = {"missed %": "missed detection", "false %": "false alarm", "confused %": "confusion"}
        return {"DER %": 100 * found[names["DER %"]]} | {k: 100 * found[v] / found["total"] for k, v in scaled.items()}
    return {"DER, 250 ms collar %": 100 * found[names["DER %"]]}


def measure(
    audio: Path, rttm: Path, diarizer: Diarizer, *, speech: Sequence[Span], mix: Path | None = None
) -> dict[str, float | str]:
    truth = read_rttm(rttm)
    wall, cpu = time.monotonic(), time.process_time()
    turns = diarizer.diarize(audio, speech, mix=mix)
    wall, cpu = time.monotonic() - wall, time.process_time() - cpu
    seconds = soundfile.info(audio).duration
    return {
        "audio": f"{rttm.parent.name}/{audio.name}",
        **errors(truth, turns, collar_s=0.0),
        **errors(truth, turns, collar_s=0.25),
        "voices": len({t.speaker for t in turns}),
        "of": len({t.speaker for t in truth}),
        "s per s": wall / seconds,
        "CPU s per s": cpu / seconds,
    }


def _setting(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    if name not in VoiceSettings.__dataclass_fields__:
        raise argparse.ArgumentTypeError(f"no such setting: {name}")
    return name, float(value)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", type=Path, nargs="*", metavar="AUDIO RTTM")
    parser.add_argument("--episodes", type=Path, nargs="+", default=[], metavar="FOLDER")
    parser.add_argument("--diarizer", default="embedded")
    parser.add_argument("--mix", nargs="+", choices=NOISY_DB, default=["noisy"], help="(%(default)s)")
    parser.add_argument("--groups", nargs="+", choices=GROUPS, default=["likelihood"], help="(%(default)s)")
    parser.add_argument("--set", nargs="+", type=_setting, default=[], metavar="NAME=VALUE")
    parser.add_argument("--json", type=Path, metavar="FILE")
    a = parser.parse_args()
    packaged = [] if a.episodes else [sample_path(), sample_path().with_suffix(".rttm")]
    files = a.files or packaged
    if len(files) % 2:
        parser.error("give an RTTM file for each audio file")
    diarizer = load_diarizer(a.diarizer)
    diarizer.diarize(sample_path(), detect_speech(sample_path()))  # loads the networks
    pairs = zip(files[::2], files[1::2], strict=True)
    rows = [measure(audio, rttm, diarizer, speech=detect_speech(audio)) for audio, rttm in pairs]
    embedder = load_embedder()
    for folder in a.episodes:
        (vocals,) = folder.glob("out/*/audio/vocals.flac")
        pieces = read_records(vocals.parents[1] / PIECES, Span)
        for mode, groups in itertools.product(a.mix, a.groups):
            if (mode, groups) != ("noisy", "likelihood") or a.set:
                settings = dataclasses.replace(settings_for(embedder.name), noisy_db=NOISY_DB[mode], **dict(a.set))
                if groups == "similarity":
                    settings = dataclasses.replace(settings, between_to_within=None)
                diarizer = EmbeddedDiarizer(embedder, settings=settings)
            else:
                diarizer = load_diarizer(a.diarizer)
            found = measure(vocals, folder / "truth.rttm", diarizer, speech=pieces, mix=vocals.with_name("mix.flac"))
            rows.append({"mix": mode, "groups": groups} | found)
    for row in rows:
        print("  ".join(f"{k} {v:.3g}" if isinstance(v, float) else f"{k} {v}" for k, v in row.items()))
    if a.json:
        a.json.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
