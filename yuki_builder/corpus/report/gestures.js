// Hands on the timeline: pointers, wheel, keys.
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

function blockAtCursor() {
  const isHere = (block) =>
    block.line !== null && L.episode[block.line] === cursor.episode && block.from <= cursor.ms && cursor.ms < block.to;
  for (const lane of lanes) {
    const found = lane.blocks.find(isHere);
    if (found) return found;
  }
  return null;
}

function describe(ms, block) {
  if (!block || block.line === null) return clock(ms, true);
  const i = block.line;
  return `${clock(L.start[i], true)} ${nameOf(i)} (${D.verdicts[L.verdict[i]]}): ${textOf(i)}`;
}

const tip = stage && $(".tip", box);
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

function panBy(px) {
  const span = view.to - view.from;
  show(view.from + (px / width) * span, span);
}

function setUpTimeline() {
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
      panBy(before[0] - px);
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
    else if (Math.abs(sideways) > Math.abs(event.shiftKey ? 0 : event.deltaY)) panBy(sideways);
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
        const here = blockAtCursor();
        if (here) playLine(here.line);
        else playStretch(cursor.episode, cursor.ms);
      }
    } else return;
    event.preventDefault();
    const here = blockAtCursor();
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
  show(0, whole);
}

if (stage) setUpTimeline();
