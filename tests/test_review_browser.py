"""The review in a real Chromium, driven by Playwright: keys, sound, two windows, hostile texts, speed, both languages.

Skipped where there is no Chromium or no Playwright.
"""

from __future__ import annotations

import dataclasses
import os
import re
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from browser import find_chromium
from review_files import Served, a_desk, a_line, an_episode, serving, some_lines, taught
from test_corpus_report import HOSTILE

from pipelines.episode.stages import STAGES
from yuki_builder.corpus import PROBLEMS, Applied, ReviewError, Tools
from yuki_builder.errors import YukiError
from yuki_builder.records import Evidence, LineSource, Verdict

sync_api = pytest.importorskip("playwright.sync_api")
pytest.importorskip("starlette")
pytestmark = pytest.mark.skipif(find_chromium() is None, reason="there is no Chromium on this machine")

sync_api.expect.set_options(timeout=60_000)  # a busy machine is no fault of the page

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

NOTE_STARTS = """
window.soundsBegan = [];
const sound = document.querySelector("#audio");
sound.addEventListener("playing", () => soundsBegan.push(sound.currentTime));
"""
ASK = """async ([path, body]) => {
    const { ask } = await import("/app/core.js");
    return ask(path, {}, body ?? undefined).then(() => "", (error) => error.message);
}"""
FLAGS = ["--no-sandbox", "--mute-audio", "--disable-dev-shm-usage", "--autoplay-policy=no-user-gesture-required"]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def served(out: Path) -> Iterator[Served]:
    episodes = [an_episode(out, name, some_lines(name, 24), sound=True) for name in ("ep 01 #?", "ep02")]
    by_id = {episode.episode_id: episode for episode in episodes}
    with serving(
        a_desk(out, *episodes, tools=Tools(load=lambda names: {name: by_id[name] for name in names})), out
    ) as running:
        yield running


