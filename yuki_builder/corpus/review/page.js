// The first look, the filters, and what other windows changed meanwhile.
import { $, $$, ask, attempt, make, memory, nameHues, on, say, state, tell } from "./core.js";
import "./dialogs.js";
import { showKeys } from "./keys.js";
import { choose, load } from "./list.js";
import "./pieces.js";
import "./sound.js";
import { language, named, setLanguage, t, translate } from "./words.js";

const POLL_MS = 2000;

async function overview({ always = false } = {}) {
  const now = await ask("/api/overview", { version: always ? "" : state.version });
  if (now.same) return false;
  const first = state.version < 0;
  state.version = now.version;
  state.overview = now;
  showOverview();
  return !first;
}

function showOverview() {
  const { states, lines, to_apply: waiting, thinking, characters, episodes, problems, sources } = state.overview;
  nameHues(characters.map(({ name }) => name));
  const doubtful = (states.doubtful ?? 0) + (states.unknown ?? 0);
  $("#progress").textContent = t("progress", states.decided ?? 0, doubtful, lines) + (thinking.length ? ` · ${t("thinking")} …` : "");
  $("#apply").textContent = waiting.length ? t("apply_n", waiting.length) : t("apply");
  $("#apply").classList.toggle("ready", waiting.length > 0);
  $("#names").replaceChildren(...characters.map(({ name }) => make("option", { value: name })));
  const any = ["", t("any")];
  fill("episode", [any, ...episodes.map(({ id, lines: count }) => [id, `${id} (${count})`])]);
  fill("character", [any, ["nobody", t("unknown")], ...characters.map(({ name, lines: count }) => [name, `${name} (${count})`])]);
  fill("state", [any, ...["open", "doubtful", "certain", "decided"].map((s) => [s, t(`state_${s}`)])]);
  fill("problem", [any, ...Object.entries(problems).map(([name, count]) => [name, `${named("problem", name)} (${count})`])]);
  fill("source", [any, ...Object.entries(sources).map(([name, count]) => [name, `${named("source", name)} (${count})`])]);
  fill("mark", [any, ["nobody", t("mark_nobody")], ["not speech", t("not speech")], ["unusable", t("unusable")]]);
  fill("order", [["time", t("order_time")], ["gain", t("order_gain")]]);
}

function fill(name, choices) {
  const select = $(`#filters [name=${name}]`);
  const chosen = state.filter[name] ?? choices[0][0];
  select.replaceChildren(...choices.map(([value, text]) => make("option", { value, textContent: text, selected: value === chosen })));
}

async function filter() {
  const values = Object.fromEntries([...new FormData($("#filters"))].filter(([, value]) => value));
  if (state.filter.speaker) Object.assign(values, { speaker: state.filter.speaker });
  state.filter = values;
  showVoiceFilter();
  await attempt(() => load({ offset: 0 }));
  if (!state.rows.some((row) => row.id === state.current) && state.rows.length) await choose(state.rows[0].id);
}

function showVoiceFilter() {
  const { speaker } = state.filter;
  $("#voice-filter").hidden = !speaker;
  $("#voice-filter").textContent = speaker ? `${speaker} ✕` : "";
}

let waiting = 0;
$("#filters").addEventListener("input", () => {
  clearTimeout(waiting);
  waiting = setTimeout(filter, 150);
});
$("#filters").addEventListener("submit", (event) => {
  event.preventDefault();
  filter();
});
$("#filters").addEventListener("reset", () => {
  state.filter = {};
  setTimeout(filter);
});
$("#voice-filter").addEventListener("click", () => {
  delete state.filter.speaker;
  filter();
});
on("speaker", (episode, speaker) => {
  state.filter = { ...state.filter, episode, speaker };
  showOverview();
  filter();
});

const refresh = () => attempt(async () => {
  await overview({ always: true });
  await load({ keep: true });
});
on("decided", refresh);
on("stale", async () => {
  await refresh();
  if (state.current) await choose(state.current, { scroll: false });
});

const isWriting = () => document.activeElement?.matches("input:not([type=checkbox], [type=radio]), textarea") || state.times;
let silent = false;
async function poll() {
  try {
    if (await overview()) {
      await load({ keep: true });
      if (state.current && !isWriting()) await choose(state.current, { scroll: false });
    }
    if (silent) say("");
    silent = false;
  } catch (error) {
    silent = true;
    say(error.message, true);
  }
  setTimeout(poll, POLL_MS);
}

const themes = ["auto", "light", "dark"];
function setTheme(theme) {
  const known = themes.includes(theme) ? theme : "auto";
  if (known === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = known;
  $("#theme").value = known;
  tell("theme");
}
$("#theme").addEventListener("click", () => {
  const next = themes[(themes.indexOf($("#theme").value) + 1) % themes.length];
  setTheme(next);
  memory.set("yuki theme", next);
});
$("#language").addEventListener("click", () => {
  setLanguage(language === "zh" ? "en" : "zh");
  tell("language");
  showOverview();
});
for (const dialog of $$("dialog")) dialog.addEventListener("close", () => $("#lines").focus({ preventScroll: true }));

if (matchMedia("(max-width: 60rem)").matches) $("#filter-box").open = false;
translate();
showKeys();
setTheme(memory.get("yuki theme"));
await attempt(async () => {
  await overview();
  await load();
  if (state.rows.length) await choose(state.rows[0].id);
  $("#lines").focus({ preventScroll: true });
  document.documentElement.dataset.ready = "yes";
});
setTimeout(poll, POLL_MS);

