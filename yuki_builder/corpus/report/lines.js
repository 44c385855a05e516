// The list of lines: filter, order, the current line, details.
const controls = Object.fromEntries(
  ["search", "episode", "character", "verdict", "order"].map((id) => [id, document.getElementById(id)]),
);
const plain = (text) => text.normalize("NFKC").toLowerCase();
let searchable = null; // made at the first search: normalising thousands of lines takes a moment
let range = null;
let order = Array.from(items, (_, i) => i);

function haystack(i) {
  searchable ??= items.map((item, k) => plain(`${$(".text", item).textContent}\n${nameOf(k)}\n${L.id[k]}`));
  return searchable[i];
}

function filter() {
  const wanted = plain(controls.search.value.trim());
  const chosen = (name) => (controls[name]?.value ? Number(controls[name].value) : null);
  const [episode, who, verdict] = ["episode", "character", "verdict"].map(chosen);
  let shown = 0;
  for (let i = 0; i < N; i++) {
    const fits =
      (who === null || L.who[i] === who) &&
      (verdict === null || L.verdict[i] === verdict) &&
      (episode === null || L.episode[i] === episode) &&
      (!range || (L.sure[i] >= 1000 * range[0] - 1e-6 && L.sure[i] < (range[1] >= 1 ? 2000 : 1000 * range[1] - 1e-6))) &&
      (!wanted || haystack(i).includes(wanted));
    if (items[i].hidden === fits) items[i].hidden = !fits;
    shown += fits;
  }
  const all = `${N.toLocaleString("en")} lines`;
  $("#count").value = shown === N ? all : `${shown.toLocaleString("en")} of ${all}`;
  $("#nothing").hidden = shown > 0;
  $("#range").hidden = !range;
  if (range) $("#range").textContent = `Confidence ${range[0].toFixed(2)}–${range[1].toFixed(2)} ✕`;
  tell("shown");
}

function arrange() {
  const noise = (i) => L.snr[i] ?? Infinity;
  const by = {
    time: () => 0,
    doubt: (a, b) => L.sure[a] - L.sure[b],
    sure: (a, b) => L.sure[b] - L.sure[a],
    character: (a, b) => L.who[a] - L.who[b],
    long: (a, b) => L.length[b] - L.length[a],
    noisy: (a, b) => (noise(a) === noise(b) ? 0 : noise(a) - noise(b)),
  }[controls.order.value];
  order = Array.from(items, (_, i) => i).sort((a, b) => by(a, b) || a - b);
  $("ol.lines").append(...order.map((i) => items[i]));
  $("ol.lines").classList.toggle("by-time", controls.order.value === "time");
}

function showAll() {
  for (const name of ["search", "episode", "character", "verdict"]) if (controls[name]) controls[name].value = "";
  range = null;
  filter();
}

// The next line (or the one before) that is shown, in the order of the list; null at the end.
function neighbour(i, direction) {
  for (let at = (i < 0 ? (direction > 0 ? -1 : N) : order.indexOf(i)) + direction; at >= 0 && at < N; at += direction) {
    if (!items[order[at]].hidden) return order[at];
  }
  return null;
}

// Make a line the current one: the only one of the list that the Tab key stops at.
function select(i, { scroll = "center", focus = false } = {}) {
  if (items[i].hidden) showAll();
  if (current >= 0) mark(current, false);
  current = i;
  mark(i, true);
  if (scroll === "center" || isFarFrom(items[i])) items[i].scrollIntoView({ block: scroll });
  if (focus) $("button", items[i])?.focus({ preventScroll: true });
  if (!now.playing) {
    showNow(i);
    $("#now-time").value = clock(L.start[i], true);
  }
  tell("current", i);
}

function mark(i, isCurrent) {
  items[i].classList.toggle("current", isCurrent);
  if (isCurrent) items[i].setAttribute("aria-current", "true");
  else items[i].removeAttribute("aria-current");
  for (const button of items[i].children) if (button.tagName === "BUTTON") button.tabIndex = isCurrent ? 0 : -1;
}

// Playing from the timeline or a portrait should not throw the reader down to the list.
function isFarFrom(item) {
  const list = $("#lines").getBoundingClientRect();
  return list.top < innerHeight / 2 && item.offsetParent !== null;
}

function step(direction) {
  const next = neighbour(current, direction);
  if (next === null) return;
  const inList = document.activeElement.closest?.(".line");
  if (now.playing) playLine(next);
  else select(next, { scroll: "nearest", focus: Boolean(inList) });
}

