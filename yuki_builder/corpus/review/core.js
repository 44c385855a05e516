// What all parts of the page share: the server, the state, and who wants to know of changes.
import { inWords, t } from "./words.js";

export const $ = (selector, root = document) => root.querySelector(selector);
export const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
export function make(tag, properties = {}, ...children) {
  const item = Object.assign(document.createElement(tag), properties);
  item.append(...children.filter((child) => child !== null && child !== undefined));
  return item;
}

export const state = {
  filter: {}, offset: 0, limit: 200, total: 0, rows: [], current: null, details: null, loading: null, deciding: null,
  overview: null, version: -1, acts: 0, signal: "vocals", times: null,
};

// One name for each window: what it decides, only it undoes while it is open.
export const author = (() => {
  const fresh = crypto.randomUUID();
  try {
    const known = sessionStorage.getItem("yuki review author") ?? fresh;
    sessionStorage.setItem("yuki review author", known);
    return known;
  } catch {
    return fresh;
  }
})();

export class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

export async function ask(path, values = {}, body = undefined) {
  const query = new URLSearchParams(Object.entries(values).filter(([, value]) => value !== "" && value !== null && value !== undefined));
  const url = query.size ? `${path}?${query}` : path;
  const options = { headers: { "X-Review-Author": author }, credentials: "same-origin" };
  if (body !== undefined) {
    options.method = "POST";
    options.body = JSON.stringify(body);
    options.headers["Content-Type"] = "application/json";
  }
  let answer;
  try {
    answer = await fetch(url, options);
  } catch {
    throw new Refused(0, t("gone"));
  }
  const kind = answer.headers.get("content-type") ?? "";
  const content = kind.includes("json") ? await answer.json() : null;
  if (!answer.ok || !content) throw new Refused(answer.status, refusal(answer.status, content));
  return content;
}

function refusal(status, content) {
  if (status === 409) return t("conflict");
  if (content) return t("failed", inWords(content, "error"));
  return status === 401 ? t("no_token") : t("refused", status);
}

const listeners = {};
export const on = (what, listener) => (listeners[what] ??= []).push(listener);
export const tell = (what, ...values) => (listeners[what] ?? []).forEach((listener) => listener(...values));

export function say(text, bad = false) {
  $("#said").textContent = text;
  $("#said").classList.toggle("is-bad", bad);
}

// Work that may fail, with the failure said and nothing else lost.
export async function attempt(work) {
  try {
    return await work();
  } catch (error) {
    say(error instanceof Refused ? error.message : t("failed", String(error)), true);
    if (error.status === 409) tell("stale");
    if (!(error instanceof Refused)) throw error;
    return null;
  }
}

export function clock(ms) {
  const seconds = Math.floor(ms / 1000);
  const two = (n) => String(n).padStart(2, "0");
  const hours = Math.floor(seconds / 3600);
  return `${hours ? `${hours}:` : ""}${hours ? two(Math.floor(seconds / 60) % 60) : Math.floor(seconds / 60)}:${two(seconds % 60)}`;
}

// A hue for each name, wherever it is shown: the golden angle apart, so that names of one cast differ.
let hues = new Map();
export function nameHues(names) {
  hues = new Map([...names].sort().map((name, place) => [name, (60 + 137.508 * place) % 360]));
}

export function paint(item, name) {
  item.classList.toggle("own", Boolean(name));
  if (!name) return item;
  item.style.setProperty("--h", String(Math.round(hues.get(name) ?? 90)));
  return item;
}

export const memory = {
  get(key) {
    try {
      return localStorage.getItem(key);
    } catch {
      return null;
    }
  },
  set(key, value) {
    try {
      localStorage.setItem(key, value);
    } catch {
      // Nothing is remembered then.
    }
  },
};
