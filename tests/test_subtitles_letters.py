"""No spoken word is lost or invented, and no name comes without a row that shows it, whatever a file does."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from yuki_builder.records import Cue
from yuki_builder.subtitles.cleaning import clean
from yuki_builder.subtitles.conventions import Conventions
from yuki_builder.subtitles.events import Event
from yuki_builder.subtitles.reasons import LeftOut
from yuki_builder.subtitles.sheet import read_sheet
from yuki_builder.subtitles.speakers import name_key

relaxed = settings(deadline=None, max_examples=60)  # a busy machine is no failure

LABELS = [
    "",
    "",
    "",
    "ANNA: ",
    "Ben: ",
    "[Cara] ",
    "(DAN) ",
    ">> ",
    ">> EVA: ",
    "- ",
    "-FAY: ",
    "[both] ",
    "{Gil}",
    "（春香）",
    "小明：",
    "SPEAKER_01: ",
    "spk_1: ",
    "ANNA & BEN: ",
    "[sighs] ",
    "(RISAS) ",
    "[Ben, whispering] ",
    "BOTH: ",
]
WORDS = [
    "Go.",
    "We sail at dawn.",
    "Really?",
    "no way",
    "行こう",
    "我们走吧",
    "Да.",
    "One thing: peace",
    "HARBOUR",
    "5:30",
    "She said (twice) no.",
    "So (chuckles) it is.",
    "《海》",
    "明日(あした)だ",
    "Where to? BEN: There!",
    "Hi. [ANNA] Ho.",
    "♪ la la",
    "TN: a pun",
    "(TN: a pun) Hm.",
    "Subtitles by Gull",
    "www.gull.org",
    "wait➡",
    "Wo bist du?",
]
row = st.builds(str.__add__, st.sampled_from(LABELS), st.sampled_from(WORDS))
text = st.lists(row, min_size=1, max_size=3).map("\n".join)
STYLES = ["Default", "Default", "Anna", "Ben", "OP", "Sign", "Map"]


@st.composite
def files(draw: st.DrawFn) -> list[Event]:
    events: list[Event] = []
    start_ms = 0
    for _ in range(draw(st.integers(1, 9))):
        start_ms += draw(st.sampled_from([0, 40, 1000, 2500, 3000]))
        length_ms = draw(st.sampled_from([40, 1000, 2500]))
        shown = draw(st.just(events[-1].text) if events and draw(st.booleans()) and draw(st.booleans()) else text)
        tags = draw(st.sampled_from(["", "", r"{\pos(1,2)}", r"{\pos(3,4)\fs9}"]))
        style, actor = draw(st.sampled_from(STYLES)), draw(st.sampled_from(["", "", "Eva", "Eva/Tom", "sign", "QC"]))
        events.append(Event(start_ms, start_ms + length_ms, f"{tags}{shown}", style=style, actor=actor))
    return events


def letters(*texts: str) -> Counter[str]:
    return Counter(c for text in texts for c in text.casefold() if c.isalnum())


def by_entry(cues: tuple[Cue, ...]) -> dict[int, list[Cue]]:
    found: dict[int, list[Cue]] = {}
    for cue in cues:
        found.setdefault(cue.index, []).append(cue)
    return found


@pytest.mark.parametrize("is_ass", [False, True])
@relaxed
@given(events=files())
@example(events=[Event(0, end_ms, "ANNA: We sail at dawn.\n[Cara] 行こう", style="Default") for end_ms in (40, 1000)])
def test_letters_in_are_letters_out_and_left_out(events: list[Event], is_ass: bool) -> None:
    cues, conventions = read_sheet(events, is_ass=is_ass)
    if conventions.repeats.rolls:  # rows that are shown twice count once
        return
    names = labels_of(cues)
    entries = by_entry(cues)
    for index, together in entries.items():
        if any(cue.left_out in (LeftOut.CONTINUED, LeftOut.SECOND_LANGUAGE) for cue in together):
            continue
        shown = letters(*clean(events[index].text, is_ass=is_ass).lines)
        kept = letters(
            *(cue.text for cue in together), *(cue.text_secondary or "" for cue in together if alone(cue, cues))
        )
        said = letters(*(sound for cue in together for sound in cue.sounds))
        missing = shown - kept
        beside = [
            cue.text for k in (index - 1, index + 1) for cue in entries.get(k, [])
        ]  # a row shown in both counts once
        # A label or a reading is all that may leave the text without a record of its words; a row in the second
        # language has the speaker of the first, however its own label writes the name.
        second = LABELS if any(cue.text_secondary for cue in together) else []
        own = [cue.raw_text for cue in together if cue.left_out]
        assert missing - said <= letters(*names * 6, *second, "あした" * 3, "and both both" * 3, *beside, *own)
        if conventions.languages:
            continue
        assert kept - shown == Counter(), "a word is invented"


def alone(cue: Cue, cues: tuple[Cue, ...]) -> bool:
    """Whether the second text of a cue is from its own entry."""
    return not any(other.left_out is LeftOut.SECOND_LANGUAGE for other in cues)


def labels_of(cues: tuple[Cue, ...]) -> list[str]:
    return sorted({tag.name for cue in cues for tag in cue.tags})


@pytest.mark.parametrize("is_ass", [False, True])
@relaxed
@given(events=files())
def test_every_name_is_shown(events: list[Event], is_ass: bool) -> None:
    cues, conventions = read_sheet(events, is_ass=is_ass)
    for cue in cues:
        for tag in cue.tags:
            event = events[cue.index]
            others = [e.text + e.actor for e in events] if conventions.languages else []
            where = " ".join([event.text, event.actor, event.style or "", *others])
            assert name_key(tag.name) in name_key(where)


@pytest.mark.parametrize("is_ass", [False, True])
@relaxed
@given(events=files())
def test_every_entry_is_a_cue_in_order(events: list[Event], is_ass: bool) -> None:
    cues, conventions = read_sheet(events, is_ass=is_ass)
    assert isinstance(conventions, Conventions)
    assert all(isinstance(sentence, str) and "\n" not in sentence for sentence in conventions.describe())
    assert [cue.index for cue in cues] == sorted(cue.index for cue in cues)
    assert {cue.index for cue in cues} == set(range(len(events)))
    assert len({cue.cue_id for cue in cues}) == len(cues)
    for cue in cues:
        assert cue.left_out is None or cue.left_out in set(LeftOut)
        assert cue.left_out is not None or any(c.isalnum() for c in cue.text)
