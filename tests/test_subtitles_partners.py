"""Names from the subtitles for the hard of hearing, words from the plain ones."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from yuki_builder.records import Cue, NameTag
from yuki_builder.subtitles import read_cues, take_names


def cue(start_ms: int, text: str, *names: str) -> Cue:
    tags = tuple(NameTag(name, "sdh") for name in names)
    return Cue(f"{start_ms:08d}-{text}", 0, start_ms, start_ms + 1500, text, text, tags=tags)


def srt(*rows: tuple[int, str]) -> str:
    return "\n".join(
        f"{k}\n00:00:{s:02d},000 --> 00:00:{s + 1:02d},900\n{text}\n" for k, (s, text) in enumerate(rows, 1)
    )


def test_names_come_from_one_file_and_words_from_the_other(tmp_path: Path) -> None:
    plain, rich = tmp_path / "ep.srt", tmp_path / "ep.sdh.srt"
    plain.write_text(srt((1, "We sail at dawn."), (4, "Then I will pack."), (7, "Bring the map.")), encoding="utf-8")
    rich.write_text(
        srt(
            (1, "ANNA: We sail at dawn."), (3, "[DOOR OPENS]"), (4, "BEN: Then I'll pack."), (7, "ANNA: Bring the map.")
        ),
        encoding="utf-8",
    )
    named = take_names(read_cues(plain).cues, read_cues(rich).cues)
    assert named is not None and named.count == 3
    assert [(c.text, [t.name for t in c.tags]) for c in named.cues] == [
        ("We sail at dawn.", ["ANNA"]),
        ("Then I will pack.", ["BEN"]),
        ("Bring the map.", ["ANNA"]),
    ]


def test_files_of_two_cuts_give_no_names() -> None:
    plain = [cue(1000 * k, f"word{k} here now") for k in range(10)]
    late = [cue(1000 * k + 3000, f"word{k} here now", "Ann") for k in range(10)]
    assert take_names(plain, [c for c in late if c.start_ms > 20_000] or late[-1:]) is None
    assert take_names(plain, [cue(1000 * k, "alles anders geworden", "Ann") for k in range(10)]) is None


def test_a_name_of_its_own_stays_and_two_names_give_none() -> None:
    plain = [cue(0, "We sail.", "Carl"), cue(4000, "Go now."), cue(8000, "Stop that.")]
    rich = [cue(100, "We sail.", "Ann"), cue(4100, "Go now.", "Ann", "Ben"), cue(7900, "Stop that.", "Ben")]
    named = take_names(plain, rich)
    assert named is not None
    assert [[t.name for t in c.tags] for c in named.cues] == [["Carl"], [], ["Ben"]]


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 9000), st.sampled_from(["ab", "cd", "ef", "gh"])), max_size=8),
    st.lists(
        st.tuples(st.integers(0, 9000), st.sampled_from(["ab", "cd", "ef", "gh"]), st.sampled_from(["", "X", "Y"]))
    ),
)
def test_no_word_changes_and_no_name_is_invented(plain: list, rich: list) -> None:
    ours = [cue(start, text) for start, text in plain]
    theirs = [cue(start, text, *([name] if name else [])) for start, text, name in rich]
    named = take_names(ours, theirs)
    if named is not None:
        assert [c.text for c in named.cues] == [c.text for c in ours]
        assert {t.name for c in named.cues for t in c.tags} <= {t.name for c in theirs for t in c.tags}
