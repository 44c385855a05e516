// Keys, colours, help; and the first look.
const themes = ["auto", "light", "dark"];
function setTheme(theme) {
  const known = themes.includes(theme) ? theme : "auto";
  if (known === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = known;
  const label = known[0].toUpperCase() + known.slice(1);
  $("#theme span").textContent = label;
  $("#theme").setAttribute("aria-label", `Colours: ${known === "auto" ? "as the system" : known}. Change`);
  $("#theme").value = known;
  tell("theme");
}
$("#theme").addEventListener("click", () => {
  const next = themes[(themes.indexOf($("#theme").value) + 1) % themes.length];
  setTheme(next);
  memory.set("yuki theme", next);
});
$("#help-open").addEventListener("click", () => $("#help").showModal());

const keyed = {
  " ": () => toggle(),
  j: () => step(1),
  k: () => step(-1),
  m: () => {
    const other = $$("input[name=sound]").find((choice) => !choice.checked);
    other.checked = true;
    changeSound();
    say(other.value === "mix" ? "Now the mix." : "Now the voice alone.");
  },
  e: () => current >= 0 && details(current),
  c: () => {
    if (isCorpus || current < 0) return;
    if ($(".more", items[current]).getAttribute("aria-expanded") !== "true") details(current);
    $(".correct input", items[current]).focus();
  },
  "/": () => controls.search?.focus(),
  "+": () => zoomBy(0.5),
  "=": () => zoomBy(0.5),
  "-": () => zoomBy(2),
  0: () => zoomFit(),
  "?": () => $("#help").showModal(),
};
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || $("#help").open) return;
  // Until the next frame the focus may still be on a button of the help that was just closed.
  const at = event.target.closest("#help") ? document.body : event.target;
  const isField = at.closest("select, textarea, input:not([type=radio], [type=checkbox])");
  if (event.key === "Escape") {
    if (isField && isField.value && isField.id === "search") showAll();
    else if (isField) isField.blur();
    else if (now.playing) stop();
    else if (N) showAll();
    return;
  }
  if (isField || event.defaultPrevented) return;
  if (event.key === " " && at.closest("button, summary, a, input, [role=application]")) return;
  if ((event.key === "ArrowDown" || event.key === "ArrowUp") && at.closest(".line")) {
    event.preventDefault();
    return step(event.key === "ArrowDown" ? 1 : -1);
  }
  if (!Object.hasOwn(keyed, event.key) || (!N && "jke/".includes(event.key))) return;
  event.preventDefault();
  keyed[event.key]();
});

setTheme(memory.get("yuki theme"));
if (N) {
  filter();
  $("ol.lines").classList.add("by-time");
  for (const button of items[0].children) if (button.tagName === "BUTTON") button.tabIndex = 0;
  openLinked();
  addEventListener("hashchange", openLinked);
}
