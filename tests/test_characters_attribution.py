"""Who says each line, from voices, tags, turns and what people said."""

from __future__ import annotations

import dataclasses
import importlib.util
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_characters_voices import EMBEDDER, Voices, line, turn

from yuki_builder.characters import (
    AttributionSettings,
    Gallery,
    attribute,
    contradictions,
    main_speakers,
    verdict_of,
)
from yuki_builder.characters.cast import Cast
from yuki_builder.characters.scoring import softmax
from yuki_builder.characters.weighing import apart, claim_odds
from yuki_builder.errors import GalleryError
from yuki_builder.records import AlignedCue, Attribution, SpeakerEmbeddings, Turn, Verdict

CAST = ("A", "B", "C", "D")
NOBODY = Gallery.empty(embedder=EMBEDDER)
SILENCE = SpeakerEmbeddings((), np.zeros((0, 256), np.float32), ())


def enrol(voices: Voices, *characters: str, each: int = 3) -> Gallery:
    names = {f"{character}/{i}": character for character in characters for i in range(each)}
    return Gallery.build(voices.embeddings(names), names, embedder=EMBEDDER)


def speak(voices: Voices, said_by: list[str]) -> SpeakerEmbeddings:
    return voices.embeddings({f"l{number}": voice for number, voice in enumerate(said_by)})


def names(found: list[Attribution]) -> list[str | None]:
    return [attribution.character for attribution in found]


def sources(attribution: Attribution) -> dict[str, str]:
    return {e.source: e.character for e in attribution.evidence}


# --- voices -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("turns", ["right", "none", "one voice"])
def test_enrolled_voices_are_named_and_unknown_ones_are_not(seed: int, turns: str) -> None:
    voices = Voices(seed)
    said_by = [(*CAST, "X", "Y")[i % 6] for i in range(48)]
    found = attribute(
        [line(i) for i in range(48)],
        speak(voices, said_by),
        gallery=enrol(voices, *CAST),
        turns=[turn(i, "S" if turns == "one voice" else f"S{v}") for i, v in enumerate(said_by) if turns != "none"],
        manual={},
    )
    right = [a.character == (v if v in CAST else None) for a, v in zip(found, said_by, strict=True)]
    assert np.mean(right) >= (1.0 if turns == "right" else 0.95)
    assert all(a.character == v for a, v in zip(found, said_by, strict=True) if a.verdict is Verdict.CERTAIN)
    if turns == "right":
        assert found[4].speaker == "SX" and found[4].verdict is Verdict.UNKNOWN
        assert sources(found[0]) == {"voice": "A", "cluster": "A"}


def test_of_lines_at_the_same_time_none_is_certain_by_the_voice_heard_there() -> None:
    voices = Voices(2)
    said_by = [CAST[i % 4] for i in range(24)]
    lines = [line(i) for i in range(24)]
    both = dataclasses.replace(lines[8], cue=dataclasses.replace(lines[8].cue, cue_id="both"))
    # For the most part alone: heard where it is.
    late = dataclasses.replace(lines[16], cue=dataclasses.replace(lines[16].cue, cue_id="late"), start_ms=49_100)
    heard = speak(voices, said_by)
    row = heard.keys.index("l8")
    heard = SpeakerEmbeddings((*heard.keys, "both"), np.vstack([heard.vectors, heard.vectors[row]]), (2000,) * 25)
    found = {
        a.cue_id: a for a in attribute([*lines, both, late], heard, gallery=enrol(voices, *CAST), turns=(), manual={})
    }
    assert all(found[key].confidence < 0.9 for key in ("l8", "both"))
    assert sources(found["l8"])["voice"] == "A"
    assert (found["l16"].character, found["l16"].verdict) == ("A", Verdict.CERTAIN)


