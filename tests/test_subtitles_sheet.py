"""From entries to cues: identity, order, times, duplicates, two languages, and nothing lost without a reason."""

from __future__ import annotations

import json
from itertools import groupby, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yuki_builder.records import Cue, NameTag
from yuki_builder.subtitles import CueSheet, LeftOut
from yuki_builder.subtitles.events import Event
from yuki_builder.subtitles.sheet import cue_ids, make_cues

relaxed = settings(deadline=None)  # a busy machine is no failure

ZH, JA = "你以前见过这样的东西吗", "こんなものを見たことがありますか"
TEXTS = ["Hi.", "JOHN: Hi.", "John: Hi.", f"{ZH}\n{JA}", ZH, JA, "♪ la ♪", "[door closes]", "", "- A\n- B", "<i>x</i>"]
events = st.builds(
    Event,
    start_ms=st.integers(-2000, 9000),
    end_ms=st.integers(-2000, 12_000),
    text=st.sampled_from(TEXTS) | st.text(max_size=20),
    style=st.sampled_from([None, "Default", "OP", "Sign"]),
    actor=st.sampled_from(["", "John", "Mary"]),
    is_comment=st.booleans(),
)


def sheet(*cues: Cue) -> CueSheet:
    return CueSheet(cues, encoding="utf-8", format="srt")


@relaxed
@given(st.lists(events, max_size=12), st.data())
def test_an_edited_or_removed_neighbour_changes_no_other_identity(entries: list[Event], data: st.DataObject) -> None:
    before = list(cue_ids(entries))
    assert len(set(before)) == len(before)
    if not entries:
        return
    k = data.draw(st.integers(0, len(entries) - 1))
    edited = [*entries[:k], *data.draw(st.lists(events, max_size=2)), *entries[k + 1 :]]
    unique = [e for e in entries if entries.count(e) == 1 and edited.count(e) == 1]
    same_raw = {(e.start_ms, e.end_ms, e.text) for e in entries if e not in unique} | {
        (e.start_ms, e.end_ms, e.text) for e in edited if e not in unique
    }
    after = dict(zip(map(id, edited), cue_ids(edited), strict=True))
    for entry, cue_id in zip(entries, before, strict=True):
        if entry in unique and (entry.start_ms, entry.end_ms, entry.text) not in same_raw and id(entry) in after:
            assert after[id(entry)] == cue_id


def test_identities_sort_by_time_and_repeats_are_counted() -> None:
    repeat = Event(1000, 2000, "a")
    ids = list(cue_ids([Event(3_600_000, 3_601_000, "b"), repeat, repeat, Event(1000, 2001, "a")]))
    assert ids[0].startswith("03600000-") and len(ids[0]) == 17
    assert ids[2] == f"{ids[1]}-2" and ids[3] not in ids[:3]
    assert sorted(ids)[-1] == ids[0]


@relaxed
@given(st.lists(events, max_size=12), st.booleans())
def test_no_entry_is_lost_and_every_cue_is_sound(entries: list[Event], is_ass: bool) -> None:
    cues = make_cues(entries, is_ass=is_ass)
    assert sorted({cue.index for cue in cues}) == list(range(len(entries)))
    assert len({cue.cue_id for cue in cues}) == len(cues)
    for index, parts in groupby(cues, key=lambda cue: cue.index):
        entry, together = entries[index], list(parts)
        assert {cue.raw_text for cue in together} == {entry.text}
        assert len(together) == 1 or {cue.group for cue in together} == {together[0].cue_id.removesuffix("-p1")}
        if together[0].left_out is None:
            assert (together[0].start_ms, together[-1].end_ms) == (max(0, entry.start_ms), entry.end_ms)
            assert all(first.end_ms == second.start_ms for first, second in pairwise(together))
    for cue in cues:
        assert cue.left_out is None or cue.left_out in set(LeftOut)
        if cue.left_out is None:
            assert (cue.end_ms > cue.start_ms or cue.group) and "\n" not in cue.text and cue.text.strip()
        assert Cue.from_dict(json.loads(json.dumps(cue.to_dict()))) == cue
    spoken = sheet(*cues).spoken
    assert [c.start_ms for c in spoken] == sorted(c.start_ms for c in spoken)
    assert len(spoken) + sum(sheet(*cues).left_out_by_reason.values()) == len(cues)


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (Event(0, 900, "x", is_comment=True), "comment"),
        (Event(900, 0, "x"), "bad times"),
        (Event(900, 900, "x"), "bad times"),
        (Event(-900, -100, "x"), "bad times"),
        (Event(0, 3_600_000, "x"), "bad times"),
        (Event(10**15, 10**15 + 900, "x"), "bad times"),
        (Event(0, 900, r"{\k20}la"), "karaoke"),
        (Event(0, 900, "la", effect="fx"), "karaoke"),
        (Event(0, 900, r"{\p1}m 0 0"), "drawing"),
        (Event(0, 900, "la", style="OP_JP"), "song"),
        (Event(0, 900, "EXIT", style="Sign"), "sign"),
        (Event(0, 900, "One", style="Title"), "title"),
        (Event(0, 900, "Me", style="Staff"), "credits"),
        (Event(0, 900, "pun", style="TL Note"), "note"),
        (Event(0, 900, "♪ la la"), "song"),
        (Event(0, 900, r"{\an8}"), "empty"),
        (Event(0, 900, "……"), "empty"),
        (Event(0, 900, "x" * 3000), "too long"),
        (Event(0, 900, "[door closes]"), "sound description"),
        (Event(0, 900, r"[door\Ncloses]"), "sound description"),
    ],
)
def test_what_nobody_says_is_left_out_with_its_reason(event: Event, reason: str) -> None:
    cue, other = make_cues([event, Event(0, 1000, "Hi.", style="Default")], is_ass=True)
    assert cue.left_out == reason
    assert other.left_out is None
    assert sheet(cue, other).left_out_by_reason == {reason: 1}
    assert sheet(cue, other).spoken == (other,)


