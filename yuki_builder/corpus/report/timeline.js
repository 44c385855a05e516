// Who speaks when: lanes under the waveforms, on a canvas, with a strip below that shows where in the whole it is.
const LANE = 22;
const WAVE = 54;
const AXIS = 22;
const SHORTEST_VIEW_MS = 2000;
const stage = $("#timeline");
const box = stage && $(".canvas", stage);
const view = { from: 0, to: 1 };

function decodePeaks(text) {
  return text ? Uint8Array.from(atob(text), (c) => c.charCodeAt(0)) : null;
}

// A stretch that the sound alone tells of, without a line
const soundBlock = (from, length) => ({ from, to: from + length, who: null, verdict: 0, line: null });

// One block per line, or per turn where there are no lines; lanes are characters, voices or episodes.
function makeLanes() {
  if (N === 0) {
    const colours = D.turns.names.map((_, k) => [Math.round((255 + k * 137.508) % 360), Math.floor(k / 8) % 3]);
    return D.turns.names.map((name, lane) => ({
      name,
      colour: colours[lane],
      blocks: D.turns.who.flatMap((who, k) =>
        who === lane ? [soundBlock(D.turns.start[k], D.turns.length[k])] : [],
      ),
    }));
  }
  const lanes = (isCorpus ? D.episodes : D.speakers).map((of) => ({ name: of.name, colour: of.colour ?? null, blocks: [] }));
  for (let i = 0; i < N; i++) {
    const lane = lanes[isCorpus ? L.episode[i] : L.who[i]];
    lane.blocks.push({ from: L.start[i], to: endOf(i), who: L.who[i], verdict: L.verdict[i], line: i });
  }
  return lanes;
}

const lanes = stage ? makeLanes() : [];
const whole = Math.max(...D.episodes.map((episode) => episode.ms));
// [label, peaks, the sound that a click on them plays]; one of them where nothing was separated
const waves = [
  ["Mix", decodePeaks(D.peaks?.mix), "mix"],
  ["Voice", decodePeaks(D.peaks?.vocals), "voice"],
].filter((wave) => wave[1]);
if (stage && D.speech.length && !isCorpus) {
  const blocks = [];
  for (let k = 0; k < D.speech.length; k += 2) blocks.push(soundBlock(D.speech[k], D.speech[k + 1]));
  lanes.push({ name: "any voice", colour: null, blocks });
}
const canvas = stage && $("canvas", box);
const strip = stage && $(".overview canvas", stage);
const lanesTop = AXIS + waves.length * WAVE;
const height = lanesTop + lanes.length * LANE + 4;
let cursor = { episode: 0, ms: 0 };
let colours = {};
let width = 0;
let waiting = false;

const x = (ms) => ((ms - view.from) / (view.to - view.from)) * width;
const msAt = (px) => view.from + (px / width) * (view.to - view.from);
const laneAt = (py) => (py >= lanesTop ? Math.floor((py - lanesTop) / LANE) : -1);

function redraw() {
  if (waiting || !stage) return;
  waiting = true;
  requestAnimationFrame(draw);
}

function show(from, length) {
  if (!stage) return;
  const span = clamp(length, Math.min(SHORTEST_VIEW_MS, whole), whole);
  view.from = clamp(from, 0, whole - span);
  view.to = view.from + span;
  $("#zoom-fit").disabled = $("#zoom-out").disabled = span >= whole;
  redraw();
}
const zoomAround = (ms, factor) => show(ms - (ms - view.from) * factor, (view.to - view.from) * factor);
const zoomBy = (factor) => zoomAround(cursor.ms >= view.from && cursor.ms <= view.to ? cursor.ms : (view.from + view.to) / 2, factor);
const zoomFit = () => show(0, whole);
function keepInView(ms, length = 0) {
  const span = view.to - view.from;
  if (ms < view.from || ms + Math.min(length, span) > view.to) show(ms - span / 5, span);
  else redraw();
}
