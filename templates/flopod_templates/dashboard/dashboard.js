// Follows the runs that a page shows. Without this script every page works by links and forms.
"use strict";

const body = document.body;
const byId = (id) => document.getElementById(id);
const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const say = (text) => { byId("said").textContent = text; };

// -- times that go on ---------------------------------------------------------------------------

const UNITS = [[86400000, "d"], [3600000, "h"], [60000, "min"], [1000, "s"]];

function duration(ms) {
  if (ms < 1000) return `${Math.max(Math.round(ms), 0)} ms`;
  if (ms < 10000) return `${(ms / 1000).toFixed(1)} s`;
  let left = Math.round(ms / 1000) * 1000;
  const parts = [];
  for (const [size, unit] of UNITS) {
    if (left >= size && parts.length < 2) {
      parts.push(`${Math.floor(left / size)} ${unit}`);
      left %= size;
    } else if (parts.length) break;
  }
  return parts.join(" ");
}

function ago(at) {
  const distance = Math.abs(Date.now() - at);
  if (distance < 5000) return at <= Date.now() ? "just now" : "in a moment";
  const [size, unit] = UNITS.find(([size]) => distance >= size);
  const amount = `${Math.floor(distance / size)} ${unit}`;
  return at <= Date.now() ? `${amount} ago` : `in ${amount}`;
}

function tick() {
  for (const each of all("[data-ago]")) each.textContent = ago(Number(each.dataset.ago));
  for (const each of all("[data-took]")) each.textContent = duration(Date.now() - Number(each.dataset.took));
}

// -- parts of a page that are replaced ----------------------------------------------------------

const shown = new Map();

function isBusy(part) {
  const active = document.activeElement;
  const typing = part.contains(active) && active.matches("input:not([type=range], [type=checkbox]), textarea, select:not([data-speed])");
  return typing || part.querySelector("form[data-dirty]") !== null;
}

// What finds the same element in a part that was replaced.
function wayTo(element) {
  for (const name of ["data-op", "data-play", "data-slide", "data-speed", "data-path", "data-split", "name"]) {
    if (element.hasAttribute(name)) return `[${name}="${CSS.escape(element.getAttribute(name))}"]`;
  }
  return "";
}

function replace(part, html) {
  if (shown.get(part.id) === html || isBusy(part)) return;
  shown.set(part.id, html);
  const open = new Map(all("details[data-keep]", part).map((one) => [one.dataset.keep, one.open]));
  const places = new Map(all("[data-scroll]", part).map((one) => [one.dataset.scroll, [one.scrollLeft, one.scrollTop]]));
  const focused = part.contains(document.activeElement) ? wayTo(document.activeElement) : "";
  part.innerHTML = html;
  for (const one of all("details[data-keep]", part)) if (open.has(one.dataset.keep)) one.open = open.get(one.dataset.keep);
  for (const one of all("[data-scroll]", part)) if (places.has(one.dataset.scroll)) [one.scrollLeft, one.scrollTop] = places.get(one.dataset.scroll);
  if (focused) part.querySelector(focused)?.focus();
  prepare(part);
}

function prepare(root) {
  for (const one of all("[data-copy], #theme", root)) one.hidden = false;
  for (const one of all("[data-replay]", root)) one.hidden = Number(body.dataset.last) < 3;
  for (const box of all("[data-split]", root)) box.checked = store.get("split") === "1";
  splitting();
  const tab = store.get("tab");
  if (root.querySelector("[data-tab]")) choose(root, root.querySelector(`[data-tab="${CSS.escape(tab ?? "")}"]`) ?? root.querySelector("[data-tab][aria-selected]"));
}

const store = {
  get(name) { try { return localStorage.getItem(`flopod.${name}`); } catch { return null; } },
  set(name, value) { try { localStorage.setItem(`flopod.${name}`, value); } catch { /* a page without storage forgets */ } },
};

function splitting() {
  const on = all("[data-split]").some((box) => box.checked);
  for (const table of all(".src")) table.classList.toggle("split", on);
}

function choose(root, tab) {
  for (const one of all("[data-tab]", root)) {
    one.setAttribute("aria-selected", String(one === tab));
    byId(one.dataset.tab).hidden = one !== tab;
  }
}

// Calls `work` soon after it is asked to, one call at a time, and rests three times as long as that took.
function gently(work) {
  let asked = false;
  let busy = false;
  const go = async () => {
    if (busy) { asked = true; return; }
    busy = true;
    asked = false;
    const begun = performance.now();
    try { await work(); } catch (error) { console.warn(error); }
    setTimeout(() => { busy = false; if (asked) go(); }, Math.min(Math.max(3 * (performance.now() - begun), 150), 5000));
  };
  return go;
}