def test_a_time_before_the_start_is_cut_to_it() -> None:
    (cue,) = make_cues([Event(-500, 900, "x")], is_ass=False)
    assert (cue.start_ms, cue.end_ms, cue.left_out) == (0, 900, None)


def test_a_sound_in_a_line_of_its_own_leaves_the_spoken_lines() -> None:
    (cue,) = make_cues([Event(0, 900, "- (gasps)\n- What [sic] is it?")], is_ass=False)
    assert (cue.text, cue.sounds, cue.group) == ("What [sic] is it?", ("gasps",), None)


def test_layers_count_once() -> None:
    layers = [Event(0, 900, r"{\bord3}Hi."), Event(0, 900, r"{\bord0}Hi."), Event(0, 901, "Hi.")]
    assert [cue.left_out for cue in make_cues(layers, is_ass=True)] == [None, "duplicate", None]


def test_two_languages_in_the_lines_of_a_cue() -> None:
    entries = [Event(k * 1000, k * 1000 + 900, f"{ZH}{k}\n{JA}{k}") for k in range(3)]
    for k, cue in enumerate(make_cues(entries, is_ass=False)):
        assert (cue.text, cue.text_secondary) == (f"{ZH}{k}", f"{JA}{k}")


def test_a_japanese_file_with_a_line_in_kanji_is_not_bilingual() -> None:
    entries = [Event(k * 1000, k * 1000 + 900, f"{JA}\nそうだね") for k in range(9)] + [
        Event(9000, 9900, "緊急事態発生\nどうする")
    ]
    cues = make_cues(entries, is_ass=False)
    assert {cue.text_secondary for cue in cues} == {None}
    assert cues[-1].text == "緊急事態発生どうする"


def test_two_languages_in_cues_of_one_time() -> None:
    entries = [Event(k * 1000, k * 1000 + 900, ZH) for k in range(3)]
    entries += [Event(k * 1000, k * 1000 + 900, JA, actor="長門") for k in range(3)] + [Event(5000, 5900, ZH)]
    cues = make_cues(entries, is_ass=True)
    assert [(c.text, c.text_secondary, c.left_out) for c in cues] == (
        [(ZH, JA, None)] * 3 + [(JA, None, "second language")] * 3 + [(ZH, None, None)]
    )
    assert cues[0].tags == (NameTag("長門", "actor"),)


def test_two_voices_at_one_time_in_one_language_stay_two_cues() -> None:
    cues = make_cues([Event(0, 900, "Hi."), Event(0, 900, "Ho.")], is_ass=True)
    assert [(c.text, c.text_secondary, c.left_out) for c in cues] == [("Hi.", None, None), ("Ho.", None, None)]


def test_unreadable_entries_are_counted_with_the_rest() -> None:
    found = CueSheet(make_cues([Event(0, 900, "♪")], is_ass=False), encoding="utf-8", format="srt", unreadable=2)
    assert found.left_out_by_reason == {"song": 1, "unreadable": 2}
