// Everything can be done without a mouse.
import { $, make, on, state } from "./core.js";
import { apply, openRename, openVoices } from "./dialogs.js";
import { mostDoubtful, step, turn } from "./list.js";
import { numbered, takeBack, toggleMark, walk, wholeVoice } from "./panel.js";
import { openAdd, openCut } from "./pieces.js";
import { otherSignal, playAround, toggle } from "./sound.js";
import { t } from "./words.js";

const focus = (selector) => {
  const box = $(selector);
  const details = box.closest("details");
  if (details) details.open = true;
  box.focus();
  box.select?.();
};
export const undo = () => walk("/api/undo", "undone", "no_undo");
export const redo = () => walk("/api/redo", "redone", "no_redo");

const keyed = {
  j: () => step(1), ArrowDown: () => step(1), k: () => step(-1), ArrowUp: () => step(-1), PageDown: () => turn(1), PageUp: () => turn(-1),
  d: mostDoubtful, " ": toggle, p: playAround, m: () => otherSignal(), Enter: () => focus("#name"), 0: () => toggleMark("nobody"), "-": () => toggleMark("not speech"),
  x: () => toggleMark("unusable"), Backspace: takeBack, Delete: takeBack, w: () => wholeVoice(), v: openVoices, r: openRename, e: () => focus("#text"), t: () => focus("#start"),
  c: openCut, n: openAdd, u: undo, y: redo, g: apply, "/": () => focus("#search"), l: () => $("#language").click(), "?": () => $("#help").showModal(),
};
for (let number = 1; number <= 9; number++) keyed[number] = () => numbered(number);

// Decisions one after the other, each when the line that it is about is there. Walking through the list does not wait, nor
// what opens a box for words: they would be taken for keys.
const decides = new Set([..."123456789dxuyw0-", "Backspace", "Delete"]);
let pending = Promise.resolve();
const inOrder = (action) => {
  pending = pending
    .then(() => state.loading)
    .then(action)
    .catch((error) => console.error(error));
};

addEventListener("keydown", (event) => {
  const at = event.target;
  if (document.querySelector("dialog[open]")) return;
  const typing = at.matches("input:not([type=checkbox], [type=radio]), textarea, select");
  if (event.key === "Escape" && typing) return $("#lines").focus({ preventScroll: true });
  if ((event.ctrlKey || event.metaKey) && !typing) {
    const walked = { z: event.shiftKey ? redo : undo, Z: redo, y: redo }[event.key];
    if (walked) {
      event.preventDefault();
      walked();
    }
    return;
  }
  if (typing || event.ctrlKey || event.metaKey || event.altKey || !Object.hasOwn(keyed, event.key)) return;
  // A button or a link does with Enter and Space what it is there for.
  if ((event.key === "Enter" || event.key === " ") && at.matches("button, a, summary, input")) return;
  if (at.matches("input[type=radio]") && event.key.startsWith("Arrow")) return;
  event.preventDefault();
  if (decides.has(event.key)) inOrder(keyed[event.key]);
  else keyed[event.key]();
});

$("#undo").addEventListener("click", undo);
$("#redo").addEventListener("click", redo);
$("#help-open").addEventListener("click", () => $("#help").showModal());
export function showKeys() {
  $("#key-list").replaceChildren(...t("keys").map(([key, what]) => make("div", {}, make("dt", {}, make("kbd", { textContent: key })), make("dd", { textContent: what }))));
}
on("language", showKeys);
