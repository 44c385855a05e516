"use strict";
(() => {
  const $ = (selector) => document.querySelector(selector);
  const list = $("ol.lines");
  if (!list) return;
  const plain = (text) => text.normalize("NFKC").toLowerCase();
  const rows = [...list.children].map((item) => ({
    item,
    who: item.dataset.who,
    verdict: item.dataset.verdict,
    start: Number(item.dataset.start),
    sure: Number(item.dataset.sure),
    text: plain(item.querySelector(".text").textContent + " " + item.querySelector(".who").textContent),
  }));
  const [search, character, verdict, order] = ["#search", "#character", "#verdict", "#order"].map($);

  // Filter and order
  function show() {
    const wanted = plain(search.value.trim());
    let shown = 0;
    for (const row of rows) {
      const fits =
        (!character.value || row.who === character.value) &&
        (!verdict.value || row.verdict === verdict.value) &&
        (!wanted || row.text.includes(wanted));
      row.item.hidden = !fits;
      shown += fits;
    }
    $("#count").value = shown === rows.length ? `${shown} lines` : `${shown} of ${rows.length} lines`;
    $("#lines .nothing").hidden = shown > 0;
  }
  function arrange() {
    const byTime = (a, b) => a.start - b.start;
    const byDoubt = (a, b) => a.sure - b.sure || byTime(a, b);
    list.append(...[...rows].sort(order.value === "doubt" ? byDoubt : byTime).map((row) => row.item));
  }
  function reset() {
    search.value = character.value = verdict.value = "";
    show();
  }
  search.addEventListener("input", show);
  for (const choice of [character, verdict]) choice.addEventListener("change", show);
  order.addEventListener("change", arrange);
  $("#reset").addEventListener("click", reset);
  $(".tools").hidden = false;
  show();

  // Play: one line at a time
  const lanes = $(".lanes");
  const playhead = $(".playhead");
  let playing = null;
  const buttonOf = (audio) => audio.previousElementSibling;
  function follow(audio) {
    const length = audio.duration || 1;
    buttonOf(audio).style.setProperty("--p", audio.currentTime / length);
    const track = $(".axis .track");
    const at = (Number(audio.parentElement.dataset.start) + 1000 * audio.currentTime) / lanes.dataset.duration;
    playhead.style.left = `${track.offsetLeft + at * track.offsetWidth}px`;
    playhead.hidden = false;
  }
  function stop(audio) {
    audio.pause();
    if (audio.readyState) audio.currentTime = 0;
    buttonOf(audio).setAttribute("aria-pressed", "false");
    buttonOf(audio).style.removeProperty("--p");
    playhead.hidden = true;
    playing = null;
  }
  function fail(audio) {
    buttonOf(audio).classList.add("broken");
    buttonOf(audio).title = "This clip cannot be played here";
    if (playing === audio) stop(audio);
  }
  function toggle(audio) {
    const wasPlaying = playing === audio;
    if (playing) stop(playing);
    if (wasPlaying) return;
    playing = audio;
    buttonOf(audio).setAttribute("aria-pressed", "true");
    audio.play().catch((reason) => reason.name === "AbortError" || fail(audio));
  }
  for (const audio of list.querySelectorAll("audio")) {
    audio.addEventListener("timeupdate", () => audio === playing && follow(audio));
    audio.addEventListener("ended", () => stop(audio));
    buttonOf(audio).addEventListener("click", () => toggle(audio));
  }

  // From the timeline to the line
  lanes.addEventListener("click", (event) => {
    const block = event.target.closest("[data-row]");
    if (!block) return;
    const item = document.getElementById(`l${block.dataset.row}`);
    if (item.hidden) reset();
    list.querySelector(".found")?.classList.remove("found");
    item.classList.add("found");
    item.scrollIntoView({ block: "center" });
    item.querySelector("button, summary").focus({ preventScroll: true });
  });

  // Keys
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const field = event.target.closest("input, select");
    if (event.key === "/" && !field) {
      event.preventDefault();
      search.focus();
    } else if (event.key === "Escape") {
      if (playing) stop(playing);
      else reset();
    } else if (!field && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      const here = event.target.closest(".line");
      if (!here) return;
      let next = here;
      do next = event.key === "ArrowDown" ? next.nextElementSibling : next.previousElementSibling;
      while (next && next.hidden);
      if (!next) return;
      event.preventDefault();
      next.scrollIntoView({ block: "nearest" });
      next.querySelector("button, summary").focus({ preventScroll: true });
    }
  });
})();
