// Who speaks when: lanes under the waveforms, on a canvas, with a strip below that shows where in the whole it is.
const LANE = 22;
const WAVE = 54;
const AXIS = 22;
const SHORTEST_VIEW_MS = 2000;
const stage = $("#timeline");
const box = stage && $(".canvas", stage);
const view = { from: 0, to: 1 };
let zoomBy = () => {};
let zoomFit = () => {};

function decodePeaks(text) {
  return text ? Uint8Array.from(atob(text), (c) => c.charCodeAt(0)) : null;
}

// One block per line, or per turn where there are no lines; lanes are characters, voices or episodes.
function makeLanes() {
  if (N === 0) {
    const colours = D.turns.names.map((_, k) => [Math.round((255 + k * 137.508) % 360), Math.floor(k / 8) % 3]);
    return D.turns.names.map((name, lane) => ({
      name,
      colour: colours[lane],
      blocks: D.turns.who.flatMap((who, k) =>
        who === lane ? [{ from: D.turns.start[k], to: D.turns.start[k] + D.turns.length[k], who: null, verdict: 0, line: null }] : [],
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

function setUpTimeline() {
  const lanes = makeLanes();
  const whole = Math.max(...D.episodes.map((episode) => episode.ms));
  const waves = D.peaks && !isCorpus ? [["Mix", decodePeaks(D.peaks.mix), "mix"], ["Voice", decodePeaks(D.peaks.vocals), "voice"]].filter((wave) => wave[1]) : [];
  if (D.speech.length && !isCorpus) {
    const blocks = [];
    for (let k = 0; k < D.speech.length; k += 2) blocks.push({ from: D.speech[k], to: D.speech[k] + D.speech[k + 1], who: null, verdict: 0, line: null });
    lanes.push({ name: "any voice", colour: null, blocks });
  }
  const canvas = $("canvas", box);
  const strip = $(".overview canvas", stage);
  const lanesTop = AXIS + waves.length * WAVE;
  const height = lanesTop + lanes.length * LANE + 4;
  let cursor = { episode: 0, ms: 0 };
  let colours = {};
  let width = 0;
  let waiting = false;

  const x = (ms) => ((ms - view.from) / (view.to - view.from)) * width;
  const msAt = (px) => view.from + (px / width) * (view.to - view.from);
  const laneAt = (py) => (py >= lanesTop ? Math.floor((py - lanesTop) / LANE) : -1);

  function readColours() {
    const probe = make("i", { className: "own", hidden: false });
    stage.append(probe);
    const style = getComputedStyle(probe);
    const own = (colour) => {
      paint(probe, { colour });
      probe.style.color = "var(--own)";
      return style.color;
    };
    const named = (name) => {
      probe.style.color = `var(--${name})`;
      return style.color;
    };
    colours = {
      who: D.speakers.map((speaker) => own(speaker.colour)),
      lanes: lanes.map((lane) => own(lane.colour)),
      ...Object.fromEntries(["ink", "soft", "rule", "track", "focus", "paper", "raised"].map((name) => [name, named(name)])),
    };
    probe.remove();
  }

  function prepare(target, w, h) {
    const scale = devicePixelRatio || 1;
    if (target.width !== Math.round(w * scale) || target.height !== Math.round(h * scale)) {
      target.width = Math.round(w * scale);
      target.height = Math.round(h * scale);
      target.style.height = `${h}px`;
    }
    const g = target.getContext("2d");
    g.setTransform(scale, 0, 0, scale, 0, 0);
    g.clearRect(0, 0, w, h);
    return g;
  }

  function draw() {
    waiting = false;
    width = box.clientWidth;
    if (!width) return;
    const g = prepare(canvas, width, height);
    drawAxis(g);
    waves.forEach(([, peaks, sound], k) => drawWave(g, peaks, AXIS + k * WAVE, sound === "voice" ? colours.ink : colours.soft));
    lanes.forEach((lane, k) => drawLane(g, lane, k));
    drawCursor(g);
    drawStrip();
  }

  function drawAxis(g) {
    const steps = [0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200].map((s) => 1000 * s);
    const every = steps.find((s) => x(view.from + s) > 74) ?? 14400000;
    g.font = `12px ${getComputedStyle(document.body).fontFamily}`;
    g.textBaseline = "middle";
    for (let t = Math.ceil(view.from / every) * every; t <= view.to; t += every) {
      const at = Math.round(x(t)) + 0.5;
      g.fillStyle = colours.rule;
      g.fillRect(at - 0.5, 4, 1, height);
      g.fillStyle = colours.soft;
      if (at < width - 40) g.fillText(clock(t, every < 1000), at + 5, AXIS / 2);
    }
    if (view.to - view.from < 400000) {
      // Where scenes start, once there is room to tell them from the grid
      g.fillStyle = colours.soft;
      for (const start of D.scenes) if (start >= view.from && start <= view.to) g.fillRect(x(start) - 1, AXIS, 1, height);
    }
  }

  function drawWave(g, peaks, top, colour) {
    const half = WAVE / 2 - 3;
    const middle = top + WAVE / 2;
    g.fillStyle = colour;
    for (let px = 0; px < width; px++) {
      const first = Math.max(0, Math.floor(msAt(px) / D.peaks.ms));
      const last = Math.min(peaks.length, Math.max(first + 1, Math.ceil(msAt(px + 1) / D.peaks.ms)));
      let loudest = 0;
      for (let k = first; k < last; k++) if (peaks[k] > loudest) loudest = peaks[k];
      // The bytes hold the root of the amplitude; a little of the contrast comes back for the eye.
      const tall = Math.max(0.5, half * (loudest / 127) ** 1.4);
      if (first < peaks.length) g.fillRect(px, middle - tall, 1, 2 * tall);
    }
  }

  function drawLane(g, lane, k) {
    const top = lanesTop + k * LANE;
    g.fillStyle = colours.rule;
    g.fillRect(0, top + LANE - 1, width, 1);
    const [y, h] = [top + 4, LANE - 9];
    for (const block of lane.blocks) {
      if (block.to < view.from || block.from > view.to) continue;
      const left = x(block.from);
      const w = Math.max(1.5, x(block.to) - left);
      const colour = block.who === null ? colours.lanes[k] : colours.who[block.who];
      g.globalAlpha = block.line !== null && items[block.line].hidden ? 0.15 : 1; // the filters of the list count here too
      drawBlock(g, left, y, w, h, colour, block.verdict);
      if (block.line !== null && block.line === current) {
        g.strokeStyle = colours.ink;
        g.lineWidth = 2;
        g.strokeRect(left - 2, y - 2, w + 4, h + 4);
      }
    }
    g.globalAlpha = 1;
  }

  // Certain is full, doubtful is striped, unknown is an outline: told apart without colour.
  function drawBlock(g, left, y, w, h, colour, verdict) {
    g.fillStyle = g.strokeStyle = colour;
    if (verdict === 0) return g.fillRect(left, y, w, h);
    g.lineWidth = 1;
    if (w > 3) g.strokeRect(left + 0.5, y + 0.5, w - 1, h - 1);
    if (verdict === 2) return w > 3 ? undefined : g.fillRect(left, y + h / 2 - 1, w, 3);
    if (w <= 3) return g.fillRect(left, y, w, h / 2);
    g.save();
    g.beginPath();
    g.rect(left, y, w, h);
    g.clip();
    g.lineWidth = 2;
    g.beginPath();
    const from = Math.max(left - h, -h);
    for (let s = from - (from % 6); s < Math.min(left + w, width); s += 6) {
      g.moveTo(s, y + h);
      g.lineTo(s + h, y);
    }
    g.stroke();
    g.restore();
  }

  function drawCursor(g) {
    const at = x(cursor.ms);
    if (at < -2 || at > width + 2) return;
    const top = isCorpus ? lanesTop + cursor.episode * LANE : AXIS - 6;
    g.fillStyle = colours.focus;
    g.fillRect(at - 1, top, 2, isCorpus ? LANE - 1 : height);
    if (!isCorpus) {
      g.beginPath();
      g.moveTo(at - 5, AXIS - 8);
      g.lineTo(at + 5, AXIS - 8);
      g.lineTo(at, AXIS - 1);
      g.fill();
    }
  }

  function drawStrip() {
    const [w, h] = [strip.parentElement.clientWidth, 26];
    const g = prepare(strip, w, h);
    g.fillStyle = colours.track;
    g.fillRect(0, 0, w, h);
    lanes.forEach((lane, k) => {
      if (!isCorpus && lane.name === "any voice" && N) return;
      for (const block of lane.blocks) {
        g.fillStyle = block.who === null ? colours.lanes[k] : colours.who[block.who];
        const y = isCorpus ? 3 + (k * (h - 6)) / lanes.length : 6;
        g.fillRect((block.from / whole) * w, y, Math.max(1, ((block.to - block.from) / whole) * w), isCorpus ? Math.max(1, (h - 6) / lanes.length - 1) : h - 12);
      }
    });
    const [left, right] = [view.from, view.to].map((ms) => (ms / whole) * w);
    g.strokeStyle = colours.focus;
    g.lineWidth = 2;
    g.strokeRect(left + 1, 1, Math.max(4, right - left - 2), h - 2);
    g.fillStyle = colours.focus;
    g.fillRect((cursor.ms / whole) * w - 1, 0, 2, h);
  }

  function redraw() {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(draw);
  }

  function show(from, length) {
    const span = clamp(length, Math.min(SHORTEST_VIEW_MS, whole), whole);
    view.from = clamp(from, 0, whole - span);
    view.to = view.from + span;
    $("#zoom-fit").disabled = $("#zoom-out").disabled = span >= whole;
    redraw();
  }
  const zoomAround = (ms, factor) => show(ms - (ms - view.from) * factor, (view.to - view.from) * factor);
  zoomBy = (factor) => zoomAround(cursor.ms >= view.from && cursor.ms <= view.to ? cursor.ms : (view.from + view.to) / 2, factor);
  zoomFit = () => show(0, whole);
  function keepInView(ms, length = 0) {
    const span = view.to - view.from;
    if (ms < view.from || ms + Math.min(length, span) > view.to) show(ms - span / 5, span);
    else redraw();
  }

  // From a place on the canvas to what lies there
  function hit(px, py) {
    const lane = lanes[laneAt(py)];
    if (!lane) return null;
    const near = 3 / (width / (view.to - view.from));
    const ms = msAt(px);
    let best = null;
    for (const block of lane.blocks) {
      const away = Math.max(block.from - ms, ms - block.to, 0);
      if (away <= near && (!best || away < best.away)) best = { away, block };
    }
    return best && best.block;
  }

  function playAt(px, py) {
    const block = hit(px, py);
    const lane = clamp(laneAt(py), 0, lanes.length - 1);
    const ms = clamp(msAt(px), 0, whole);
    cursor = { episode: isCorpus ? lane : 0, ms };
    if (block && block.line !== null) return playLine(block.line);
    const wave = waves[Math.floor((py - AXIS) / WAVE)];
    playStretch(cursor.episode, block ? block.from : ms, Infinity, py < lanesTop && wave ? wave[2] : undefined);
    redraw();
  }

  function describe(ms, block) {
    if (!block || block.line === null) return clock(ms, true);
    const i = block.line;
    return `${clock(L.start[i], true)} ${nameOf(i)} (${D.verdicts[L.verdict[i]]}): ${textOf(i)}`;
  }

  const tip = $(".tip", box);
  function hover(px, py) {
    const block = hit(px, py);
    box.style.cursor = block ? "pointer" : "crosshair";
    tip.hidden = !block || block.line === null;
    if (tip.hidden) return;
    const i = block.line;
    const who = make("b", { className: "who" }, make("i", { className: "dot" }), make("bdi", { textContent: nameOf(i) }));
    paint(who, D.speakers[L.who[i]]);
    tip.replaceChildren(
      who,
      make("small", { textContent: ` ${clock(L.start[i], true)} · ${D.verdicts[L.verdict[i]]} ${(L.sure[i] / 1000).toFixed(2)}` }),
      make("p", { dir: "auto", textContent: textOf(i) }),
    );
    tip.style.left = `${clamp(px - 120, 0, Math.max(0, width - tip.offsetWidth))}px`;
    tip.style.top = `${py + 18}px`;
  }

  // Pointers: a click plays, a drag moves, two fingers zoom
  const pointers = new Map();
  let dragged = false;
  const at = (event) => {
    const r = canvas.getBoundingClientRect();
    return [event.clientX - r.left, event.clientY - r.top];
  };
  box.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    pointers.set(event.pointerId, at(event));
    dragged = pointers.size > 1;
    tip.hidden = true;
  });
  box.addEventListener("pointermove", (event) => {
    const [px, py] = at(event);
    const before = pointers.get(event.pointerId);
    if (!before) return event.pointerType === "mouse" && hover(px, py);
    if (pointers.size === 2) {
      const other = [...pointers].find(([id]) => id !== event.pointerId)[1];
      const [was, is] = [Math.abs(before[0] - other[0]), Math.abs(px - other[0])];
      if (was > 8 && is > 8) zoomAround(msAt(other[0]), was / is);
      pointers.set(event.pointerId, [px, py]);
    } else if (dragged || Math.abs(px - before[0]) > 4) {
      if (!dragged) box.setPointerCapture(event.pointerId);
      dragged = true;
      show(view.from - ((px - before[0]) / width) * (view.to - view.from), view.to - view.from);
      pointers.set(event.pointerId, [px, py]);
    }
  });
  for (const end of ["pointerup", "pointercancel"]) {
    box.addEventListener(end, (event) => {
      const wasClick = pointers.delete(event.pointerId) && !dragged && end === "pointerup";
      if (wasClick) playAt(...at(event));
    });
  }
  box.addEventListener("pointerleave", () => (tip.hidden = true));
  box.addEventListener("wheel", (event) => {
    const sideways = event.shiftKey ? event.deltaY : event.deltaX;
    if (event.ctrlKey || event.metaKey) zoomAround(msAt(at(event)[0]), Math.exp(clamp(event.deltaY, -60, 60) / 90));
    else if (Math.abs(sideways) > Math.abs(event.shiftKey ? 0 : event.deltaY)) show(view.from + (sideways / width) * (view.to - view.from), view.to - view.from);
    else return; // the page scrolls
    event.preventDefault();
  }, { passive: false });
  const move = (event) => {
    const r = strip.getBoundingClientRect();
    const span = view.to - view.from;
    show(((event.clientX - r.left) / r.width) * whole - span / 2, span);
  };
  strip.addEventListener("pointerdown", (event) => (strip.setPointerCapture(event.pointerId), move(event)));
  strip.addEventListener("pointermove", (event) => strip.hasPointerCapture(event.pointerId) && move(event));

  box.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const span = view.to - view.from;
    const turn = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (turn && event.shiftKey) {
      const next = neighbour(current, turn);
      if (next !== null) select(next, { scroll: "nearest" });
    } else if (turn) {
      cursor.ms = clamp(cursor.ms + (turn * span) / 50, 0, whole);
      keepInView(cursor.ms);
    } else if (isCorpus && (event.key === "ArrowUp" || event.key === "ArrowDown")) {
      cursor.episode = clamp(cursor.episode + (event.key === "ArrowUp" ? -1 : 1), 0, D.episodes.length - 1);
      redraw();
    } else if (event.key === "Home") zoomFit();
    else if (event.key === " " || event.key === "Enter") {
      if (now.playing) stop();
      else {
        const here = lanes.flatMap((lane) => lane.blocks).find((block) => block.line !== null && L.episode[block.line] === cursor.episode && block.from <= cursor.ms && cursor.ms < block.to);
        if (here) playLine(here.line);
        else playStretch(cursor.episode, cursor.ms);
      }
    } else return;
    event.preventDefault();
    const here = lanes.flatMap((lane) => lane.blocks).find((block) => block.line !== null && L.episode[block.line] === cursor.episode && block.from <= cursor.ms && cursor.ms < block.to);
    $("#timeline-says").value = describe(cursor.ms, here);
  });

  on("position", (episode, ms) => {
    cursor = { episode, ms };
    keepInView(ms);
  });
  on("current", (i) => {
    if (!now.playing) cursor = { episode: L.episode[i], ms: L.start[i] };
    keepInView(L.start[i], L.length[i]);
  });
  on("shown", redraw);
  on("theme", () => {
    readColours();
    redraw();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => tell("theme"));
  new ResizeObserver(redraw).observe(box);
  $("#zoom-in").addEventListener("click", () => zoomBy(0.5));
  $("#zoom-out").addEventListener("click", () => zoomBy(2));
  $("#zoom-fit").addEventListener("click", zoomFit);

  const names = $(".lane-names", stage);
  names.style.paddingTop = `${AXIS}px`;
  for (const [name] of waves) names.append(make("span", { className: "wave-name", textContent: name }));
  lanes.forEach((lane) => {
    const label = make("span", { title: lane.name }, make("i", { className: "dot" }), make("bdi", { textContent: lane.name }));
    paint(label, { colour: lane.colour });
    if (isCorpus) $(".dot", label).remove();
    names.append(label);
  });
  // Whoever opens the page sees enough to read: all of a short film, the first minutes of a long one.
  show(0, whole);
}

if (stage) setUpTimeline();
