// One sound at a time: a line's clip, or a stretch of an episode's mix or vocals.
const audio = $("#audio");
const now = { playing: false, line: null, episode: 0, base: 0, from: 0, until: Infinity, button: null };
let current = -1;

const wantedSound = () => $("input[name=sound]:checked").value;
const positionMs = () => now.base + 1000 * audio.currentTime;

// The file to play: [url, time of its first sample on the episode's clock].
function sourceOfLine(i, sound) {
  const episode = D.episodes[L.episode[i]];
  const clip = clipOf(i) && [clipOf(i), L.start[i]];
  const whole = (url) => url && [url, 0];
  return sound === "mix" ? whole(episode.mix) || clip : clip || whole(episode.vocals);
}

function playLine(i, from = null) {
  select(i, { scroll: "nearest" });
  const source = sourceOfLine(i, wantedSound());
  if (!source) return say("This line has no clip.");
  const isWhole = source[1] === 0 && source[0] !== clipOf(i);
  start(source, {
    line: i,
    episode: L.episode[i],
    from: from ?? L.start[i],
    until: isWhole ? endOf(i) : Infinity,
    button: $(".play", items[i]),
  });
}

function playStretch(episode, from, until = Infinity, sound = wantedSound(), button = null) {
  const { mix, vocals } = D.episodes[episode];
  const url = sound === "mix" ? mix || vocals : vocals || mix;
  if (!url) return say("There is no sound file beside this report.");
  start([url, 0], { line: null, episode, from, until, button });
}

function start([url, base], facts) {
  stop();
  Object.assign(now, facts, { playing: true, base });
  say("");
  $("#player").hidden = false;
  if (audio.getAttribute("src") !== url) audio.src = url;
  const begin = () => {
    const at = Math.max(0, (now.from - now.base) / 1000);
    if (Math.abs(audio.currentTime - at) > 0.005) audio.currentTime = at;
  };
  if (audio.readyState) begin();
  else audio.addEventListener("loadedmetadata", begin, { once: true });
  audio.play().then(follow, (reason) => reason.name === "AbortError" || fail());
  showPlaying();
}

function stop() {
  audio.pause();
  if (now.button) now.button.style.removeProperty("--p");
  now.playing = false;
  showPlaying();
  now.button = null;
}

function fail() {
  now.button?.classList.add("broken");
  const file = decodeURIComponent(audio.getAttribute("src") || "").replace(/^\.\//, "");
  stop();
  say(`This browser cannot play ${file}. Is the folder beside this report?`);
}

function finished() {
  const { line } = now;
  stop();
  if (line === null || !$("#play-on").checked) return;
  const next = neighbour(line, 1);
  if (next !== null) playLine(next);
}

function follow() {
  if (!now.playing) return;
  const at = positionMs();
  if (at >= now.until || audio.ended) return finished();
  const end = Number.isFinite(now.until) ? now.until : now.base + 1000 * (audio.duration || 1);
  const share = clamp((at - now.from) / Math.max(1, end - now.from), 0, 1);
  now.button?.style.setProperty("--p", share);
  $(".player-progress i").style.width = `${100 * share}%`;
  $("#now-time").value = clock(at, true);
  tell("position", now.episode, at);
  requestAnimationFrame(follow);
}

function say(message) {
  if (message) $("#player").hidden = false;
  $(".player-message").textContent = message;
  $("#player").classList.toggle("has-message", Boolean(message));
}

function showPlaying() {
  for (const button of $$(".play[aria-pressed=true]")) button.setAttribute("aria-pressed", "false");
  if (now.playing) now.button?.setAttribute("aria-pressed", "true");
  $("#toggle").setAttribute("aria-pressed", String(now.playing));
  $("#toggle").setAttribute("aria-label", now.playing ? "Stop" : "Play");
  document.documentElement.classList.toggle("is-playing", now.playing);
  if (now.line !== null) showNow(now.line);
  else if (now.playing) showNow(null);
}

function showNow(i) {
  $("#now-who").textContent = i === null ? D.episodes[now.episode].name : nameOf(i);
  $("#now-text").textContent = i === null ? "" : textOf(i);
  $("#now-who").className = "who";
  paint($("#now-who"), i === null ? null : D.speakers[L.who[i]]);
}

function toggle() {
  if (now.playing) stop();
  else if (current >= 0) playLine(current);
  else if (N) playLine(neighbour(-1, 1) ?? 0);
}

function changeSound() {
  if (!now.playing) return;
  const at = positionMs();
  if (now.line === null) playStretch(now.episode, at, now.until);
  else playLine(now.line, clamp(at, L.start[now.line], endOf(now.line)));
}

audio.addEventListener("ended", () => now.playing && finished());
audio.addEventListener("timeupdate", () => now.playing && positionMs() >= now.until && finished()); // a window out of sight draws no frames
audio.addEventListener("error", () => now.playing && fail());
$("#toggle").addEventListener("click", toggle);
$("#previous").addEventListener("click", () => step(-1));
$("#next").addEventListener("click", () => step(1));
for (const choice of $$("input[name=sound]")) choice.addEventListener("change", changeSound);
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-play], [data-sound]");
  if (!button) return;
  if (now.playing && now.button === button) return stop();
  if (button.dataset.sound) {
    return playStretch(0, Number(button.dataset.from), Number(button.dataset.until), button.dataset.sound, button);
  }
  playLine(positionOf.get(Number(button.dataset.play)));
  if (now.playing && now.button !== button) {
    now.button = button; // the same line in a portrait
    showPlaying();
  }
});
