"""Alternative names of one character: read, refused, applied."""

from __future__ import annotations

from pathlib import Path

import pytest

from yuki_builder.characters import Aliases, read_aliases
from yuki_builder.errors import ConfigError
from yuki_builder.records import AlignedCue, Cue, NameTag


def write(folder: Path, text: str) -> Path:
    path = folder / "aliases.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_names_of_one_character(tmp_path: Path) -> None:
    aliases = read_aliases(write(tmp_path, 'Haruhi = ["Suzumiya Haruhi", "ハルヒ"]\n"Dr. Watson" = "John"\n'))
    assert [aliases.name(n) for n in ("suzumiya  HARUHI", "ﾊﾙﾋ", "haruhi", "JOHN", "Kyon")] == [
        *("Haruhi", "Haruhi", "Haruhi", "Dr. Watson", "Kyon")
    ]


def test_tags_take_the_kept_name(tmp_path: Path) -> None:
    aliases = read_aliases(write(tmp_path, 'Haruhi = ["Suzumiya"]'))
    cue = Cue(
        "c", 0, 0, 1, "x", "x", tags=(NameTag("SUZUMIYA", "sdh"), NameTag("Haruhi", "sdh"), NameTag("K", "actor"))
    )
    (line,) = aliases.of_lines([AlignedCue(cue, 0, 1, 1)])
    assert line.cue.tags == (NameTag("Haruhi", "sdh"), NameTag("K", "actor"))
    untouched = AlignedCue(cue, 0, 1, 1)
    assert Aliases().of_lines([untouched]) == [untouched]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("Haruhi = [", "not valid TOML"),
        ("Haruhi = 3", "needs a name or a list"),
        ('Haruhi = ["a", 3]', "needs a name or a list"),
        ('Haruhi = [" "]', "needs a name or a list"),
        ('A = ["x"]\nB = ["X"]', "is given to 'A' and to 'B'"),
        ('A = ["B"]\nB = ["C"]', "is given to 'A' and to 'B'"),
    ],
)
def test_what_is_refused(tmp_path: Path, text: str, what: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(ConfigError, match=what) as caught:
        read_aliases(path)
    assert str(path) in str(caught.value)
