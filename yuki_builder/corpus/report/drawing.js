// The timeline's canvas and the strip below it. Colours are the style sheet's, so that both themes fit.
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
      const [y, tall] = isCorpus ? [3 + (k * (h - 6)) / lanes.length, Math.max(1, (h - 6) / lanes.length - 1)] : [6, h - 12];
      g.fillRect((block.from / whole) * w, y, Math.max(1, ((block.to - block.from) / whole) * w), tall);
    }
  });
  const [left, right] = [view.from, view.to].map((ms) => (ms / whole) * w);
  g.strokeStyle = colours.focus;
  g.lineWidth = 2;
  g.strokeRect(left + 1, 1, Math.max(4, right - left - 2), h - 2);
  g.fillStyle = colours.focus;
  g.fillRect((cursor.ms / whole) * w - 1, 0, 2, h);
}
