"use strict";
// What the page knows: the data block, in columns; and the few helpers that every other part uses.
// Text from the data reaches the page as text nodes and properties only, never as markup.
const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
const D = JSON.parse($("#data").textContent);
const L = D.lines;
const N = L.start.length;
const isCorpus = !$("#corrections");
const positionOf = new Map(L.number.map((number, i) => [number, i]));
const endOf = (i) => L.start[i] + L.length[i];
const clipOf = (i) => (L.clip[i] ? D.folders[L.folder[i]] + L.clip[i] : null);
const nameOf = (i) => D.speakers[L.who[i]].name;
const items = N ? [...$("ol.lines").children] : [];
const textOf = (i) => $(".text bdi", items[i]).textContent;
const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

function clock(ms, tenths) {
  const total = Math.floor(Math.max(0, ms) / (tenths ? 100 : 1000));
  const seconds = tenths ? Math.floor(total / 10) : total;
  const two = (n) => String(n).padStart(2, "0");
  const minutes = Math.floor(seconds / 60) % 60;
  const text =
    seconds >= 3600
      ? `${Math.floor(seconds / 3600)}:${two(minutes)}:${two(seconds % 60)}`
      : `${minutes}:${two(seconds % 60)}`;
  return tenths ? `${text}.${total % 10}` : text;
}

function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

function paint(element, speaker) {
  const colour = speaker && speaker.colour;
  element.classList.add("own");
  element.style.removeProperty("--h");
  if (!colour) return element.style.setProperty("--c", "0");
  element.style.removeProperty("--c");
  element.style.setProperty("--h", colour[0]);
  element.style.setProperty("--t", colour[1]);
}

const speakerNamed = new Map(D.speakers.filter((s) => s.known).map((s) => [s.name, s]));

// What is kept between visits; a browser may refuse that for files.
const memory = {
  get(key) {
    try {
      return localStorage.getItem(key);
    } catch {
      return null;
    }
  },
  set(key, value) {
    try {
      if (value === null) localStorage.removeItem(key);
      else localStorage.setItem(key, value);
    } catch {
      // Then it lasts as long as the page.
    }
  },
};

// The parts tell each other what happens: "current" (line), "position" (episode, ms), "shown" (positions).
const listeners = {};
const on = (event, listener) => (listeners[event] ??= []).push(listener);
const tell = (event, ...facts) => (listeners[event] ?? []).forEach((listener) => listener(...facts));

document.documentElement.classList.add("js");