@pytest.mark.parametrize("dubbed_by", [{"A": "P", "B": "Q"}, {"A": "P", "B": "P"}], ids=["each", "one actor"])
def test_a_dub_names_lines_that_the_first_track_leaves_open(dubbed_by: dict[str, str]) -> None:
    voices = Voices(1)
    said_by = [str(v) for v in np.random.default_rng(3).choice(["A", "B"], 40)]
    masked = {4, 9, 14, 19, 24}  # nothing but music in the first track
    first = voices.embeddings({f"l{i}": v for i, v in enumerate(said_by) if i not in masked})
    dub = voices.embeddings({f"l{i}": dubbed_by[v] for i, v in enumerate(said_by)})
    lines = [line(i) for i in range(40)]
    settings = AttributionSettings(dub_weight=0.5)
    found = attribute(lines, first, gallery=enrol(voices, "A", "B"), turns=[], manual={}, dub=dub, settings=settings)
    without = attribute(lines, first, gallery=enrol(voices, "A", "B"), turns=[], manual={}, settings=settings)
    for row in masked:
        named = [e for e in found[row].evidence if e.source == "dub"]
        if dubbed_by["A"] != dubbed_by["B"]:
            assert found[row].character == said_by[row] == named[0].character
            assert found[row].confidence > without[row].confidence + 0.1
        else:  # one actor for both tells nothing
            assert found[row].confidence == pytest.approx(without[row].confidence, abs=0.2)
    heard = [row for row in range(40) if row not in masked]
    assert all(found[row].character == said_by[row] for row in heard)


def test_a_dub_of_a_few_lines_says_nothing() -> None:
    voices = Voices()
    lines = [line(i) for i in range(4)]
    first, dub = speak(voices, ["A", "B"] * 2), voices.embeddings({f"l{i}": "P" for i in range(4)})
    told = {"gallery": enrol(voices, *CAST), "turns": [], "manual": {}}
    assert attribute(lines, first, dub=dub, **told) == attribute(lines, first, **told)


def test_confidence_holds_what_it_says() -> None:
    outcomes = []
    for seed in range(12):
        voices = Voices(seed)
        said_by = [(*CAST, "X")[i % 5] for i in range(25)]
        found = attribute(
            [line(i) for i in range(25)],
            speak(voices, said_by),
            gallery=enrol(voices, *CAST, each=1),
            turns=[],
            manual={},
        )
        outcomes += [(a.confidence, a.character == v) for a, v in zip(found, said_by, strict=True) if a.character]
    confidence, right = np.array(outcomes).T
    sure = confidence >= 0.9
    assert right[sure].mean() >= 0.9
    assert abs(right.mean() - confidence.mean()) < 0.1


def test_a_line_without_a_voice_follows_its_turn() -> None:
    voices = Voices()
    said_by = ["A", "B"] * 6
    embeddings = voices.embeddings({f"l{i}": v for i, v in enumerate(said_by) if i != 4})
    found = attribute(
        [line(i) for i in range(12)],
        embeddings,
        gallery=enrol(voices, *CAST),
        turns=[turn(i, f"S{v}") for i, v in enumerate(said_by)],
        manual={},
    )
    assert found[4].character == "A"
    assert found[4].verdict is Verdict.DOUBTFUL
    assert sources(found[4]) == {"cluster": "A", "scene": "A"}
    alone = attribute([line(4)], SILENCE, gallery=enrol(voices, *CAST), turns=[], manual={})[0]
    assert (alone.character, alone.verdict, alone.evidence) == (None, Verdict.UNKNOWN, ())


def test_wrong_turns_do_not_carry_clear_voices_away() -> None:
    voices = Voices()
    said_by = [CAST[i % 4] for i in range(40)]
    shuffled = np.random.default_rng(0).permutation(said_by)
    found = attribute(
        [line(i) for i in range(40)],
        speak(voices, said_by),
        gallery=enrol(voices, *CAST),
        turns=[turn(i, str(v)) for i, v in enumerate(shuffled)],
        manual={},
    )
    assert names(found) == said_by


def test_a_wrong_clip_in_the_gallery_costs_nothing() -> None:
    voices = Voices()
    labels = {f"{c}/{i}": c for c in "AB" for i in range(4)}
    gallery = Gallery.build(voices.embeddings(labels | {"A/2": "B"}), labels, embedder=EMBEDDER)
    said_by = ["A", "B", "X"] * 5
    found = attribute([line(i) for i in range(15)], speak(voices, said_by), gallery=gallery, turns=[], manual={})
    assert names(found) == [v if v != "X" else None for v in said_by]