// Details, made when they are asked for
function details(i) {
  const item = items[i];
  const button = $(".more", item);
  const open = button.getAttribute("aria-expanded") !== "true";
  button.setAttribute("aria-expanded", String(open));
  item.classList.toggle("is-open", open);
  const panel = $(".panel", item);
  if (panel) panel.hidden = !open;
  else item.append(makePanel(i));
}

function makePanel(i) {
  const panel = make("div", { className: "panel" });
  const evidence = make("ul", { className: "evidence" });
  const said = L.evidence[i];
  for (let k = 0; k < said.length; k += 3) {
    const name = D.names[said[k + 1]];
    const bar = make("i");
    bar.style.width = `${100 * clamp(said[k + 2], 0, 1)}%`;
    const row = make(
      "li", {},
      make("span", { className: "source", textContent: D.sources[said[k]] }),
      make("bdi", { textContent: name }),
      make("span", { className: "weight" }, bar),
      make("span", { textContent: said[k + 2].toFixed(2) }),
    );
    paint(row, speakerNamed.get(name));
    evidence.append(row);
  }
  panel.append(said.length ? evidence : make("p", { textContent: "Nothing speaks for a name." }));
  const facts = [`${clock(L.start[i], true)} to ${clock(endOf(i), true)}, ${(L.length[i] / 1000).toFixed(1)} s`];
  if (L.voice[i] !== null) facts.push(`voice ${D.voices[L.voice[i]]}`);
  if (L.snr[i] !== null) facts.push(`${L.snr[i].toFixed(0)} dB over the background`);
  if (L.quality[i] !== null) facts.push(`quality ${L.quality[i].toFixed(2)}`);
  if (L.overlap[i]) facts.push(`${L.overlap[i]} % overlapped by another voice`);
  const meta = make("p", { className: "small" }, make("bdi", { textContent: facts.join(" · ") }), " · ");
  meta.append(make("code", {}, make("bdi", { textContent: L.id[i] })));
  if (clipOf(i)) meta.append(" · ", make("a", { href: clipOf(i), textContent: "clip" }));
  panel.append(meta);
  if (isCorpus) panel.append(make("p", { className: "small" }, linkToEpisode(i)));
  else panel.append(correctionForm(i));
  return panel;
}

function linkToEpisode(i) {
  const table = $$("table.episodes tbody a")[L.episode[i]];
  const href = `${table.getAttribute("href")}#line=${encodeURIComponent(L.id[i])}`;
  return make("a", { href, textContent: "Show it in the report of its episode" });
}

// A link to a line: "#l12" on this page, "#line=<id>" from another
function openLinked() {
  const id = location.hash.startsWith("#line=") ? decodeURIComponent(location.hash.slice(6)) : null;
  const number = /^#l(\d+)$/.exec(location.hash);
  const i = id === null ? number && positionOf.get(Number(number[1])) : L.id.indexOf(id);
  if (i !== null && i !== undefined && i >= 0) select(i);
}

// On a phone, six open portraits would be a long way to the rest.
if (innerWidth < 740) for (const portrait of $$(".portrait").slice(1)) portrait.open = false;

if (N) {
  $("#search").addEventListener("input", filter);
  for (const name of ["episode", "character", "verdict"]) controls[name]?.addEventListener("change", filter);
  controls.order.addEventListener("change", arrange);
  $("#reset").addEventListener("click", showAll);
  $("#range").addEventListener("click", () => ((range = null), filter()));
  $("ol.lines").addEventListener("click", (event) => {
    const item = event.target.closest(".line");
    if (!item) return;
    const i = positionOf.get(Number(item.id.slice(1)));
    if (event.target.closest(".more")) {
      select(i, { scroll: "nearest" });
      details(i);
    } else if (!event.target.closest("button, a, input, label, .panel") && !String(getSelection())) {
      select(i, { scroll: "nearest" });
    }
  });
  $("ol.lines").addEventListener("focusin", (event) => {
    const i = positionOf.get(Number(event.target.closest(".line").id.slice(1)));
    if (i !== current) select(i, { scroll: "nearest" });
  });
  for (const bar of $$(".histogram button")) {
    bar.addEventListener("click", () => {
      range = [Number(bar.dataset.low), Number(bar.dataset.high)];
      filter();
      $("#lines").scrollIntoView();
      $("#range").focus({ preventScroll: true });
    });
  }
  for (const button of $$("[data-filter]")) {
    button.addEventListener("click", () => {
      showAll();
      controls.character.value = button.dataset.filter;
      filter();
      $("#lines").scrollIntoView();
      controls.character.focus({ preventScroll: true });
    });
  }
  for (const link of $$("[data-line]")) {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      select(positionOf.get(Number(link.dataset.line)), { focus: true });
    });
  }
}
