// Hearing a line, in the vocals or in the mix, and its waveform, on which its start and end can be dragged.
import { $, $$, ask, on, say, state, tell } from "./core.js";
import { t } from "./words.js";

const audio = $("#audio");
const canvas = $("#wave");
const AROUND_MS = 1500;
let until = Infinity;
let plays = 0; // a sound that is still loading begins with what was asked for last
let heard = null; // the waveform: {from, to, peaks}
let drag = null;

export function play(row = state.details, { from = null, to = null } = {}) {
  if (!row) return;
  const signal = soundOf(row);
  if (!signal) return say(t("no_sound"), true);
  const url = `/sound/${signal}/${encodeURIComponent(row.episode)}`;
  const times = row === state.details ? shownTimes() : row;
  const start = (from ?? times.start) / 1000;
  until = (to ?? times.end) / 1000;
  if (audio.getAttribute("src") !== url) audio.src = url;
  const mine = ++plays;
  const begin = () => {
    if (mine !== plays) return;
    audio.currentTime = start;
    audio.play().then(follow, () => showPlaying());
  };
  if (audio.readyState) begin();
  else audio.addEventListener("loadedmetadata", begin, { once: true });
}

function soundOf(row) {
  const there = row.sound ?? state.details?.sound ?? {};
  const other = state.signal === "mix" ? "vocals" : "mix";
  return there[state.signal] ? state.signal : there[other] ? other : null;
}

export async function playAround() {
  await state.loading;
  const near = state.details?.neighbours ?? [];
  if (!near.length) return;
  const place = near.findIndex((row) => row.id === state.details.id);
  const first = near[Math.max(0, place - 1)];
  const last = near[Math.min(near.length - 1, place + 1)];
  play(state.details, { from: Math.min(first.start, shownTimes().start), to: Math.max(last.end, shownTimes().end) });
}

export function stop() {
  plays++;
  audio.pause();
}
// Keys may be faster than the network: what is heard is the line that was chosen.
export async function playChosen() {
  await state.loading;
  play();
}
export const toggle = () => (audio.paused ? playChosen() : stop());

export function otherSignal(signal = state.signal === "mix" ? "vocals" : "mix") {
  state.signal = signal;
  for (const choice of $$("input[name=signal]")) choice.checked = choice.value === signal;
  loadWave();
  playChosen();
}

function follow() {
  showPlaying();
  endInTime();
  draw();
  if (!audio.paused) requestAnimationFrame(follow);
}

function endInTime() {
  if (!audio.paused && audio.currentTime >= until) audio.pause();
}

function showPlaying() {
  $("#play").textContent = t(audio.paused ? "play" : "stop");
}

export const shownTimes = () => state.times ?? { start: state.details.start, end: state.details.end };

export async function loadWave() {
  const line = state.details;
  heard = null;
  draw();
  if (!line || !soundOf(line)) return;
  const from = Math.max(0, line.start - AROUND_MS);
  try {
    const found = await ask(`/api/wave/${encodeURIComponent(line.episode)}`, { from, to: Math.min(line.end + AROUND_MS, from + 120000), bins: 400, signal: soundOf(line) });
    if (line === state.details) heard = found;
  } catch {
    heard = null; // the line can be decided without its picture
  }
  draw();
}

function draw() {
  const scale = devicePixelRatio || 1;
  const [width, height] = [canvas.clientWidth * scale, canvas.clientHeight * scale];
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const pen = canvas.getContext("2d");
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name);
  pen.clearRect(0, 0, width, height);
  if (!heard || !state.details) return;
  const x = (ms) => ((ms - heard.from) / (heard.to - heard.from)) * width;
  const { start, end } = shownTimes();
  pen.fillStyle = colour("--raised");
  pen.fillRect(x(start), 0, x(end) - x(start), height);
  const step = (heard.to - heard.from) / 400;
  heard.peaks.forEach((peak, k) => {
    const at = heard.from + k * step;
    pen.fillStyle = at >= start && at < end ? colour("--focus") : colour("--unknown");
    const tall = Math.max(scale, Math.sqrt(peak) * height * 0.95);
    pen.fillRect(x(at), (height - tall) / 2, Math.max(scale, x(at + step) - x(at) - scale * 0.4), tall);
  });
  pen.fillStyle = colour("--ink");
  for (const ms of [start, end]) pen.fillRect(x(ms) - scale, 0, 2 * scale, height);
  const now = audio.currentTime * 1000;
  pen.fillStyle = colour("--doubtful");
  if (!audio.paused && now >= heard.from && now <= heard.to) pen.fillRect(x(now) - scale, 0, 2 * scale, height);
}

const timeAt = (event) => Math.round(heard.from + (event.offsetX / canvas.clientWidth) * (heard.to - heard.from));
canvas.addEventListener("pointerdown", (event) => {
  if (!heard) return;
  const { start, end } = shownTimes();
  const at = timeAt(event);
  drag = Math.abs(at - start) < Math.abs(at - end) ? "start" : "end";
  canvas.setPointerCapture(event.pointerId);
  setTimes({ [drag]: at });
});
canvas.addEventListener("pointermove", (event) => drag && heard && setTimes({ [drag]: timeAt(event) }));
canvas.addEventListener("pointerup", () => (drag = null));

export function setTimes(change) {
  const times = { ...shownTimes(), ...change };
  if (times.start < 0 || times.end - times.start < 20) return;
  state.times = times;
  draw();
  tell("times");
}

audio.addEventListener("pause", showPlaying);
audio.addEventListener("timeupdate", endInTime); // a window that is out of sight draws no frames
$("#play").addEventListener("click", toggle);
$("#play-around").addEventListener("click", playAround);
for (const choice of $$("input[name=signal]")) choice.addEventListener("change", () => otherSignal(choice.value));
addEventListener("resize", draw);
on("chosen", ({ play: wanted }) => {
  loadWave();
  // Where there is none, only who asks for it is told: what was decided stays to be read.
  if (wanted && $("#autoplay").checked && soundOf(state.details)) play();
});
on("times", draw);
on("theme", draw);
on("language", showPlaying);