# --- tags and labels --------------------------------------------------------------------------------------


def test_tagged_lines_enrol_their_voices() -> None:
    voices = Voices()
    said_by = [CAST[i % 4] for i in range(40)]
    found = attribute(
        [line(i, tags=[v] if i < 12 else []) for i, v in enumerate(said_by)],
        speak(voices, said_by),
        gallery=NOBODY,
        turns=[turn(i, f"S{v}") for i, v in enumerate(said_by)],
        manual={},
    )
    assert names(found) == said_by
    assert {a.verdict for a in found} == {Verdict.CERTAIN}
    assert sources(found[0])["actor"] == "A"
    assert "actor" not in sources(found[20])


def test_a_tag_against_the_voice_is_doubted_and_shown() -> None:
    voices = Voices()
    said_by = [CAST[i % 4] for i in range(40)]
    lines = [line(i, tags=["B" if i in (0, 4) else v] if i < 20 else []) for i, v in enumerate(said_by)]
    found = attribute(lines, speak(voices, said_by), gallery=NOBODY, turns=[], manual={})
    for wrong in (found[0], found[4]):
        assert wrong.character == "A"
        assert wrong.verdict is Verdict.DOUBTFUL
        assert sources(wrong).items() >= {"actor": "B", "voice": "A"}.items()
    assert names(found) == said_by


def test_tags_alone_are_enough_without_a_voice() -> None:
    tagged = attribute([line(0, tags=["A"]), line(1, tags=["B"])], SILENCE, gallery=NOBODY, turns=[], manual={})
    assert names(tagged) == ["A", "B"]
    assert all(0.97 <= a.confidence < 0.99 for a in tagged)
    two = attribute([line(0, tags=["A", "B"])], SILENCE, gallery=NOBODY, turns=[], manual={})[0]
    assert two.verdict is Verdict.DOUBTFUL and two.confidence < 0.6


def test_spellings_of_one_name_are_one_character() -> None:
    voices = Voices()
    lines = [line(0, tags=["  HARUHI "], source="sdh"), line(1, tags=["haruhi"]), line(2, tags=["ＫＹＯＮ"])]
    found = attribute(lines, SILENCE, gallery=enrol(voices, "Haruhi"), turns=[], manual={})
    assert names(found) == ["Haruhi", "Haruhi", "ＫＹＯＮ"]
    assert Cast.gather(["KYON", "Kyon", "KYON"]).names == ("Kyon",)


def test_a_persons_word_is_certain_against_everything() -> None:
    voices = Voices()
    said_by = ["A", "B"] * 5
    found = attribute(
        [line(i, tags=["B"]) for i in range(10)],
        speak(voices, said_by),
        gallery=enrol(voices, *CAST),
        turns=[turn(i, "S") for i in range(10)],
        manual={"l0": "C", "l1": "Z"},
    )
    assert [(a.character, a.confidence, a.verdict) for a in found[:2]] == [
        ("C", 1.0, Verdict.CERTAIN),
        ("Z", 1.0, Verdict.CERTAIN),
    ]
    assert sources(found[0])["manual"] == "C"


# --- nobody has a name ------------------------------------------------------------------------------------


def test_without_names_the_voices_are_the_characters() -> None:
    voices = Voices()
    said_by = ["X", "Y", "Z"] * 8
    label = {"X": "SPEAKER_01", "Y": "SPEAKER_02", "Z": "SPEAKER_03"}
    lines = [line(i) for i in range(25)]
    turns = [turn(i, label[v]) for i, v in enumerate(said_by)]
    found = attribute(lines, speak(voices, said_by), gallery=NOBODY, turns=turns, manual={})
    assert names(found) == [label[v] for v in said_by] + [None]
    assert {a.verdict for a in found[:24]} == {Verdict.DOUBTFUL}
    assert sources(found[0])["cluster"] == "SPEAKER_01"
    assert min(a.confidence for a in found[:24]) > 0.9

    turns[3] = turn(3, "SPEAKER_02")  # the voice says otherwise, and is believed
    again = attribute(lines, speak(voices, said_by), gallery=NOBODY, turns=turns, manual={})
    assert (again[3].character, again[3].speaker) == ("SPEAKER_01", "SPEAKER_02")