// -- the run list -------------------------------------------------------------------------------

function followRuns() {
  const box = byId("runs");
  if (!box.dataset.first) return;
  listen("/events", gently(async () => {
    if (all("input[name=run]:checked", box).length) return;
    const answer = await fetch(`/?${box.dataset.query}&fragment=1`);
    if (!answer.ok) return;
    const state = (row) => row.querySelector(".pill").textContent;
    const id = (row) => row.querySelector("input").value;
    const rows = () => all("tr[data-row]", box);
    const before = new Map(rows().map((row) => [id(row), state(row)]));
    const chosen = box.querySelector("tr.on input")?.value;
    replace(box, await answer.text());
    for (const row of rows()) {
      if (before.size && before.get(id(row)) !== state(row)) row.classList.add("fresh");
      if (id(row) === chosen) row.classList.add("on");
    }
  }));
}

// -- a run --------------------------------------------------------------------------------------

let seq = Number(body.dataset.seq ?? 0);
let over = body.dataset.over === "1";
let place = body.dataset.at ? Number(body.dataset.at) : null;
const isFixed = place !== null;

function address(query) {
  return `/ui/runs/${encodeURIComponent(body.dataset.run)}${query}`;
}

function take(state) {
  const before = body.dataset.status;
  for (const [name, html] of Object.entries(state.parts)) {
    const part = byId(`part-${name}`);
    if (part) replace(part, html);
  }
  body.dataset.status = state.status;
  if (state.status !== before) say(`The run is ${state.label}`);
}

function followRun() {
  if (isFixed) return;
  const source = listen(`/runs/${encodeURIComponent(body.dataset.run)}/events?after=${seq}`, gently(async () => {
    if (place !== null) return;
    const more = new URLSearchParams(location.search);
    more.delete("at");
    more.set("seq", seq);
    const answer = await fetch(address(`/live?${more}`));
    if (answer.status !== 200 || place !== null) return;
    const state = await answer.json();
    [seq, over] = [state.seq, state.over];
    body.dataset.last = seq;
    take(state);
    if (over) { source.close(); live(null); }
  }), over);
}

function listen(url, changed, quiet = false) {
  if (quiet) return { close() {} };
  const source = new EventSource(url);
  source.onopen = () => live(true);
  source.onerror = () => { live(over ? null : false); changed(); };
  source.onmessage = changed;
  for (const kind of KINDS) source.addEventListener(kind, changed);
  return source;
}

const KINDS = ("run_started run_resumed run_paused cancel_requested run_rewound run_cancelled run_diverged run_failed run_completed " +
  "activity_started activity_completed activity_failed activity_progress branch_taken recorded abandoned race_won iteration_completed " +
  "var_changed list_changed map_changed sleep_started sleep_completed wait_started wait_completed event_received child_started " +
  "child_completed detached detach_ended step_error compensated log compacted runs").split(" ");

function live(state) {
  const box = byId("live");
  box.hidden = state === null;
  box.classList.toggle("off", state === false);
  byId("live-text").textContent = state ? "live" : "connecting";
}

// -- the side panel -----------------------------------------------------------------------------

let opener = null;

async function open(url) {
  const answer = await fetch(url);
  const panel = byId("panel");
  panel.innerHTML = await answer.text();
  panel.hidden = false;
  prepare(panel);
  panel.querySelector("[data-close]")?.focus();
}

function close() {
  const panel = byId("panel");
  if (!panel || panel.hidden) return false;
  panel.hidden = true;
  opener?.focus();
  return true;
}

function showOperation(path, from) {
  opener = from;
  for (const one of all(".node.selected")) one.classList.remove("selected");
  from?.classList?.toggle("selected", from.matches(".node"));
  const at = place === null ? "" : `&at=${place}`;
  open(address(`/operation?op=${encodeURIComponent(path)}${at}`));
}

// -- slow motion --------------------------------------------------------------------------------

let playing = null;

async function goTo(to) {
  place = !isFixed && to >= Number(body.dataset.last) ? null : to;
  const more = new URLSearchParams(location.search);
  if (place === null) more.delete("at"); else more.set("at", to);
  const answer = await fetch(address(`/live?${more}`));
  if (!answer.ok) return null;
  const state = await answer.json();
  const speed = document.querySelector("[data-speed]")?.value;
  take(state);
  for (const one of all("[data-speed]")) one.value = speed;
  for (const one of all("[data-play]")) one.setAttribute("aria-pressed", String(playing !== null));
  return state;
}

