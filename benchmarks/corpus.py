"""Seconds that making a corpus takes: clips, quality, scenes, corpus files, exports and reports; and opening one.

The sound is made up (see report.py), as is the dialogue; what costs time is its length and number.

    python benchmarks/corpus.py
    python benchmarks/corpus.py --minutes 24 --lines 400 --open 50000
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from report import make_lines, timed, write_sound

from yuki_builder import open_corpus
from yuki_builder.corpus import (
    EXPORTERS,
    ExportOptions,
    Source,
    build_corpus_files,
    mark_duplicates,
    picture_sound,
    read_sounds,
    split_scenes,
    write_report,
)
from yuki_builder.records import Span, no_progress


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=24)
    parser.add_argument("--lines", type=int, default=400)
    parser.add_argument("--open", type=int, default=50_000, help="lines of the corpus that is opened")
    a = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch)
        audio = out / "ep01" / "audio"
        audio.mkdir(parents=True)
        for name in ("mix", "vocals"):
            write_sound(audio / f"{name}.flac", minutes=a.minutes, music=name == "mix")
        mix, vocals = audio / "mix.flac", audio / "vocals.flac"
        lines = make_lines("ep01", count=a.lines, minutes=a.minutes, seed=1)
        speech = [Span(line.start_ms, line.end_ms) for line in lines]
        folder, root = out / "ep01/clips", "ep01/clips"
        found = []
        total = timed(
            "clips, levels, quality",
            lambda: found.append(
                read_sounds(lines, vocals, mix=mix, speech=speech, destination=folder, clip_root=root)
            ),
        )
        lines = list(found[0].clips.lines)
        total += timed("repeats", lambda: mark_duplicates(found[0].qualities, lines, found[0].audio_fingerprints))
        scenes = []
        total += timed("scenes", lambda: scenes.append(split_scenes(lines)))
        total += timed("corpus files", lambda: build_corpus_files(lines, out / "corpus", scenes=scenes[0]))
        source, options = Source.of(lines, out, scenes=scenes[0]), ExportOptions()
        for name, exporter in EXPORTERS.items():
            folder = out / "exports" / name
            folder.mkdir(parents=True)
            total += timed(
                f"export {name}",
                lambda exporter=exporter, folder=folder: exporter.write(source, folder, options, no_progress),
            )
        drawn = []
        total += timed("pictures of the report", lambda: drawn.append(picture_sound(mix, vocals)))
        page = out / "ep01/report.html"
        total += timed("report", lambda: write_report(page, episode_id="ep01", lines=lines, pictures=drawn[0]), page)
        print(f"{'all':<58} {total:7.2f} s")

        per_episode = 500
        many = [
            dataclasses.replace(line, episode_id=f"ep{n:03d}", line_id=f"ep{n:03d}-{line.line_id}")
            for n in range(a.open // per_episode)
            for line in make_lines("ep", count=per_episode, minutes=24, seed=n)
        ]
        build_corpus_files(many, out / "many" / "corpus")
        began = time.perf_counter()
        corpus = open_corpus(out / "many")
        count = len(corpus.lines)
        print(f"{f'opening a corpus of {count} lines':<58} {time.perf_counter() - began:7.2f} s")


if __name__ == "__main__":
    main()
