// Voices (merge, split), renaming a character, applying, and what changed.
import { $, $$, ask, attempt, clock, make, on, say, state, tell } from "./core.js";
import { show } from "./list.js";
import { decide } from "./panel.js";
import { play } from "./sound.js";
import { inWords, named, t } from "./words.js";

const episodeNow = () => state.details?.episode ?? (state.filter.episode || state.overview?.episodes[0]?.id);

export async function openVoices() {
  const episode = episodeNow();
  const voices = episode && (await attempt(() => ask(`/api/voices/${encodeURIComponent(episode)}`)));
  if (!voices) return;
  $("#split").replaceChildren();
  $("#voice-list").replaceChildren(...voices.map((voice) => voiceItem(episode, voice)));
  $("#voices").dataset.episode = episode;
  if (!$("#voices").open) $("#voices").showModal();
}

function voiceItem(episode, voice) {
  const tick = make("input", { type: "checkbox", value: voice.speaker });
  tick.setAttribute("aria-label", t("tick", voice.speaker));
  const names = voice.names.map(([name, count]) => `${name === "nobody" ? t("unknown") : name} (${count})`).join(", ");
  const split = make("button", { type: "button", className: "plain", textContent: t("split") });
  split.addEventListener("click", () => openSplit(episode, voice.speaker));
  const list = make("button", { type: "button", className: "plain", textContent: t("show") });
  list.addEventListener("click", () => {
    $("#voices").close();
    tell("speaker", episode, voice.speaker);
  });
  return make("li", {}, make("label", { className: "grow" }, tick, " ", make("b", { textContent: voice.speaker }), " ", make("bdi", { textContent: names })), make("span", { className: "small", textContent: t("voice_counts", voice.lines, voice.open) }), split, list);
}

export async function openSplit(episode, speaker) {
  if (!$("#voices").open) await openVoices();
  const groups = await attempt(() => ask(`/api/split/${encodeURIComponent(episode)}`, { speaker }));
  if (!groups) return;
  const there = groups.filter((group) => group.length);
  if (there.length < 2) return $("#split").replaceChildren(make("p", { textContent: t("one_voice") }));
  $("#split").replaceChildren(...there.map((group, k) => groupBox(group, k + 1)));
  $("#split input")?.focus();
}

function groupBox(group, number) {
  const item = (row) => {
    const button = make("button", { type: "button", textContent: `▸ ${row.text || clock(row.start)}`, dir: "auto" });
    button.addEventListener("click", () => play({ ...row, sound: state.details?.sound ?? { mix: true, vocals: true } }));
    return make("li", {}, button, " ", make("span", { className: "small", textContent: row.character ?? t("unknown") }));
  };
  const name = make("input", { maxLength: 200, placeholder: t("any_name") });
  name.setAttribute("list", "names");
  name.setAttribute("aria-label", `${t("group", number, group.length)}: ${t("any_name")}`);
  const form = make("form", { className: "name-form", autocomplete: "off" }, name, make("button", { className: "plain", textContent: t("assign_group") }));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const value = name.value.trim();
    const lines = group.filter((row) => row.state !== "decided").map((row) => row.id);
    if (!value || !lines.length) return;
    if (await decide({ kind: "assign", lines, value }, (act) => t("assigned", act.lines.length, value))) {
      form.replaceChildren(make("span", { textContent: `✓ ${value}` }));
      tell("decided");
    }
  });
  return make("section", {}, make("h3", { textContent: t("group", number, group.length) }), make("ol", {}, ...group.map(item)), form);
}

$("#merge-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const value = $("#merge-name").value.trim();
  const speakers = $$("#voice-list input:checked").map((tick) => tick.value);
  if (!value || !speakers.length) return;
  const request = { kind: "assign", episode: $("#voices").dataset.episode, speakers, value };
  if (await decide(request, (act) => t("assigned", act.lines.length, value))) {
    $("#merge-name").value = "";
    tell("decided");
    await openVoices();
  }
});

export function openRename() {
  const names = state.overview?.characters ?? [];
  $("#old-name").replaceChildren(...names.map(({ name }) => make("option", { value: name, textContent: name, selected: name === state.details?.character })));
  $("#new-name").value = "";
  $("#rename").showModal();
  $("#new-name").focus();
}
$("#rename-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const [value, name] = [$("#old-name").value, $("#new-name").value.trim()];
  if (!value || !name) return;
  if (await decide({ kind: "rename", value, new_name: name }, () => t("renamed", value, name))) {
    $("#rename").close();
    tell("decided");
  }
});

export async function apply() {
  await state.loading; // a decision just taken waits for its line,
  await state.deciding; // then for the server
  const there = await attempt(() => ask("/api/overview"));
  if (!there) return;
  if (!there.to_apply.length) return say(t("nothing_to_apply"));
  if (!(await attempt(() => ask("/api/apply", {}, {})))) return;
  $("#apply").disabled = true;
  const follow = async () => {
    const now = await attempt(() => ask("/api/apply"));
    if (now?.state === "running") {
      say(t("applying", now.subject === "corpus" ? t("corpus") : now.subject, named("stage", now.stage) || "…"));
      return setTimeout(follow, 500);
    }
    $("#apply").disabled = false;
    if (!now) return;
    if (now.state === "failed") return say(t("failed", inWords(now, "message")), true);
    say(now.changes.length ? t("applied", now.changes.length) : t("no_change"));
    tell("decided");
    showChanges(now);
  };
  setTimeout(follow, 300);
}

function showChanges({ changes, exports = [], kept = [], command = "" }) {
  const stale = exports.length ? ` ${t("stale_exports", exports.join(t("comma")))}` : "";
  $("#changes-summary").textContent = (changes.length ? t("applied", changes.length) : t("no_change")) + stale;
  $("#changes-kept").hidden = !kept.length;
  $("#changes-kept").replaceChildren(t("kept", kept.map((stage) => named("stage", stage)).join(t("comma"))), " ", make("code", { textContent: command }));
  $("#change-list").replaceChildren(...changes.slice(0, 2000).map(changeItem));
  $("#changes").showModal();
}

function changeItem(change) {
  const parts = [];
  for (const [what, [old, now]] of Object.entries(change.what)) {
    if (what === "there") parts.push(make("ins", { textContent: t(now ? "added" : "removed") }));
    else if (what === "character" || what === "text") parts.push(make("del", { textContent: old ?? t("unknown") }), " → ", make("ins", { textContent: now ?? t("unknown") }));
    else if (what === "start_ms" || what === "end_ms") parts.push(make("span", { textContent: `${(old / 1000).toFixed(2)} → ${(now / 1000).toFixed(2)} s` }));
    else if (what === "verdict" && !change.what.character) parts.push(make("span", { textContent: `${t(`state_${old}`)} → ${t(`state_${now}`)}` }));
    parts.push(" ");
  }
  const link = make("button", { type: "button", className: "plain", textContent: `${change.episode} ${clock(change.start)}` });
  link.addEventListener("click", () => {
    $("#changes").close();
    show(change.id);
  });
  return make("li", {}, link, " ", make("bdi", { textContent: change.text }), make("div", {}, ...parts));
}

$("#voices-open").addEventListener("click", openVoices);
$("#rename-open").addEventListener("click", openRename);
$("#apply").addEventListener("click", apply);
on("split", openSplit);