def test_without_anything_nobody_is_known() -> None:
    found = attribute([line(0)], SILENCE, gallery=NOBODY, turns=[], manual={})
    assert found == [Attribution("l0", None, 0.0, Verdict.UNKNOWN)]
    assert attribute([], SILENCE, gallery=NOBODY, turns=[], manual={}) == []


def test_speakers_are_those_who_cover_most() -> None:
    turns = [
        Turn(0, 900, "a"),
        Turn(500, 60_000, "long"),
        Turn(3000, 3400, "b"),
        Turn(3400, 4900, "c"),
        Turn(9000, 9000, "z"),
    ]
    lines = [line(0), line(1), line(3), line(30)]
    assert main_speakers(lines, turns) == ["long", "long", "long", None]
    assert main_speakers(lines, turns[:1] + turns[2:]) == ["a", "c", None, None]


# --- properties -------------------------------------------------------------------------------------------


@st.composite
def episodes(draw: st.DrawFn) -> tuple[list[AlignedCue], SpeakerEmbeddings, Gallery, list[Turn], dict[str, str]]:
    voices = Voices(draw(st.integers(0, 3)))
    said_by = draw(st.lists(st.sampled_from([*CAST, "X", ""]), max_size=14))
    tags = draw(st.dictionaries(st.integers(0, 13), st.sampled_from(["A", "b", "Q", " ", "<b>", "../x"]), max_size=4))
    lines = [line(i, tags=[tags[i]] if i in tags else []) for i in range(len(said_by))]
    turns = [turn(i, f"S{draw(st.integers(0, 2))}") for i in range(0, len(said_by), draw(st.integers(1, 3)))]
    manual = draw(
        st.dictionaries(st.sampled_from([f"l{i}" for i in range(14)]), st.sampled_from(["A", "M"]), max_size=2)
    )
    gallery = enrol(voices, *draw(st.sets(st.sampled_from(CAST))), each=draw(st.integers(1, 3)))
    return lines, voices.embeddings({f"l{i}": v for i, v in enumerate(said_by) if v}), gallery, turns, manual


@settings(max_examples=25, deadline=None)
@given(episodes(), st.randoms(use_true_random=False))
def test_the_order_of_lines_and_embeddings_does_not_matter(episode, random) -> None:  # type: ignore[no-untyped-def]
    lines, embeddings, gallery, turns, manual = episode
    found = attribute(lines, embeddings, gallery=gallery, turns=turns, manual=manual)
    assert [a.cue_id for a in found] == [li.cue.cue_id for li in lines]
    shuffled = random.sample(lines, len(lines))
    rows = random.sample(range(len(embeddings.keys)), len(embeddings.keys))
    embeddings = SpeakerEmbeddings(
        tuple(embeddings.keys[r] for r in rows), embeddings.vectors[rows], tuple(embeddings.speech_ms[r] for r in rows)
    )
    again = attribute(shuffled, embeddings, gallery=gallery, turns=random.sample(turns, len(turns)), manual=manual)
    assert sorted(again, key=lambda a: a.cue_id) == sorted(found, key=lambda a: a.cue_id)


@settings(max_examples=30, deadline=None)
@given(episodes())
def test_what_every_attribution_is(episode) -> None:  # type: ignore[no-untyped-def]
    lines, embeddings, gallery, turns, manual = episode
    for a, li in zip(attribute(lines, embeddings, gallery=gallery, turns=turns, manual=manual), lines, strict=True):
        assert 0.0 <= a.confidence <= 1.0
        assert (a.character is None) == (a.verdict is Verdict.UNKNOWN)
        assert all(0.0 < e.weight <= 1.0 for e in a.evidence)
        if a.cue_id in manual:
            assert (a.character, a.confidence, a.verdict) == (manual[a.cue_id], 1.0, Verdict.CERTAIN)
        elif any(tag.name.strip() for tag in li.cue.tags):
            assert a.verdict is not Verdict.UNKNOWN
        if a.verdict is Verdict.CERTAIN:
            assert a.confidence >= 0.9


