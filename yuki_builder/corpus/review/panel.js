// One line: who says it and why, its words and times; and the decisions about it.
import { $, ask, attempt, clock, make, memory, on, paint, say, state, tell } from "./core.js";
import { choose, mostDoubtful, nameOf, show, step } from "./list.js";
import { setTimes, shownTimes } from "./sound.js";
import { named, t } from "./words.js";

function showLine() {
  const line = state.details;
  $("#panel").hidden = !line;
  if (!line) return;
  for (const field of FIELDS) $(field).readOnly = false;
  $("#panel-title").textContent = t("line", line.number, line.episode, clock(line.start));
  $("#line-text").textContent = line.text;
  $("#line-second").textContent = line.second ?? "";
  $("#likeliest").replaceChildren(...line.likeliest.map((name, place) => nameButton(name, place + 1)));
  for (const [id, mark] of [["nobody", "nobody"], ["not-speech", "not speech"], ["unusable", "unusable"]]) {
    $(`#mark-${id}`).setAttribute("aria-pressed", String(line.marks.includes(mark)));
  }
  $("#clear").disabled = line.state !== "decided";
  $("#text").value = line.text;
  showTimes();
  showEvidence();
  showVoice();
  $("#neighbours").replaceChildren(...line.neighbours.map(neighbour));
}

// What is typed before a line is there is for that line: its name stays in the box; the old line's words and times cannot
// be changed meanwhile.
const FIELDS = ["#text", "#start", "#end"];
on("choosing", () => {
  $("#name").value = "";
  if (state.current !== state.details?.id) for (const field of FIELDS) $(field).readOnly = true;
});

function nameButton(name, number) {
  const button = make("button", { type: "button", className: "plain" }, make("kbd", { textContent: number }), paint(make("span", { className: "dot" }), name), make("bdi", { textContent: name }));
  button.setAttribute("aria-keyshortcuts", String(number));
  button.setAttribute("aria-pressed", String(state.details.character === name && state.details.state === "decided"));
  button.addEventListener("click", () => assign(name));
  return button;
}

function showTimes() {
  const { start, end } = shownTimes();
  $("#start").value = (start / 1000).toFixed(2);
  $("#end").value = (end / 1000).toFixed(2);
  $("#times-back").disabled = !state.times && !state.details.edited.includes("times");
}

function showEvidence() {
  const found = state.details.evidence;
  const item = (e) =>
    make("li", {}, make("span", { className: "small", textContent: named("evidence", e.source) }), make("bdi", { textContent: e.character === "nobody" ? t("nobody_short") : e.character }), make("span", { className: "small", textContent: `${Math.round(100 * e.weight)} %` }));
  $("#evidence").replaceChildren(...(found.length ? found.map(item) : [make("li", { className: "none", textContent: t("no_reason") })]));
}

function showVoice() {
  const line = state.details;
  const box = $("#voice-box");
  box.hidden = !line.speaker;
  if (!line.speaker) return;
  const name = line.character;
  const whole = make("button", { type: "button", className: "plain", id: "whole-voice", textContent: t("assign_voice", name ?? "…") });
  whole.disabled = !name;
  whole.setAttribute("aria-keyshortcuts", "w");
  whole.addEventListener("click", () => wholeVoice());
  const list = make("button", { type: "button", className: "plain", textContent: t("show") });
  list.addEventListener("click", () => tell("speaker", line.episode, line.speaker));
  const split = make("button", { type: "button", className: "plain", textContent: t("split") });
  split.addEventListener("click", () => tell("split", line.episode, line.speaker));
  box.replaceChildren(make("p", { textContent: t("voice_box", line.speaker, line.voice_lines, line.voice_open) }), make("div", { className: "names" }, whole, list, split));
}

function neighbour(row) {
  const button = make("button", { type: "button" }, paint(make("span", { className: "who", textContent: nameOf(row), dir: "auto" }), row.character), make("span", { textContent: row.text, dir: "auto" }));
  if (row.id === state.details.id) button.setAttribute("aria-current", "true");
  button.addEventListener("click", () => show(row.id));
  return make("li", {}, button);
}

// --- decisions --------------------------------------------------------------------------------------------

export async function decide(request, words) {
  const asked = attempt(() => ask("/api/decide", {}, { ...request, seen: state.acts }));
  state.deciding = asked;
  const told = await asked;
  if (!told) return false;
  state.acts = told.acts;
  say(words(told.act));
  return true;
}

async function advance(key) {
  const how = $("#advance").value;
  tell("decided");
  if (state.current !== key) return; // another line was chosen meanwhile
  if (how === "doubt") return mostDoubtful();
  if (how === "next") return step(1);
  return choose(key, { scroll: false });
}

