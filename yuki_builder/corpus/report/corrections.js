// Corrections of who says a line, saved as the annotated table that the next run takes with --characters.
const corrections = new Map(); // position of the line -> name
const correctionsKey = `corrections of ${location.pathname}`;

function correctionForm(i) {
  const box = make("input", { type: "text", placeholder: "Who says it?", autocomplete: "off" });
  box.setAttribute("list", "names");
  box.setAttribute("aria-label", `Who says line ${L.number[i]}?`);
  const form = make("form", { className: "correct" }, box, make("button", { className: "plain", textContent: "Correct" }));
  if (D.speakers[L.who[i]].known) {
    const right = make("button", { type: "button", className: "plain", textContent: "✓ Right as it is" });
    right.addEventListener("click", () => correct(i, nameOf(i)));
    form.append(right);
  }
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const name = box.value.trim();
    if (name) correct(i, name);
  });
  return form;
}

function correct(i, name) {
  corrections.set(i, name);
  showCorrection(i);
  keepCorrections();
}

function showCorrection(i) {
  const name = corrections.get(i);
  $(".corrected", items[i])?.remove();
  items[i].classList.toggle("is-corrected", name !== undefined);
  if (name === undefined) return;
  const label = make("span", { className: "corrected" }, name === nameOf(i) ? "✓ confirmed" : "✎ ");
  if (name !== nameOf(i)) label.append(make("bdi", { textContent: name }));
  $(".who", items[i]).append(label);
}

function keepCorrections() {
  const count = corrections.size;
  $("#corrections").hidden = !count;
  $("#corrections span").textContent = count === 1 ? "1 line corrected or confirmed." : `${count} lines corrected or confirmed.`;
  const pairs = [...corrections].map(([i, name]) => [L.id[i], name]);
  memory.set(correctionsKey, count ? JSON.stringify(pairs) : null);
}

function annotatedCsv() {
  const cell = (text) => `"${String(text).replaceAll('"', '""')}"`;
  const time = (ms) => {
    const part = (n, digits) => String(Math.floor(n)).padStart(digits, "0");
    return `${Math.floor(ms / 3600000)}:${part((ms / 60000) % 60, 2)}:${part((ms / 1000) % 60, 2)}.${part(ms % 1000, 3)}`;
  };
  const rows = [...corrections.keys()]
    .sort((a, b) => a - b)
    .map((i) => [corrections.get(i), textOf(i), time(L.start[i]), time(endOf(i))].map(cell).join(","));
  // The byte order mark lets spreadsheets show Chinese and Japanese.
  return `\ufeff人物,人物台词,开始时间,结束时间\r\n${rows.join("\r\n")}\r\n`;
}

function saveCorrections() {
  const url = URL.createObjectURL(new Blob([annotatedCsv()], { type: "text/csv" }));
  const name = D.episodes[0].name.replace(/[\u0000-\u001f\\/:*?"<>|]/g, "_");
  make("a", { href: url, download: `${name}-labels.csv` }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

function recallCorrections() {
  let pairs = [];
  try {
    pairs = JSON.parse(memory.get(correctionsKey) ?? "[]");
  } catch {
    // Not ours, or cut short: then there is nothing to recall.
  }
  if (!Array.isArray(pairs)) return;
  for (const pair of pairs) {
    const i = Array.isArray(pair) ? L.id.indexOf(pair[0]) : -1;
    if (i < 0 || typeof pair[1] !== "string") continue;
    corrections.set(i, pair[1]);
    showCorrection(i);
  }
  if (corrections.size) keepCorrections();
}

if (N && !isCorpus) {
  recallCorrections();
  $("#save").addEventListener("click", saveCorrections);
  $("#discard").addEventListener("click", () => {
    const corrected = [...corrections.keys()];
    corrections.clear();
    corrected.forEach(showCorrection);
    keepCorrections();
  });
}