async function play() {
  const end = Number(body.dataset.last);
  let to = place === null || place >= end ? 1 : place;
  const mine = (playing = {});
  while (playing === mine) {
    const state = await goTo(to);
    if (!state || !state.next) break;
    const speed = Number(document.querySelector("[data-speed]")?.value ?? 1);
    const pause = Math.min(Math.max((state.next.at - state.at) / speed, 40), 1500 / Math.min(speed, 1));
    await new Promise((done) => setTimeout(done, pause));
    to = state.next.seq;
  }
  if (playing === mine) playing = null;
  for (const one of all("[data-play]")) one.setAttribute("aria-pressed", "false");
}

// -- what people do -----------------------------------------------------------------------------

document.addEventListener("click", (event) => {
  const at = (selector) => event.target.closest?.(selector);
  if (event.metaKey || event.ctrlKey || event.shiftKey) return;
  let one;
  if ((one = at("[data-copy]"))) {
    navigator.clipboard?.writeText(one.dataset.copy).then(() => say("Copied"));
  } else if (at("#theme")) {
    const dark = getComputedStyle(document.documentElement).colorScheme === "dark" || (!document.documentElement.dataset.theme && matchMedia("(prefers-color-scheme: dark)").matches);
    document.documentElement.dataset.theme = dark ? "light" : "dark";
    store.set("theme", document.documentElement.dataset.theme);
  } else if ((one = at("[data-close]"))) {
    if (close()) event.preventDefault();
  } else if ((one = at("[data-event]"))) {
    event.preventDefault();
    opener = one;
    open(address(`/events/${one.dataset.event}`));
  } else if ((one = at("[data-op], [data-path]")) && byId("panel") && (one.dataset.op ?? one.dataset.path)) {
    event.preventDefault();
    showOperation(one.dataset.op ?? one.dataset.path, one);
  } else if ((one = at("[data-tab]"))) {
    store.set("tab", one.dataset.tab);
    choose(one.closest(".part"), one);
  } else if (at("[data-play]")) {
    if (playing) playing = null; else play();
  }
});

document.addEventListener("change", (event) => {
  const one = event.target;
  if (one.matches("[data-submits]")) one.form.requestSubmit();
  if (one.matches("[data-split]")) { store.set("split", one.checked ? "1" : ""); splitting(); }
  if (one.matches("[data-slide]")) { playing = null; goTo(Number(one.value)); }
});

document.addEventListener("input", (event) => {
  event.target.closest?.("form[data-form]")?.setAttribute("data-dirty", "");
  if (event.target.matches("[data-slide]")) document.querySelector("[data-place]").textContent = event.target.value;
});

document.addEventListener("submit", (event) => {
  const question = event.target.dataset.asks;
  if (question && !confirm(question)) event.preventDefault();
  if (event.target.matches("[data-bulk]") && !all("input[name=run]:checked", event.target).length) {
    event.preventDefault();
    say("Choose some runs first");
  }
});

function step(by) {
  const rows = all("tr[data-row]");
  if (!rows.length) return;
  const now = rows.findIndex((row) => row.classList.contains("on"));
  const next = rows[Math.min(Math.max(now + by, 0), rows.length - 1)];
  rows[now]?.classList.remove("on");
  next.classList.add("on");
  next.querySelector(".id a").focus();
}

document.addEventListener("keydown", (event) => {
  const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName);
  if (event.key === "Escape") {
    if (!close() && typing) event.target.blur();
  } else if (typing || event.metaKey || event.ctrlKey || event.altKey) {
    return;
  } else if (event.key === "/" && document.querySelector("[data-search]")) {
    event.preventDefault();
    document.querySelector("[data-search]").focus();
  } else if (event.key === "j") step(1);
  else if (event.key === "k") step(-1);
  else if (event.key === "Enter" && event.target.dataset?.path) showOperation(event.target.dataset.path, event.target);
});

// -- the beginning ------------------------------------------------------------------------------

if (store.get("theme")) document.documentElement.dataset.theme = store.get("theme");
prepare(document);
for (const part of all("[data-part]")) {
  const line = part.querySelector("[data-current]") ?? part.querySelector("tr.been");
  if (line) { const box = line.closest(".code"); box.scrollTop = line.offsetTop - box.clientHeight / 2.5; }
}
if (!byId("panel")) {
  for (const node of all(".node[tabindex]")) { node.removeAttribute("tabindex"); node.setAttribute("role", "img"); }
}
for (const box of all(".graph")) {
  const node = box.querySelector(".is-failed, .is-retrying, .is-running, .is-waiting, .is-sleeping");
  if (node) box.scrollTop += node.getBoundingClientRect().top - box.getBoundingClientRect().top - box.clientHeight * 0.55;
}
if (body.dataset.page === "runs") followRuns();
if (body.dataset.page === "run") followRun();
setInterval(tick, 1000);