class Window:
    """A page of a browser, and what went wrong in it."""

    def __init__(self, browser: Browser, served: Served, **options: Any) -> None:
        options = {"locale": "en-US", "viewport": {"width": 1280, "height": 800}, **options}
        self.context = browser.new_context(**options)
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(60_000)
        self.wrong: list[str] = []
        self.requests: list[str] = []
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("console", lambda m: self.wrong.append(m.text) if m.type in ("error", "warning") else None)
        self.page.on("dialog", lambda dialog: self.wrong.append(dialog.message))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(served.address)
        self.page.wait_for_selector("[data-ready=yes]")
        self.page.evaluate(NOTE_STARTS)

    def heard(self, start: float) -> None:
        """Waits until a sound began there; a line is over too soon to be seen playing on a busy machine."""
        self.until(f"soundsBegan.some((at) => Math.abs(at - {start}) < 0.1)")
        self.page.evaluate("soundsBegan.length = 0")

    def key(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def said(self, text: str) -> None:
        """Waits until the page says it."""
        sync_api.expect(self.page.locator("#said")).to_contain_text(text)

    def chosen(self, text: str) -> None:
        sync_api.expect(self.page.locator("#line-text")).to_contain_text(text)

    def until(self, script: str, timeout: float = 60) -> None:
        """Waits until a script is true; Playwright's own waiting would have to evaluate strings in the page."""
        deadline = time.monotonic() + timeout
        while not self.page.evaluate(script):
            assert time.monotonic() < deadline, f"never: {script}"
            self.page.wait_for_timeout(50)


@pytest.fixture
def window(chromium: Browser, served: Served) -> Iterator[Window]:
    opened = Window(chromium, served)
    yield opened
    opened.context.close()
    assert opened.wrong == []
    origin = f"http://127.0.0.1:{served.port}/"
    assert [url for url in opened.requests if not url.startswith((origin, "data:"))] == []


def labels(out: Path) -> list[str]:
    path = out / "labels.csv"
    return path.read_text(encoding="utf-8-sig").splitlines()[1:] if path.exists() else []


def test_the_whole_work_by_keys_alone(window: Window, out: Path) -> None:
    window.chosen("Line 0,")
    window.key("j", "j", "k")
    window.chosen("Line 1,")
    window.page.select_option("#advance", "next")
    window.page.focus("#lines")
    window.key("2")  # Ben is the first, so the second is what the evidence says next
    window.said("Cleo")
    window.chosen("Line 2,")
    window.key("0")
    window.chosen("Line 3,")
    window.key("Enter")
    window.page.keyboard.type("Dora 朵拉")
    window.key("Enter")
    window.said("Dora 朵拉")
    window.chosen("Line 4,")
    window.key("-")
    window.chosen("Line 5,")
    window.key("x")
    window.said("Marked: Unusable")
    assert [row.split(",")[0] for row in labels(out)] == ["Cleo", "Dora 朵拉"]
    corrections = (out / "corrections.csv").read_text(encoding="utf-8-sig")
    assert [row.rpartition(",")[2] for row in corrections.splitlines()[1:]] == ["nobody", "not speech", "unusable"]
    for _ in range(5):
        window.key("u")
        window.said("Undone")
        window.page.wait_for_timeout(60)
    window.key("u")
    window.said("nothing to undo")
    assert labels(out) == [] and not (out / "corrections.csv").exists()
    window.key("y")
    window.said("Done again: Cleo")


def test_the_most_doubtful_line_by_one_key(window: Window) -> None:
    title = window.page.locator("#panel-title")
    doubt = window.page.locator("#lines [aria-selected=true] .sure")
    window.key("d")
    sync_api.expect(title).to_contain_text("Line 4 of ep 01")
    sync_api.expect(doubt).to_have_text("60 %")
    window.key("1")
    sync_api.expect(title).to_contain_text("Line 4 of ep02")
    sync_api.expect(doubt).to_have_text("60 %")


def test_keys_faster_than_the_network_are_about_the_line_that_was_chosen(window: Window, out: Path) -> None:
    page = window.page
    held: list[Route] = []
    page.route("**/api/line/**", lambda route: held.append(route))  # noqa: PLW0108 - it takes no built-in function

    def answer() -> None:
        """What was asked for comes now."""
        while held:
            held.pop(0).continue_()
            page.wait_for_timeout(50)

    window.key("j", "j", " ")
    answer()
    window.heard(6)
    window.key("j", "Enter")
    page.keyboard.type("Dora")
    window.key("Enter")
    window.key("j", "e")  # and not to what is most doubtful, where nobody went yet
    page.keyboard.type("no word of the line before")
    answer()
    window.chosen("Line 4,")
    sync_api.expect(page.locator("#text")).to_have_value("Line 4, 第4句")
    sync_api.expect(page.locator("#text")).to_be_editable()
    assert labels(out) == []  # the name was for a line that was left before it was there


def test_a_name_typed_before_its_line_is_there(window: Window, out: Path) -> None:
    page = window.page
    held: list[Route] = []
    page.route("**/api/line/**", lambda route: held.append(route))  # noqa: PLW0108 - it takes no built-in function
    window.key("j", "Enter")
    page.keyboard.type("Dora")
    page.wait_for_timeout(50)
    while held:
        held.pop(0).continue_()
    window.chosen("Line 1,")
    sync_api.expect(page.locator("#name")).to_have_value("Dora")
    page.unroute("**/api/line/**")
    window.key("Enter")
    window.said("Dora")
    assert [row.split(",")[1] for row in labels(out)] == ['"Line 1']


def test_a_line_ends_where_no_frame_is_drawn(window: Window) -> None:
    """A window behind another draws nothing."""
    window.page.evaluate("window.requestAnimationFrame = () => 0")
    window.key(" ")
    window.heard(0)
    window.until("document.querySelector('#audio').paused")
    assert 2 <= window.page.evaluate("document.querySelector('#audio').currentTime") < 2.9


def test_voices_are_assigned_merged_and_split(window: Window, out: Path) -> None:
    window.key("w")
    window.said("8 lines: Anna")
    window.key("v")
    window.page.wait_for_selector("#voice-list li")
    for speaker in ("SPEAKER_01", "SPEAKER_02"):
        window.page.check(f"#voice-list input[value={speaker}]")
    window.page.fill("#merge-name", "Fay")
    window.key("Enter")
    window.said("16 lines: Fay")
    assert len(labels(out)) == 24
    window.page.locator("#voice-list li", has_text="SPEAKER_01").get_by_text("Split").click()
    window.page.wait_for_selector("#split section >> nth=1")
    assert window.page.locator("#split li").count() == 8
    window.page.locator("#split li button >> nth=0").click()
    window.until("soundsBegan.length")
    window.key("Escape")
    window.key("u")
    window.said("Undone: 16 lines: Fay")


def test_a_character_is_renamed(window: Window, out: Path) -> None:
    window.key("r")
    window.page.keyboard.type("Annabel")
    window.key("Enter")
    window.said("Anna is now Annabel")
    sync_api.expect(window.page.locator("#lines .who >> nth=0")).to_have_text("Annabel")
    sync_api.expect(window.page.locator("#apply")).to_have_text("Apply (2)")


def test_filters_and_search(window: Window) -> None:
    window.page.select_option("[name=episode]", "ep02")
    sync_api.expect(window.page.locator("#page-now")).to_have_text("1–24 of 24")
    window.page.select_option("[name=state]", "doubtful")
    sync_api.expect(window.page.locator("#page-now")).to_have_text("1–6 of 6")
    window.page.select_option("[name=state]", "")
    window.page.focus("#lines")
    window.key("/")
    window.page.keyboard.type("第7句")
    sync_api.expect(window.page.locator("#page-now")).to_have_text("1–1 of 1")
    window.page.check("[name=overlap]")
    sync_api.expect(window.page.locator("#nothing")).to_be_visible()
    window.page.click("text=Show all")
    sync_api.expect(window.page.locator("#page-now")).to_have_text("1–48 of 48")


def test_two_windows_see_each_others_decisions(chromium: Browser, served: Served, window: Window, out: Path) -> None:
    other = Window(chromium, served)
    window.page.select_option("#advance", "stay")
    other.page.select_option("#advance", "stay")
    window.page.focus("#lines")
    other.page.focus("#lines")
    window.key("1")
    window.said("Anna")
    other.key("2")  # it has not heard yet of the other's decision, or it has: then nothing is lost either
    other.page.wait_for_timeout(300)
    if "Somebody else" in other.page.inner_text("#said"):
        assert labels(out)[0].startswith("Anna,")
        other.page.wait_for_timeout(300)
        other.key("2")
    other.said("Ben")
    sync_api.expect(window.page.locator("#lines .who >> nth=0")).to_have_text("Ben", timeout=8000)
    window.key("u")  # takes back its own, under the other's
    window.said("Undone: Anna")
    assert labels(out)[0].startswith("Ben,")
    other.wrong = [each for each in other.wrong if "409" not in each]
    assert other.wrong == []
    other.context.close()


def test_hostile_texts_neither_run_nor_become_markup(chromium: Browser, tmp_path: Path) -> None:
    bad = [
        *HOSTILE,
        "'><svg onload=alert(9)>",
        "${alert(10)}",
        "__proto__",
        "constructor",
        "</script><script>alert(1)</script>",
    ]
    lines = [
        a_line(
            "<img src=x onerror=alert(1)>",
            k,
            text=text,
            character=text or "x",
            speaker=text or None,
            text_secondary=text,
        )
        for k, text in enumerate(bad)
    ]
    episode = an_episode(tmp_path, lines[0].episode_id.replace("/", "_"), lines)
    with serving(a_desk(tmp_path, episode), tmp_path) as running:
        window = Window(chromium, running)
        for _ in bad:
            window.key("j")
            window.page.wait_for_timeout(30)
        window.key("Enter")
        window.page.keyboard.type("<b>bold</b><script>alert(1)</script>")
        window.key("Enter")
        window.said("<b>bold</b>")
        window.key("Space")  # asked for, it is said that there is no sound; not after every decision
        window.said("There is no sound for this episode.")
        window.key("v")
        window.page.wait_for_timeout(300)
        window.key("Escape", "r", "Escape")
        assert window.page.locator("main script, main svg, main img, main b, #voice-list img, #names img").count() == 0
        assert [w for w in window.wrong if "404" not in w] == []
        window.context.close()


def test_what_a_decision_teaches_and_what_applying_changed(chromium: Browser, tmp_path: Path) -> None:
    lines = some_lines("ep01", 6)
    episode = an_episode(tmp_path, "ep01", lines)
    command = "python run_pipeline.py --video 'a <b>.mkv'"
    not_done = Applied(exports=("chat", "<b>"), kept=("separate", "turns"), command=command)
    after = dataclasses.replace(episode, lines=tuple(dataclasses.replace(x, character="Dora") for x in lines))
    tools = Tools(load=lambda _: {"ep01": after}, suggest=lambda _: taught(episode, "Dora"), apply=lambda *_: not_done)
    with serving(a_desk(tmp_path, episode, tools=tools), tmp_path) as running:
        window = Window(chromium, running)
        window.key("1")
        sync_api.expect(window.page.locator("#lines .who", has_text="Dora")).to_have_count(5, timeout=8000)
        window.key("g")
        window.page.wait_for_selector("#changes[open]")
        assert window.page.locator("#change-list li").count() == 6
        assert "Anna → Dora" in window.page.inner_text("#change-list")
        assert "Exports are as they were (chat, <b>)" in window.page.inner_text("#changes-summary")
        assert "made otherwise now: vocals, turns of voices." in window.page.inner_text("#changes-kept")
        assert window.page.inner_text("#changes-kept code") == command
        window.key("Escape")
        window.key("g")
        window.said("Everything is applied.")
        assert window.wrong == []
        window.context.close()


def test_five_hundred_lines_are_drawn_within_a_second(chromium: Browser, tmp_path: Path) -> None:
    episodes = [an_episode(tmp_path, f"ep{k:03d}", some_lines(f"ep{k:03d}", 500)) for k in range(100)]
    with serving(a_desk(tmp_path, *episodes), tmp_path) as running:
        window = Window(chromium, running)
        script = """async () => {
            const { state } = await import("/app/core.js");
            const { load } = await import("/app/list.js");
            state.limit = 500;
            const began = performance.now();
            await load({ offset: 49500 });
            const drawn = performance.now();
            document.querySelector("#lines").getBoundingClientRect();
            await new Promise(requestAnimationFrame);
            return [performance.now() - began, drawn - began, state.rows.length, state.total];
        }"""
        times = []
        for _ in range(3):  # other work on the machine is none of the page's
            whole, _, rows, total = window.page.evaluate(script)
            assert (rows, total) == (500, 50_000)
            times.append(whole)
        assert min(times) < 1000, times
        window.key("PageUp")
        window.chosen("Line 0,")
        sync_api.expect(window.page.locator("#page-now")).to_have_text("49001–49500 of 50000")
        window.context.close()


# --- for everybody ----------------------------------------------------------------------------------------


def test_chinese_and_english(chromium: Browser, served: Served) -> None:
    window = Window(chromium, served, locale="zh-CN")
    assert window.page.inner_text("h1") == "校对"
    assert window.page.get_attribute("html", "lang") == "zh-Hans"
    words = window.page.locator("[data-t]").all_inner_texts()
    window.key("l")
    assert window.page.inner_text("h1") == "Review"
    english = window.page.locator("[data-t]").all_inner_texts()
    assert len(words) == len(english) > 40
    same = {a for a, b in zip(words, english, strict=True) if a == b and a.strip()}
    assert same == set()
    window.page.reload()
    window.page.wait_for_selector("[data-ready=yes]")
    assert window.page.inner_text("h1") == "Review"
    window.context.close()


LATIN = re.compile(r"[A-Za-z]{2,}")
# Names of lines, voices, keys and formats are the same in both languages.
SAME_IN_CHINESE = (
    r"Line \d+|SPEAKER_\d+|VOICE_\d+|ep\d+|Anna|Ben|Cleo|Dora|Enter|Backspace|Page|Ctrl|DNSMOS|English|chat"
    r"|run_pipeline.py export"
)


def english_in(window: Window) -> list[str]:
    """What is English of what the page shows or tells a screen reader."""
    texts = window.page.evaluate("""() => {
        const found = [];
        const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
        while (walk.nextNode())
            if (walk.currentNode.parentElement.tagName !== "CODE") found.push(walk.currentNode.data);
        for (const item of document.querySelectorAll("[aria-label], [placeholder], [title]"))
            for (const name of ["aria-label", "placeholder", "title"]) found.push(item.getAttribute(name) ?? "");
        return found;
    }""")
    return sorted({text for text in texts if LATIN.search(re.sub(SAME_IN_CHINESE, "", text))})


def test_the_chinese_page_has_no_english(chromium: Browser, tmp_path: Path) -> None:
    sources, verdicts = (*LineSource,), (*Verdict,)
    evidence = ("manual", "actor", "sdh", "voice", "vocals", "mix", "dub", "cluster", "scene")
    lines = [
        dataclasses.replace(
            line,
            source=sources[k % len(sources)] if sources[k % len(sources)] is not LineSource.REVIEW else LineSource.ASR,
            verdict=verdicts[k % 3],
            evidence=tuple(Evidence(name, "nobody" if name == "manual" else "Anna", 0.3) for name in evidence),
        )
        for k, line in enumerate(some_lines("ep01", 2 * len(PROBLEMS)))
    ]
    episode = an_episode(tmp_path, "ep01", lines, sound=True)
    episode = dataclasses.replace(
        episode, problems={line.line_id: (name,) for line, name in zip(lines, PROBLEMS, strict=False)}
    )
    after = dataclasses.replace(
        episode, lines=(dataclasses.replace(lines[0], character="Dora", verdict=Verdict.UNKNOWN), *lines[1:])
    )
    states = iter(
        [
            Applied(exports=("chat",), kept=tuple(stage.name for stage in STAGES), command="python run_pipeline.py"),
            ReviewError("run_again", "", ""),
            YukiError("out of memory"),
        ]
    )

    def apply(_: Sequence[str], tell: Callable[[str, str], None]) -> Applied:
        tell("corpus", "gallery")
        state = next(states)
        if isinstance(state, YukiError):
            raise state
        return state

    with serving(a_desk(tmp_path, episode, tools=Tools(lambda _: {"ep01": after}, apply=apply)), tmp_path) as running:
        window = Window(chromium, running, locale="zh-CN")
        assert english_in(window) == []
        window.key("0", "k", "-", "k", "x")
        window.page.wait_for_selector("#lines .is-gone")
        assert english_in(window) == []
        for key, box in (("v", "#voices"), ("r", "#rename"), ("c", "#cut-box"), ("n", "#add-box"), ("?", "#help")):
            window.key(key)
            window.page.wait_for_selector(f"{box}[open]")
            assert english_in(window) == []
            window.key("Escape")
        window.key("g")
        window.page.wait_for_selector("#changes[open]")
        assert english_in(window) == []
        window.key("Escape")
        for known in ("未完成：决定所依据的结果已不在", "未完成：程序报告（英文）：out of memory"):
            window.key("0", "g")
            sync_api.expect(window.page.locator("#said")).to_contain_text(known)
        # What the server refuses, and that it is another server than the page's.
        sync_api.expect(window.page.locator("#lines li")).to_have_count(len(lines))
        assert window.page.evaluate(ASK, ["/api/line/none", None]) == "未完成：没有这句台词：'none'"
        assert window.page.evaluate(ASK, ["/api/decide", {"kind": "cut", "lines": []}]) == "未完成：一次只能切一句"
        window.context.clear_cookies()
        assert "请打开命令最后显示的地址" in window.page.evaluate(ASK, ["/api/overview", None])
        window.context.close()


def test_both_languages_say_the_same_things(window: Window) -> None:
    missing = window.page.evaluate("""async () => {
        const { t, setLanguage } = await import("/app/words.js");
        const keys = [...document.querySelectorAll("[data-t], [data-t-label], [data-t-place]")]
            .map((i) => i.dataset.t ?? i.dataset.tLabel ?? i.dataset.tPlace);
        const bad = [];
        for (const language of ["zh", "en"]) {
            setLanguage(language);
            for (const key of keys) if (t(key) === key) bad.push([language, key]);
            if (t("keys").length < 20) bad.push([language, "keys"]);
        }
        return bad;
    }""")
    assert missing == []


def test_everything_has_a_name_for_a_screen_reader(window: Window) -> None:
    unnamed = window.page.evaluate("""() =>
        [...document.querySelectorAll("button, input, select, textarea, canvas, dialog, ul[role]")]
        .filter((item) => !item.closest("[hidden]"))
        .filter((item) => !(item.getAttribute("aria-label") || item.labels?.length || item.textContent.trim()
            || document.getElementById(item.getAttribute("aria-labelledby"))?.textContent))
        .map((item) => item.outerHTML)""")
    assert unnamed == []
    assert window.page.get_attribute("#said", "aria-live") == "polite"
    window.key("j")
    window.chosen("Line 1,")
    active = window.page.get_attribute("#lines", "aria-activedescendant")
    assert window.page.get_attribute(f"#{active}", "aria-selected") == "true"
    assert window.page.evaluate("document.activeElement.id") == "lines"
    tree = window.page.locator("body").aria_snapshot()
    assert "listbox" in tree and "option" in tree and "status" in tree


def test_every_control_is_reached_by_tab(window: Window) -> None:
    reached = set()
    window.page.evaluate("document.activeElement.blur()")
    for _ in range(70):
        window.key("Tab")
        reached.add(window.page.evaluate("document.activeElement.id || document.activeElement.name || ''"))
    assert {
        "lines",
        "play",
        "name",
        "text",
        "start",
        "end",
        "undo",
        "apply",
        "search",
        "advance",
        "mark-nobody",
    } <= reached


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_phone_width_and_both_colour_schemes(chromium: Browser, served: Served, scheme: str, tmp_path: Path) -> None:
    window = Window(chromium, served, viewport={"width": 360, "height": 740}, color_scheme=scheme)
    assert window.page.evaluate("document.documentElement.scrollWidth") <= 360
    ratio = window.page.evaluate("""() => {
        const rgb = (c) => c.match(/[\\d.]+/g).slice(0, 3).map(Number);
        const light = (c) => rgb(c).map((v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
            .reduce((sum, v, k) => sum + v * [0.2126, 0.7152, 0.0722][k], 0);
        const body = getComputedStyle(document.body);
        const [a, b] = [light(body.color), light(body.backgroundColor)].sort((x, y) => y - x);
        return [(a + 0.05) / (b + 0.05), light(body.backgroundColor)];
    }""")
    assert ratio[0] > 7
    assert (ratio[1] < 0.1) == (scheme == "dark")
    window.page.screenshot(path=os.environ.get("SCREENSHOTS", str(tmp_path)) + f"/phone-{scheme}.png", full_page=True)
    assert window.wrong == []
    window.context.close()
