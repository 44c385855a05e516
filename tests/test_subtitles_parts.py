"""Two speakers in one cue: which dashes part them, what each says, and that no word is lost."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yuki_builder.records import NameTag, Span
from yuki_builder.subtitles.events import Event
from yuki_builder.subtitles.parts import SpeakerLine, share_out, split_speakers
from yuki_builder.subtitles.sheet import make_cues

relaxed = settings(deadline=None)  # a busy machine is no failure


def parts(*lines: str) -> list[str]:
    return [part.text for part in split_speakers([SpeakerLine(line) for line in lines])]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["- Hi.", "- Hello."], ["Hi.", "Hello."]),
        (["-Hi.", "-Hello."], ["Hi.", "Hello."]),
        (["– Hi.", "– Hello."], ["Hi.", "Hello."]),
        (["‐Hi.", "‐Hello."], ["Hi.", "Hello."]),
        (["— Ça va ?", "— Oui."], ["Ça va ?", "Oui."]),
        (["－你好。", "－再见。"], ["你好。", "再见。"]),
        (["- Hi. - Hello."], ["Hi.", "Hello."]),
        (["- Hi!", "How are you?", "- Fine."], ["Hi! How are you?", "Fine."]),
        (["- A one", "- B two", "- C three"], ["A one", "B two", "C three"]),
        (["Hi.", "- Hello."], ["Hi.", "Hello."]),  # only the second is marked
        (["-“Hi.”", "-¿Qué?"], ["“Hi.”", "¿Qué?"]),
        (["- 5 apples?", "- 6."], ["5 apples?", "6."]),
        (["- שלום.", "- מה נשמע?"], ["שלום.", "מה נשמע?"]),
        (["שלום. -", "מה נשמע? -"], ["שלום.", "מה נשמע?"]),  # for players that do not turn the line round
        (["- Hi there,", "friend."], ["Hi there, friend."]),  # one speaker, marked as another than before
        (["-5 degrees", "-6 at night"], ["-5 degrees -6 at night"]),
        (["Well, I", "- no, we - go."], ["Well, I no, we - go."]),  # no sentence ends before it
        (["-- Hi.", "-- Ho."], ["-- Hi. -- Ho."]),
        (["self-made", "well - no"], ["self-made well - no"]),
        ([], []),
    ],
)
def test_dashes(lines: list[str], expected: list[str]) -> None:
    assert parts(*lines) == expected


@relaxed
@given(st.lists(st.text(st.sampled_from('-–— .ab1"(“שa'), max_size=12).filter(str.strip), max_size=5))
def test_nothing_but_dashes_and_spaces_is_taken(lines: list[str]) -> None:
    def letters(texts: list[str]) -> str:
        return "".join(c for text in texts for c in text if c not in "-–— ")

    assert letters(parts(*lines)) == letters(lines)


@given(st.integers(0, 10**6), st.integers(0, 10**4), st.lists(st.integers(0, 80), min_size=1, max_size=6))
def test_shares_are_consecutive_and_whole(start: int, length: int, weights: list[int]) -> None:
    spans = share_out(Span(start, start + length), weights)
    assert spans[0].start_ms == start
    assert all(a.end_ms == b.start_ms for a, b in pairwise(spans))
    assert spans[-1].end_ms == start + length or not sum(weights)


def test_two_names_part_a_cue_without_dashes() -> None:
    john, mary = (NameTag("John", "sdh"),), (NameTag("Mary", "sdh"),)
    found = split_speakers([SpeakerLine("Hi.", john), SpeakerLine("How?"), SpeakerLine("Well.", mary)])
    assert [(part.text, part.tags) for part in found] == [("Hi. How?", john), ("Well.", mary)]
    found = split_speakers([SpeakerLine("Hi.", john), SpeakerLine("Ho.", john)])
    assert [(part.text, part.tags) for part in found] == [("Hi. Ho.", john)]
    found = split_speakers([SpeakerLine("Hi.", john), SpeakerLine("Ho.", is_new=True)])
    assert [(part.text, part.tags) for part in found] == [("Hi.", john), ("Ho.", ())]


def test_the_parts_of_a_cue_are_cues_that_keep_together() -> None:
    first, second = make_cues([Event(1000, 5000, "- Ab\n- Abcdef")], is_ass=False)
    assert first.group == second.group == first.cue_id.removesuffix("-p1") == second.cue_id.removesuffix("-p2")
    assert (first.start_ms, first.end_ms, second.end_ms) == (1000, 2000, 5000)
    assert first.raw_text == second.raw_text == "- Ab\n- Abcdef"


def test_two_languages_are_parted_alike() -> None:
    entries = [
        Event(k * 1000, k * 1000 + 900, "- 你好啊。\n- 再见了。\n- こんにちは。\n- さようなら。") for k in range(3)
    ]
    found = make_cues(entries, is_ass=False)
    assert [(cue.text, cue.text_secondary) for cue in found[:2]] == [
        ("你好啊。", "こんにちは。"),
        ("再见了。", "さようなら。"),
    ]
    wanted = make_cues(entries, is_ass=False, language="ja")
    assert [(cue.text, cue.text_secondary) for cue in wanted[:2]] == [
        ("こんにちは。", "你好啊。"),
        ("さようなら。", "再见了。"),
    ]


@pytest.mark.parametrize(
    ("text", "spoken", "sounds"),
    [
        ("(sighs) I see.", "I see.", ("sighs",)),
        ("I see. [door closes]", "I see.", ("door closes",)),
        ("So (chuckles), you came.", "So, you came.", ("chuckles",)),
        ("(softly) Come.", "Come.", ("softly",)),
        ("（ため息）行こう。", "行こう。", ("ため息",)),
        ("*coughs* Right.", "Right.", ("coughs",)),
        ("What [sic] is it?", "What [sic] is it?", ()),
        ("I said (twice) no.", "I said (twice) no.", ()),
        ("(Is he serious?) Go.", "(Is he serious?) Go.", ()),
    ],
)
def test_sounds_are_kept_apart(text: str, spoken: str, sounds: tuple[str, ...]) -> None:
    (cue,) = make_cues([Event(0, 900, text)], is_ass=False)
    assert (cue.text, cue.sounds) == (spoken, sounds)
