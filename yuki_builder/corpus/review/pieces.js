// Lines that the subtitles do not have: one that is missing, and the second half of one that holds two.
import { $, $$, say, state, tell } from "./core.js";
import { show } from "./list.js";
import { decide } from "./panel.js";
import { play } from "./sound.js";
import { t } from "./words.js";

const ENDS = /[.!?…。！？]["'”’」』)）]*\s*/gu;
const PAUSES = /[,;:，、；：—–]\s*/gu;
const GAPS = /\s+/gu;
const LONGEST_NEW_MS = 2000;

const ms = (box) => Math.round(1000 * Number($(box).value));
const put = (box, time) => ($(box).value = (time / 1000).toFixed(2));

// Where the words are most likely to be cut: at the caret, else behind a sentence, else at a comma, else between words, the nearest to the middle.
function cutPlace(text) {
  const caret = $("#text").selectionStart; // behind the words where nobody put it
  if (caret > 0 && caret < text.length) return caret;
  for (const mark of [ENDS, PAUSES, GAPS]) {
    const places = [...text.matchAll(mark)].map((found) => found.index + found[0].length).filter((place) => place < text.length);
    if (places.length) return places.reduce((best, place) => (Math.abs(place - text.length / 2) < Math.abs(best - text.length / 2) ? place : best));
  }
  return Math.ceil(text.length / 2);
}

// Where it is to be cut: where the sound was stopped, if that is in the line, else by the length of the words.
function cutTime(line, share) {
  const { start, end } = line;
  const stopped = Math.round(1000 * $("#audio").currentTime);
  if ($("#audio").paused && stopped > start + 100 && stopped < end - 100) return stopped;
  return Math.round(start + (end - start) * share);
}

// The box is there at once, so that what is typed goes into it; it is filled when the line that was chosen is there.
let piece = null;
async function open(box, fill) {
  if (!state.current) return;
  piece = null;
  for (const field of $$("input, textarea", $(box))) field.value = "";
  $(box).showModal();
  $("textarea", $(box)).focus();
  await state.loading;
  if (state.details?.id !== state.current) return $(box).close();
  piece = state.details;
  fill(piece);
}

export const openCut = () =>
  open("#cut-box", (line) => {
    const text = $("#text").value.trim() || line.text;
    const place = cutPlace(text);
    $("#cut-first").value = text.slice(0, place).trim();
    $("#cut-second").value = text.slice(place).trim();
    put("#cut-at", cutTime(line, place / Math.max(1, text.length)));
  });

export const openAdd = () =>
  open("#add-box", (line) => {
    const place = line.neighbours.findIndex((row) => row.id === line.id);
    const next = line.neighbours[place + 1];
    const start = line.end + 20;
    put("#add-start", start);
    put("#add-end", next && next.start - 20 > start + 300 ? Math.min(next.start - 20, start + LONGEST_NEW_MS) : start + LONGEST_NEW_MS);
  });

async function decided(box, request, words) {
  if (!(await decide(request, (act) => ((state.newest = act.lines.at(-1)), t(words))))) return;
  $(box).close();
  tell("decided");
  await show(state.newest, { play: false });
  say(t(words));
}

$("#cut-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const [value, second] = [$("#cut-first").value.trim(), $("#cut-second").value.trim()];
  if (piece && value && second) decided("#cut-box", { kind: "cut", lines: [piece.id], value, second, cut_ms: ms("#cut-at") }, "cut_done");
});
$("#add-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const value = $("#add-text").value.trim();
  if (!piece || !value) return;
  const request = { kind: "add", episode: piece.episode, value, start_ms: ms("#add-start"), end_ms: ms("#add-end") };
  decided("#add-box", request, "add_done");
});
for (const form of ["#cut-form", "#add-form"]) {
  $(form).addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) $(form).requestSubmit();
  });
}
$("#cut-play-first").addEventListener("click", () => play(piece, { from: piece?.start, to: ms("#cut-at") }));
$("#cut-play-second").addEventListener("click", () => play(piece, { from: ms("#cut-at"), to: piece?.end }));
$("#add-play").addEventListener("click", () => play(piece, { from: ms("#add-start"), to: ms("#add-end") }));
$("#cut-open").addEventListener("click", openCut);
$("#add-open").addEventListener("click", openAdd);
