// The lines, page by page, and which one is chosen.
import { $, ask, attempt, clock, make, on, paint, say, state, tell } from "./core.js";
import { named, t } from "./words.js";

const list = $("#lines");
const idOf = (key) => `line-${state.rows.findIndex((row) => row.id === key)}`;

export async function load({ around = null, offset = state.offset, keep = false } = {}) {
  const page = await ask("/api/lines", { ...state.filter, offset, limit: state.limit, around });
  Object.assign(state, { rows: page.lines, total: page.total, offset: page.offset, acts: page.acts });
  draw(keep);
}

function draw(keep) {
  const top = list.scrollTop;
  list.replaceChildren(...state.rows.map(item));
  list.scrollTop = keep ? top : 0;
  $("#nothing").hidden = state.total > 0;
  const last = state.offset + state.rows.length;
  $("#page-now").textContent = state.total ? t("pages", state.offset + 1, last, state.total) : "";
  $("#page-back").disabled = state.offset === 0;
  $("#page-on").disabled = last >= state.total;
  mark();
  performance.mark("lines drawn");
}

function item(row, place) {
  const who = make("span", { className: "who", textContent: nameOf(row), dir: "auto" });
  const badges = [...row.marks.map((mark) => (mark === "nobody" ? t("mark_nobody") : t(mark))), ...row.edited.map((what) => `✎ ${what === "text" ? t("words") : t("times")}`), ...row.problems.map((problem) => named("problem", problem))];
  const entry = make(
    "li",
    { id: `line-${place}`, className: row.state },
    make("span", { className: "time", textContent: clock(row.start) }),
    make("span", { className: "text", dir: "auto" }, row.text, badges.length ? make("span", { className: "badges" }, " ", ...badges.map((b) => make("span", { className: "badge", textContent: b }))) : null),
    paint(who, row.character),
    make("span", { className: "sure", textContent: row.state === "decided" ? "✓" : row.character ? `${Math.round(100 * row.confidence)} %` : "?" }),
  );
  entry.classList.toggle("is-gone", row.marks.includes("not speech"));
  entry.setAttribute("role", "option");
  entry.setAttribute("aria-selected", "false");
  entry.dataset.key = row.id;
  return entry;
}

export const nameOf = (row) => row.character ?? (row.state === "decided" ? t("nobody_short") : t("unknown"));

function mark({ scroll = false } = {}) {
  for (const chosen of list.querySelectorAll("[aria-selected=true]")) chosen.setAttribute("aria-selected", "false");
  const entry = state.current && document.getElementById(idOf(state.current));
  if (!entry) return list.removeAttribute("aria-activedescendant");
  entry.setAttribute("aria-selected", "true");
  list.setAttribute("aria-activedescendant", entry.id);
  if (scroll) entry.scrollIntoView({ block: "nearest" });
}

let asked = 0;
export function choose(key, { play = false, scroll = true } = {}) {
  state.current = key;
  state.times = null;
  mark({ scroll });
  tell("choosing");
  state.loading = fetchDetails(key, play);
  return state.loading;
}

async function fetchDetails(key, play) {
  const mine = ++asked;
  const details = await attempt(() => ask(`/api/line/${encodeURIComponent(key)}`));
  if (!details || mine !== asked) return;
  state.details = details;
  tell("chosen", { play });
}

export async function step(by) {
  const place = state.rows.findIndex((row) => row.id === state.current) + by;
  if (place >= 0 && place < state.rows.length) return choose(state.rows[place].id, { play: true });
  if (by > 0 && state.offset + state.rows.length < state.total) {
    await turn(1);
  } else if (by < 0 && state.offset > 0) {
    await turn(-1);
    return choose(state.rows.at(-1).id, { play: true });
  }
}

export async function turn(by) {
  const offset = state.offset + by * state.limit;
  if (offset < 0 || offset >= state.total) return;
  await attempt(() => load({ offset }));
  if (state.rows.length) await choose(state.rows[0].id);
}

export async function show(key, options = {}) {
  if (!state.rows.some((row) => row.id === key)) await attempt(() => load({ around: key }));
  await choose(key, { play: true, ...options });
}

export async function mostDoubtful() {
  const from = state.current;
  const found = await attempt(() => ask("/api/next", { ...state.filter, after: from }));
  if (!found || state.current !== from) return; // another line was chosen meanwhile
  if (found.id === null) return say(t("all_done"));
  await show(found.id);
}

list.addEventListener("click", (event) => {
  const entry = event.target.closest("li");
  if (entry) choose(entry.dataset.key, { play: true, scroll: false });
});
$("#page-back").addEventListener("click", () => turn(-1));
$("#page-on").addEventListener("click", () => turn(1));
on("language", () => draw(true));