export async function assign(name) {
  const key = state.current;
  const clean = name.trim();
  if (!key || !clean) return;
  await state.loading;
  if (state.details?.id !== key) return; // another line was chosen meanwhile
  if (await decide({ kind: "assign", lines: [key], value: clean }, () => t("assigned", 1, clean))) await advance(key);
}

export async function numbered(number) {
  const name = state.details?.likeliest[number - 1];
  if (name) await assign(name);
}

export async function toggleMark(mark) {
  const line = state.details;
  if (!line) return;
  const has = line.marks.includes(mark);
  const label = mark === "nobody" ? t("mark_nobody") : t(mark);
  const done = await decide({ kind: has ? "unmark" : "mark", lines: [line.id], value: mark }, () => t(has ? "unmarked" : "marked", label));
  if (!done) return;
  if (has || mark === "unusable") {
    tell("decided");
    await choose(line.id, { scroll: false });
  } else {
    await advance(line.id);
  }
}

export async function takeBack() {
  const line = state.details;
  if (!line || line.state !== "decided") return;
  if (line.marks.includes("not speech")) return toggleMark("not speech");
  if (await decide({ kind: "assign", lines: [line.id], value: "" }, () => t("cleared"))) {
    tell("decided");
    await choose(line.id, { scroll: false });
  }
}

export async function wholeVoice(name = $("#name").value.trim() || state.details?.character) {
  const line = state.details;
  if (!line?.speaker || !name) return;
  const request = { kind: "assign", episode: line.episode, speakers: [line.speaker], value: name };
  if (await decide(request, (act) => t("assigned", act.lines.length, name))) await advance(line.id);
}

export async function walk(path, done, none) {
  const told = await attempt(() => ask(path, {}, {}));
  if (!told) return;
  if (!told.act) return say(t(none));
  state.acts = told.acts;
  say(t(done, described(told.act)));
  tell("decided");
  const key = told.act.lines.at(told.act.kind === "cut" ? 0 : -1);
  if (told.act.kind === "add" && path.endsWith("undo")) return; // it is not there any more
  if (key) await show(key, { play: false });
}

export function described(act) {
  if (act.kind === "assign") return act.value ? t("assigned", act.lines.length, act.value) : t("cleared");
  if (act.kind === "mark" || act.kind === "unmark") return t(act.kind === "mark" ? "marked" : "unmarked", t(act.value));
  if (act.kind === "rename") return t("renamed", act.value, act.new_name);
  if (act.kind === "cut") return t("cut_done");
  if (act.kind === "add") return t(act.value ? "add_done" : "add_gone");
  return t(act.kind === "text" ? "text_saved" : "times_saved");
}

$("#name-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const name = $("#name").value;
  $("#lines").focus({ preventScroll: true });
  assign(name);
});
for (const [id, mark] of [["nobody", "nobody"], ["not-speech", "not speech"], ["unusable", "unusable"]]) {
  $(`#mark-${id}`).addEventListener("click", () => toggleMark(mark));
}
$("#clear").addEventListener("click", takeBack);
$("#text-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const line = state.details;
  const text = $("#text").value.trim();
  const value = text === line.original.text ? "" : text;
  $("#lines").focus({ preventScroll: true });
  if (await decide({ kind: "text", lines: [line.id], value }, () => t("text_saved"))) {
    tell("decided");
    await choose(line.id, { scroll: false });
  }
});
$("#times-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const line = state.details;
  const { start, end } = shownTimes();
  $("#lines").focus({ preventScroll: true });
  if (await decide({ kind: "times", lines: [line.id], start_ms: start, end_ms: end }, () => t("times_saved"))) {
    tell("decided");
    await choose(line.id, { scroll: false });
  }
});
$("#times-back").addEventListener("click", async () => {
  const line = state.details;
  const was = line.edited.includes("times");
  state.times = null;
  if (was && !(await decide({ kind: "times", lines: [line.id] }, () => t("times_saved")))) return;
  tell("decided");
  await choose(line.id, { scroll: false });
});
for (const id of ["start", "end"]) {
  $(`#${id}`).addEventListener("input", () => {
    const ms = Math.round(1000 * Number($(`#${id}`).value));
    if (Number.isFinite(ms)) setTimes({ [id]: ms });
  });
}
on("times", () => {
  for (const id of ["start", "end"]) {
    if (document.activeElement !== $(`#${id}`)) $(`#${id}`).value = (shownTimes()[id] / 1000).toFixed(2);
  }
  $("#times-back").disabled = false;
});

function fillAdvance() {
  const chosen = memory.get("yuki review advance") ?? "doubt";
  $("#advance").replaceChildren(...["doubt", "next", "stay"].map((how) => make("option", { value: how, textContent: t(`advance_${how}`), selected: how === chosen })));
}
$("#advance").addEventListener("change", () => memory.set("yuki review advance", $("#advance").value));
on("chosen", showLine);
on("language", () => {
  fillAdvance();
  showLine();
});
fillAdvance();

