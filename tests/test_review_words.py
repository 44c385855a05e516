"""The review says everything in English and Chinese: what the page writes, what the program names, what it refuses."""

from __future__ import annotations

import ast
import re
import string
from html.parser import HTMLParser
from pathlib import Path

import pytest

from pipelines.corpus.stages import STAGES as CORPUS_STAGES
from pipelines.episode.stages import STAGES
from yuki_builder.corpus import PROBLEMS, ReviewError
from yuki_builder.corpus.review import messages
from yuki_builder.corpus.review.messages import MESSAGES, said
from yuki_builder.errors import InputError
from yuki_builder.records import LineSource, Verdict

ROOM = Path(messages.__file__).parent
SCRIPTS = sorted(path for path in ROOM.glob("*.js") if path.name != "words.js")
HAN = re.compile(r"[\u4e00-\u9fff]")
# What the page makes keys of: `state_${…}` and named("problem", …), by the names that the program gives.
NAMES = {
    "state": {"open", "decided", *Verdict},
    "advance": {"doubt", "next", "stay"},
    "evidence": {"manual", "actor", "sdh", "voice", "vocals", "mix", "dub", "cluster", "scene"},
    "problem": set(PROBLEMS),
    "source": set(LineSource),
    "stage": {stage.name for stage in (*STAGES, *CORPUS_STAGES)},
}
SAME_IN_BOTH = {"comma"}
_STRING = r'"(?:[^"\\]|\\.)*"|`(?:[^`\\]|\\.)*`'


def table(name: str) -> dict[str, str]:
    """The words of one language: the source of each value by its key."""
    text = (ROOM / "words.js").read_text(encoding="utf-8")
    body = re.search(rf"^const {name} = {{\n(.*?)^}};", text, re.DOTALL | re.MULTILINE)
    assert body is not None
    found: dict[str, str] = {}
    depth, key = 0, ""
    for token in re.finditer(
        rf'(?P<text>{_STRING})|(?P<word>[\w"]+)|(?P<open>[(\[{{])|(?P<close>[)\]}}])|=>|.', body[1]
    ):
        end = token.end()
        if depth == 0 and (token["word"] or token["text"]) and body[1][end : end + 2] == ": ":
            key = token[0].strip('"')
            assert key not in found, f"{name}: {key} twice"
            found[key] = ""
        elif key:
            found[key] += token[0]
        depth += bool(token["open"]) - bool(token["close"])
    return found


EN, ZH = table("EN"), table("ZH")


def used_keys() -> dict[str, str]:
    """Every key that the page asks for, and where."""
    page = (ROOM / "page.html").read_text(encoding="utf-8")
    keys = dict.fromkeys(re.findall(r'data-t(?:-label|-place)?="(\w+)"', page), "page.html")
    for path in SCRIPTS:
        text = path.read_text(encoding="utf-8")
        keys |= dict.fromkeys(re.findall(r'\bt\("([^"]+)"', text), path.name)
        for one, other in re.findall(r'\bt\([^()"`]*\? "(\w+)" : "(\w+)"', text):
            keys |= {one: path.name, other: path.name}
        prefixes = re.findall(r"\bt\(`(\w+)_\$\{", text) + re.findall(r'\bnamed\("(\w+)"', text)
        assert set(prefixes) <= NAMES.keys(), f"{path.name}: say in NAMES which names these are of"
        keys |= {f"{prefix}_{name}": path.name for prefix in prefixes for name in NAMES[prefix]}
        # walk("/api/undo", "undone", "no_undo") and decided(…, "cut_done"): keys that travel.
        keys |= dict.fromkeys(re.findall(r'"(undone|redone|no_undo|no_redo|cut_done|add_done)"', text), path.name)
    return keys


def test_the_tables_are_read_whole() -> None:
    assert len(EN) > 150 and EN["title"].strip(": ,\n") == '"Review"' and ZH["title"].strip(": ,\n") == '"校对"'
    assert {"undone", "problem_too short", "stage_identify", "keys"} <= EN.keys()


def test_both_languages_have_the_same_words() -> None:
    assert EN.keys() == ZH.keys()


@pytest.mark.parametrize("prefix", sorted(NAMES))
def test_every_name_that_the_program_gives_has_words(prefix: str) -> None:
    assert {f"{prefix}_{name}" for name in NAMES[prefix]} <= EN.keys()


def test_every_key_that_the_page_asks_for_is_there_and_no_other() -> None:
    keys = used_keys()
    assert {key: where for key, where in keys.items() if key not in EN} == {}
    # Marks are keys by their own names.
    assert EN.keys() - keys.keys() - {"not speech", "unusable", "nobody", "mark_nobody"} == set()


def test_chinese_is_chinese() -> None:
    same = {key for key in EN if EN[key] == ZH[key]}
    assert same == set()
    assert {key for key, text in ZH.items() if not HAN.search(text)} == SAME_IN_BOTH
    assert {key for key, text in EN.items() if HAN.search(text.replace("中文", ""))} == set()


class Texts(HTMLParser):
    """The texts of a page that stand in an element without a key."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[bool] = []
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("meta", "link", "input"):
            self.open.append(
                "data-t" in dict(attrs) or ("lang" in dict(attrs) and tag == "button") or tag in ("kbd", "title")
            )

    def handle_endtag(self, _: str) -> None:
        self.open.pop()

    def handle_data(self, data: str) -> None:
        if re.search(r"\w", data) and not self.open[-1]:
            self.found.append(data)


def test_the_page_itself_has_no_words_without_a_key() -> None:
    texts = Texts()
    texts.feed((ROOM / "page.html").read_text(encoding="utf-8"))
    assert texts.found == []
    for path in SCRIPTS:
        text = path.read_text(encoding="utf-8")
        bare = re.findall(r'(?:textContent|placeholder|title): "([^"]*[A-Za-z]{2}[^"]*)"', text)
        bare += re.findall(r'setAttribute\("aria-label", "([^"]+)"', text)
        bare += re.findall(r'\bsay\("([^"]+)"', text)
        assert bare == [], path.name


def test_what_the_server_refuses_is_said_in_both_languages() -> None:
    for key, (english, chinese) in MESSAGES.items():
        assert HAN.search(chinese) and not HAN.search(english), key
        fields = [sorted(f for _, f, _, _ in string.Formatter().parse(text) if f) for text in (english, chinese)]
        assert fields[0] == fields[1], key
    told = said(ReviewError("no_line", "x"))
    assert told == {"error": "there is no line 'x'", "error_zh": "没有这句台词：'x'"}
    told = said(InputError("the video is gone", where="ep01"), "message")
    assert told == {"message": "ep01: the video is gone", "message_zh": "程序报告（英文）：ep01: the video is gone"}


def test_no_refusal_of_the_review_is_in_one_language_only() -> None:
    used = set()
    for path in (*ROOM.glob("*.py"), ROOM.parents[2] / "pipelines/corpus/review.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            name = call.func.id if isinstance(call.func, ast.Name) else ""
            if name == "ReviewError" and isinstance(call.args[0], ast.Constant):
                used.add(call.args[0].value)
            # The history and the port are of the command line, which speaks English.
            assert name != "InputError" or path.name in ("files.py", "server.py", "review.py"), path.name
        if path.name != "messages.py":
            constants = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
            used |= {value for value in constants if isinstance(value, str) and value in MESSAGES}
    assert used == MESSAGES.keys()
