"""Names before a line and in the actor field: taken where the file supports them, never invented."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yuki_builder.records import Cue, NameTag
from yuki_builder.subtitles import read_cues
from yuki_builder.subtitles.events import Event
from yuki_builder.subtitles.labels import leading_labels
from yuki_builder.subtitles.sheet import make_cues
from yuki_builder.subtitles.sounds import take_sounds
from yuki_builder.subtitles.speakers import actor_names, name_key, plain_name, spellings

relaxed = settings(deadline=None)  # a busy machine is no failure


def cues(*texts: str, actors: tuple[str, ...] = ()) -> list[Cue]:
    names = [*actors, *[""] * (len(texts) - len(actors))]
    events = [
        Event(k * 1000, k * 1000 + 900, text, actor=name)
        for k, (text, name) in enumerate(zip(texts, names, strict=True))
    ]
    return list(make_cues(events, is_ass=False))


def read(*texts: str, actors: tuple[str, ...] = ()) -> list[tuple[str, list[str]]]:
    return [(cue.text, [tag.name for tag in cue.tags]) for cue in cues(*texts, actors=actors)]


PLAIN = "Some ordinary words here."


@pytest.mark.parametrize(
    ("line", "text", "name"),
    [
        ("JOHN: Hi there.", "Hi there.", "JOHN"),
        ("JOHN:Hi there.", "Hi there.", "JOHN"),
        ("JOHN (whispering): Hi.", "Hi.", "JOHN"),
        ("JOHN [ON PHONE]: Hi.", "Hi.", "JOHN"),
        ("DR. WATSON: Elementary.", "Elementary.", "DR. WATSON"),
        ("MAN #1: Go!", "Go!", "MAN #1"),
        ("OLD MAN 2: Go!", "Go!", "OLD MAN 2"),
        ("O'BRIEN: No.", "No.", "O'BRIEN"),
        ("JEAN-LUC: Engage.", "Engage.", "JEAN-LUC"),
        ("ИВАН: Привет.", "Привет.", "ИВАН"),
        ("[JOHN] Hi.", "Hi.", "JOHN"),
        ("[JOHN]: Hi.", "Hi.", "JOHN"),
        ("(JOHN) Hi.", "Hi.", "JOHN"),
        ("JOHN:\nHi.", "Hi.", "JOHN"),
        ("[JOHN]\nHi.", "Hi.", "JOHN"),
        ("- JOHN: Hi.", "Hi.", "JOHN"),
        ("JOHN: 5 men.", "5 men.", "JOHN"),
        ("JOHN: Note: beware.", "Note: beware.", "JOHN"),
        ("<v John Smith>Hi.", "Hi.", "John Smith"),
    ],
)
def test_one_occurrence_is_enough(line: str, text: str, name: str) -> None:
    assert read(line, PLAIN) == [(text, [name]), (PLAIN, [])]


@pytest.mark.parametrize(
    ("line", "text", "name"),
    [
        ("John: Hi there.", "Hi there.", "John"),
        ("Van Helsing: Hm.", "Hm.", "Van Helsing"),
        ("Anne of Cleves: Hm.", "Hm.", "Anne of Cleves"),
        ("太郎：行こう。", "行こう。", "太郎"),
        ("太郎:行こう。", "行こう。", "太郎"),
        ("（太郎）行こう。", "行こう。", "太郎"),
        ("【太郎】行こう。", "行こう。", "太郎"),
        ("阿虚：走吧", "走吧", "阿虚"),
        ("春日（小声）：走吧", "走吧", "春日"),
        ("철수: 가자.", "가자.", "철수"),
        ("太郎：3時に来い", "3時に来い", "太郎"),
        ("[John] Hi.", "Hi.", "John"),
    ],
)
def test_two_occurrences_are_needed(line: str, text: str, name: str) -> None:
    shown = line
    assert read(line, PLAIN) == [(shown, []), (PLAIN, [])]
    assert read(line, PLAIN, line) == [(text, [name]), (PLAIN, []), (text, [name])]


@pytest.mark.parametrize(
    "line",
    [
        *(
            "Note: it is late.",
            "NOTE: it is late.",
            "Warning: wet floor.",
            "WARNING: wet floor.",
            "TL NOTE: a pun.",
            "OK: go.",
        ),
        *(
            "12:30 is fine.",
            "At 12:30 we go.",
            "7: the number.",
            "http://example.org",
            "HTTP://EXAMPLE.ORG",
            "Visit HTTP: no.",
        ),
        *(
            "I told you: go",
            "I TOLD YOU: GO",
            "He said: go",
            "She has one wish: peace.",
            "There is a rule: none.",
            "Listen: go.",
        ),
        *(
            "C:\\temp",
            "C: the drive",
            "What I want is this: you.",
            "注：这里有误",
            "注意：危险",
            "他说：走吧",
            "他：走吧",
            "我问他：走吗",
            "时间：三点",
        ),
        *(
            "第二：不要走",
            "太郎は言った：行こう",
            "[sighs] No.",
            "[SIGHS] No.",
            "[LAUGHING] No.",
            "(sighs) No.",
            "[DOOR SLAMS] No.",
        ),
        *(
            "（ため息）行こう。",
            "（笑）行こう。",
            "(笑) 行こう。",
            "「太郎」：行こう。",
            "What?! NO: it is.",
            ": Hi.",
            "-: Hi.",
        ),
        *(
            "A: Hi.",
            "A FAR TOO LONG ONE: Hi.",
            "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFGHIJKLMNOPQRSTUVWXYZ: Hi.",
            "10:9",
            "Ratio 3:2",
        ),
        *("Subtitles by: someone", "Text: none", "NTP: none"),
    ],
)
def test_a_name_is_never_invented(line: str) -> None:
    for text, names in read(line, PLAIN, line):
        assert not names
        # What describes a sound or a manner of speaking is kept apart.
        assert text in (line, PLAIN, take_sounds(line)[0])


def test_an_actor_or_capitals_of_the_file_support_a_name() -> None:
    assert read("John: Hi.", PLAIN, actors=("", "John"))[0] == ("Hi.", ["John"])
    assert read("John: Hi.", "JOHN: Ho.") == [("Hi.", ["John"]), ("Ho.", ["John"])]
    assert read("(John) Hi.", "<v John>Ho.") == [("Hi.", ["John"]), ("Ho.", ["John"])]


def test_the_actors_spelling_wins_and_one_name_has_one_spelling() -> None:
    assert read("JOHN: Hi.", "ＪＯＨＮ: Ho.", PLAIN, actors=("", "", "John")) == [
        ("Hi.", ["John"]),
        ("Ho.", ["John"]),
        (PLAIN, ["John"]),
    ]
    assert [names for _, names in read("JOHN: a.", "JOHN: b.", "John: c.")] == [["JOHN"]] * 3
    (cue,) = cues("JOHN: Hi.", actors=("John",))
    assert cue.tags == (NameTag("John", "actor"), NameTag("John", "sdh"))


def test_two_voices_in_one_cue_give_two_names_and_lose_no_word() -> None:
    assert read("- JOHN: Hi.\n- MARY (softly): Hello.") == [("Hi.", ["JOHN"]), ("Hello.", ["MARY"])]
    assert read("- Hi.\n- Hello.") == [("Hi.", []), ("Hello.", [])]
    assert read("<v Ann>Hi.\n<v Bob>Ho.") == [("Hi.", ["Ann"]), ("Ho.", ["Bob"])]
    assert read("<v Ann>Hi. <v Bob>Ho.\nHa.</v>") == [("Hi.", ["Ann"]), ("Ho. Ha.", ["Bob"])]
    assert read("JOHN: Hi.\nMARY: Hello.") == [("Hi.", ["JOHN"]), ("Hello.", ["MARY"])]
    assert read("- Hi.\n- Hello.", actors=("Ann/Bob",)) == [("Hi.", ["Ann"]), ("Hello.", ["Bob"])]
    assert read("- Hi.\n- Hello.", actors=("Ann",)) == [("Hi.", []), ("Hello.", [])]


def test_a_file_in_capitals_needs_two_occurrences() -> None:
    shouted = ["WHERE ARE YOU?", "OVER HERE.", "WAIT FOR ME."]
    assert read(*shouted, "OUR PLAN B: RUN")[3] == ("OUR PLAN B: RUN", [])
    assert read(*shouted, "JOHN: RUN", "JOHN: STOP")[3:] == [("RUN", ["JOHN"]), ("STOP", ["JOHN"])]


def test_the_numbers_of_speakers_need_three_occurrences() -> None:
    assert read("1688: one", "1688: two") == [("1688: one", []), ("1688: two", [])]
    assert read("1688: one", "1688: two", "1688: three") == [("one", ["1688"]), ("two", ["1688"]), ("three", ["1688"])]


def test_a_name_alone_is_not_taken_off() -> None:
    assert read("JOHN:")[0] == ("JOHN:", [])
    assert leading_labels("[JOHN]", is_last=True) == ("", ())


def test_a_named_sound_is_a_sound() -> None:
    (cue, _) = cues("JOHN: (sighs)", "MARY: ♪ la la ♪")
    assert (cue.left_out, cue.tags) == ("sound description", (NameTag("JOHN", "sdh"),))
    assert _.left_out == "song"


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("John", "John"),
        ("  John \t Smith ", "John Smith"),
        ("{\\i1}John{\\i0}", "John"),
        ("Jo\x00h\u202en\u200b", "John"),
        ("<b>John</b>", "John"),
        ("[John]:", "John"),
        ("长门", "长门"),
        ("???", None),
        ("", None),
        ("NTP", None),
        ("-", None),
        ("x" * 500, "x" * 64),
    ],
)
def test_actor_fields(raw: str, name: str | None) -> None:
    assert plain_name(raw) == name


@relaxed
@given(st.text(max_size=300))
def test_names_are_short_and_printable(raw: str) -> None:
    name = plain_name(raw)
    assert name is None or (0 < len(name) <= 64 and name.isprintable() and any(c.isalnum() for c in name))


@relaxed
@given(
    st.lists(
        st.builds(NameTag, st.sampled_from(["John", "JOHN", "john", "Mary", "MARY"]), st.sampled_from(["actor", "sdh"]))
    )
)
def test_every_name_has_one_spelling_that_occurs(tags: list[NameTag]) -> None:
    spelling = spellings(tags)
    assert set(spelling) == {name_key(tag.name) for tag in tags}
    for key, name in spelling.items():
        sources = {tag.source for tag in tags if tag.name == name}
        assert sources and (
            "actor" in sources or not any(t.source == "actor" and name_key(t.name) == key for t in tags)
        )


def test_numbers_that_come_back_are_people_and_others_are_notes(tmp_path: Path) -> None:
    def tags_of(actors: list[str]) -> list[tuple[str, ...]]:
        rows = "".join(
            f"Dialogue: 0,0:00:{2 * k:02d}.00,0:00:{2 * k + 1:02d}.50,Default,{actor},0,0,0,,Line {k} is said.\n"
            for k, actor in enumerate(actors)
        )
        head = (
            "[Script Info]\nScriptType: v4.00+\n\n[Events]\nFormat: Layer, Start, End, Style, Name, MarginL, MarginR, "
        )
        path = tmp_path / "numbers.ass"
        path.write_text(head + "MarginV, Effect, Text\n" + rows, encoding="utf-8")
        return [tuple(tag.name for tag in cue.tags) for cue in read_cues(path).cues]

    people = ["08", "", "11", "08", "", "11", "08", "1188"]
    assert tags_of(people) == [(name,) if name else () for name in people]
    assert tags_of(["12", "", "13", "14", "", "15"]) == [()] * 6
    assert tags_of(["0:01:02", "12:30", "08", "08", "08", "00:12:33"]) == [(), (), ("08",), ("08",), ("08",), ()]


@pytest.mark.parametrize(
    ("raw", "names"),
    [
        ("QC: check this", ()),
        ("Anna: phone", ("Anna",)),
        ("Anna：phone", ("Anna",)),
        ("Dr: Strange", ("Dr: Strange",)),
        ("TLC: is she Anna", ()),
        ("Anna/Ben", ("Anna", "Ben")),
    ],
)
def test_notes_of_an_actor_field_name_nobody(raw: str, names: tuple[str, ...]) -> None:
    assert actor_names(raw) == names