@settings(max_examples=15, deadline=None)
@given(episodes())
def test_an_unrelated_character_changes_no_persons_word(episode) -> None:  # type: ignore[no-untyped-def]
    lines, embeddings, gallery, turns, manual = episode
    other = {"other/0": "other"}
    wider = gallery.extend(Voices(99).embeddings(other), other)
    found = attribute(lines, embeddings, gallery=wider, turns=turns, manual=manual)
    assert {a.cue_id: a.character for a in found if a.cue_id in manual} == {
        li.cue.cue_id: manual[li.cue.cue_id] for li in lines if li.cue.cue_id in manual
    }


@given(st.floats(0.01, 1), st.integers(1, 9))
def test_a_claim_alone_is_as_sure_as_it_is_reliable(reliability: float, others: int) -> None:
    claims = np.zeros((1, others))
    claims[0, 0] = reliability
    assert softmax(claim_odds(claims))[0, 0] == pytest.approx(reliability, abs=1e-9)


def test_verdicts_follow_thresholds() -> None:
    assert [verdict_of(c) for c in (0.9, 0.8999, 0.35, 0.3499)] == [
        Verdict.CERTAIN,
        Verdict.DOUBTFUL,
        Verdict.DOUBTFUL,
        Verdict.UNKNOWN,
    ]
    strict = AttributionSettings(certain=0.99, doubtful=0.5)
    assert verdict_of(0.95, strict) is Verdict.DOUBTFUL and verdict_of(0.4, strict) is Verdict.UNKNOWN
    for wrong in ({"certain": 1.0}, {"doubtful": 0.95}, {"tag_reliability": 0.0}):
        with pytest.raises(ValueError):
            AttributionSettings(**wrong)


# --- hostile input ----------------------------------------------------------------------------------------


def test_embeddings_of_another_size_are_refused() -> None:
    voices = Voices()
    other = SpeakerEmbeddings(("l0",), np.ones((1, 192), np.float32), (1000,))
    with pytest.raises(GalleryError, match="256 values, those of this run 192"):
        attribute([line(0)], other, gallery=enrol(voices, "A"), turns=[], manual={})


def test_damaged_embeddings_are_no_voice() -> None:
    voices = Voices()
    vectors = np.array([np.full(256, np.nan), np.full(256, np.inf), np.zeros(256), voices.vector("A")], np.float32)
    embeddings = SpeakerEmbeddings(("l0", "l1", "l2", "l3"), vectors, (1000,) * 4)
    found = attribute([line(i) for i in range(4)], embeddings, gallery=enrol(voices, "A", "B"), turns=[], manual={})
    assert all("voice" not in sources(a) for a in found[:3])
    assert {a.verdict for a in found[:3]} <= {Verdict.UNKNOWN, Verdict.DOUBTFUL}
    assert (found[3].character, sources(found[3])["voice"]) == ("A", "A")


def test_a_long_season_is_attributed_in_seconds() -> None:
    voices = Voices()
    cast = [f"c{i}" for i in range(12)]
    gallery = enrol(voices, *cast, each=20)
    said_by = [cast[i % 12] for i in range(300)]
    embeddings = speak(voices, said_by)
    started = time.process_time()
    found = attribute(
        [line(i) for i in range(300)],
        embeddings,
        gallery=gallery,
        turns=[turn(i, f"S{v}") for i, v in enumerate(said_by)],
        manual={},
    )
    assert time.process_time() - started < 15
    assert Counter(names(found)) == Counter(said_by)


# --- real voices ------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_real_conversation() -> None:
    """Two people on the telephone (pyannote.audio's sample): two turns of each enrol, the others are named."""
    import soundfile

    from video_preprocessing.speech import load_embedder

    spec = importlib.util.find_spec("pyannote.audio")
    assert spec is not None and spec.origin is not None
    sample = Path(spec.origin).parent / "sample"
    waveform, rate_hz = soundfile.read(sample / "sample.wav", dtype="float32")
    assert rate_hz == 16000
    embedder = load_embedder("resemblyzer", device="cpu")
    keys, said_by, lines = [], {}, []
    for number, row in enumerate((sample / "sample.rttm").read_text().splitlines()):
        start_s, length_s, speaker = float(row.split()[3]), float(row.split()[4]), row.split()[7]
        if length_s >= 0.8:
            keys.append((number, waveform[int(start_s * rate_hz) : int((start_s + length_s) * rate_hz)]))
            said_by[f"l{number}"] = speaker
            lines.append(line(number))
    vectors = embedder.embed_many([audio for _, audio in keys])
    embeddings = SpeakerEmbeddings(tuple(said_by), vectors, tuple(len(audio) // 16 for _, audio in keys))
    counts: Counter[str] = Counter()
    enrolled = {k: v for k, v in said_by.items() if counts.update([v]) or counts[v] <= 2}
    gallery = Gallery.build(embeddings, enrolled, embedder=embedder.fingerprint)
    rest = [li for li in lines if li.cue.cue_id not in enrolled]
    found = attribute(rest, embeddings, gallery=gallery, turns=[], manual={})
    assert len(found) >= 4
    assert [a.character for a in found] == [said_by[a.cue_id] for a in found]


# --- two speakers of one subtitle -------------------------------------------------------------------------


def of_one_subtitle(first: int) -> list[AlignedCue]:
    both = (line(first), line(first + 1))
    return [dataclasses.replace(x, cue=dataclasses.replace(x.cue, group=f"g{first}")) for x in both]


def test_speakers_of_one_subtitle_are_different_people() -> None:
    posterior = np.array([[0.9, 0.05, 0.05], [0.55, 0.4, 0.05], [0.6, 0.3, 0.1]])
    told = apart(posterior, [(0, 1)])
    assert np.allclose(told.sum(1), 1)
    assert told[1].argmax() == 1
    assert told[0, 0] < posterior[0, 0] + 0.1 and told[0].argmax() == 0
    assert (told[2] == posterior[2]).all()
    # Both surely the same: the dash is wrong.
    same = np.array([[1.0, 0.0, 0.0], [1.0, 0.0, 0.0]])
    assert (apart(same, [(0, 1)]) == same).all()


def test_the_other_speaker_speaks_for_a_name_and_says_so() -> None:
    voices = Voices(1)
    said_by = [CAST[i % 2] for i in range(20)]
    embeddings = speak(voices, said_by)
    # The second line is so short that it has no speaker embedding; who says it follows from who does not.
    keep = [k for k in range(len(embeddings.keys)) if embeddings.keys[k] != "l1"]
    without = SpeakerEmbeddings(
        tuple(embeddings.keys[k] for k in keep), embeddings.vectors[keep], tuple(embeddings.speech_ms[k] for k in keep)
    )
    gallery = enrol(voices, "A", "B")
    lines = [*of_one_subtitle(0), *(line(i) for i in range(2, 20))]
    found = attribute(lines, without, gallery=gallery, turns=[], manual={})
    alone = attribute([line(i) for i in range(20)], without, gallery=gallery, turns=[], manual={})
    assert sources(found[1]).get("scene") == "B"
    assert found[1].confidence > alone[1].confidence


def test_a_tag_that_sounds_like_another_is_reported() -> None:
    voices = Voices(2)
    said_by = [CAST[i % 4] for i in range(32)]
    tags = {i: said_by[i] for i in range(0, 32, 2)} | {6: "A"}
    found = attribute(
        [line(i, tags=[tags[i]] if i in tags else []) for i in range(32)],
        speak(voices, said_by),
        gallery=enrol(voices, *CAST),
        turns=[],
        manual={},
    )
    assert [(c.cue_id, c.named, c.sounds_like) for c in contradictions(found)] == [("l6", "A", said_by[6])]
    assert found[6].verdict is not Verdict.CERTAIN
