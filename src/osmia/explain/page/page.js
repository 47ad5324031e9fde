"use strict";
// A page of walks, one a program.  `data.paths[i].steps[k]` is [slot, changes]: what differs from the step before on that
// path (for its first step: from the fork step of its parent).  `now` is a path and the number of a step on its whole line.
const all = JSON.parse(document.getElementById("data").textContent);
let data;
const find = (selector, below = document) => below.querySelector(selector);
const make = (tag, text, cls) => { const e = document.createElement(tag); if (text !== undefined) e.textContent = text; if (cls) e.className = cls; return e; };
const ENDS = { exit: "ends at exit", safe: "safe: as walked before", refused: "refused", fenced: "guessed, fenced off", "": "not finished" };

// The steps of a path from the very beginning: [path, index] each.
const lines = new Map();
function lineOf(number) {
  if (lines.has(number)) return lines.get(number);
  const path = data.paths[number];
  let line = [];
  if (path.parent !== null) {
    const [parent, index] = path.parent;
    line = lineOf(parent).filter(([p, i]) => p !== parent || i <= index);
  }
  line = line.concat(path.steps.map((_, index) => [number, index]));
  if (lines.size > 64) lines.clear();
  lines.set(number, line);
  return line;
}

// What was known before the step at a place of a line: a Map of name → text.
function stateAt(line, at) {
  const state = new Map();
  for (let k = 0; k <= at; k++) {
    const [p, i] = line[k];
    for (const [name, text] of Object.entries(data.paths[p].steps[i][1])) {
      if (text === null) state.delete(name); else state.set(name, text);
    }
  }
  return state;
}

let hits = [], hit = -1;
const now = { path: 0, at: 0 };
const rows = { insns: new Map(), source: new Map() };
const visits = new Map();  // slot → where it was reached, [path, index] each

function show() {
  const line = lineOf(now.path);
  now.at = Math.max(0, Math.min(now.at, line.length - 1));
  document.querySelectorAll(".now, .on").forEach(e => e.classList.remove("now", "on"));
  find(`#paths [data-path="${now.path}"]`)?.classList.add("now");
  const slots = new Set(line.map(([p, i]) => data.paths[p].steps[i][0]));
  for (const slot of slots) rows.insns.get(slot)?.classList.add("on");
  const slider = find("#slider");
  slider.max = Math.max(0, line.length - 1);
  slider.value = now.at;
  if (!line.length) { find("#where output").textContent = "no step: safe at once"; find("#state tbody").replaceChildren(); return; }
  const slot = data.paths[line[now.at][0]].steps[line[now.at][1]][0];
  find("#where output").textContent = `path ${data.paths[now.path].number}, step ${now.at + 1} of ${line.length}, before instruction ${slot}`;
  mark(rows.insns.get(slot));
  mark(rows.source.get(data.insns[slot]?.source));
  showState(line);
  showVisits(slot);
  location.replace(`#program=${all.indexOf(data)}&path=${now.path}&step=${now.at}`);
}

function mark(row) {
  if (!row) return;
  row.classList.add("now");
  row.scrollIntoView({ block: "nearest" });
}

function order(name) {  // frames, then R0…R10, then the stack from the top, then the rest
  const [, frame, kind, number] = /^(?:frame(\d+) )?(R|fp-)?(\d*)/.exec(name);
  return [kind ? Number(frame ?? 0) : 99, kind === "R" ? 0 : 1, Number(number || 0)];
}

function showState(line) {
  const state = stateAt(line, now.at), before = now.at ? stateAt(line, now.at - 1) : new Map();
  const names = [...state.keys()].sort((a, b) => { const x = order(a), y = order(b); return x[0] - y[0] || x[1] - y[1] || x[2] - y[2]; });
  find("#state tbody").replaceChildren(...names.map(name => {
    const row = make("tr", undefined, now.at && before.get(name) !== state.get(name) ? "changed" : "");
    row.append(make("td", name), make("td", state.get(name)));
    return row;
  }));
}

function go(path, index) {  // to a step by the path's own numbering
  now.path = path;
  now.at = lineOf(path).findIndex(([p, i]) => p === path && i === index);
  show();
}

function showVisits(slot) {
  const all = visits.get(slot) ?? [], few = all.slice(0, 40);
  find("#visits").replaceChildren(`Instruction ${slot} was reached ${data.insns[slot]?.visits ?? all.length} times. `, ...few.map(([p, i]) => {
    const link = make("a", `path ${data.paths[p].number}`);
    link.href = "#";
    link.onclick = event => { event.preventDefault(); go(p, i); };
    return link;
  }), all.length > few.length ? "…" : "");
}

function firstVisit(slot) {  // on this path if it comes here, else on any
  const line = lineOf(now.path);
  const at = line.findIndex(([p, i], k) => k >= 0 && data.paths[p].steps[i][0] === slot);
  if (at >= 0) { now.at = at; show(); } else if (visits.has(slot)) go(...visits.get(slot)[0]);
}

function clear() {
  for (const map of [lines, visits, rows.insns, rows.source]) map.clear();
  for (const box of ["#paths ol", "#source div", "#insns div", "#state tbody", "#visits"]) find(box).replaceChildren();
  find("#paths .head")?.remove();
  find("#search").value = find("#hits").textContent = "";
  find("#why").hidden = find("#to-error").hidden = true;
  find("#verdict").className = "";
  hits = [];
}

function build() {
  clear();
  data.paths.forEach((path, p) => path.steps.forEach(([slot], i) => {
    if (!visits.has(slot)) visits.set(slot, []);
    visits.get(slot).push([p, i]);
  }));
  document.title = data.title;
  find("h1").textContent = data.title;
  const verdict = find("#verdict");
  verdict.textContent = data.verdict.text;
  verdict.classList.add(data.verdict.ok ? "accepted" : "refused");
  if (data.explanation) { find("#why").hidden = false; find("#why pre").textContent = data.explanation; }
  find("#paths ol").append(...data.paths.map((path, p) => {
    const row = make("li", `path ${path.number} `, path.end === "refused" ? "error" : "");
    row.dataset.path = p;
    const from = path.parent ? `from path ${data.paths[path.parent[0]].number}, ` : "";
    row.append(make("small", `${from}${path.steps.length + path.left_out} steps, ${ENDS[path.end]}${path.left_out ? `, ${path.left_out} not kept` : ""}`));
    row.onclick = () => { now.path = p; now.at = Infinity; show(); };
    return row;
  }));
  if (data.dropped) find("#paths").append(make("p", `${data.dropped} more paths were walked and are not kept.`, "head"));
  fill("source", data.source.map((line, i) => [i, line.line || "", line.text, line.head, () => { const s = data.insns.findIndex(x => x && x.source === i); if (s >= 0) firstVisit(s); }]));
  fill("insns", data.insns.flatMap((insn, slot) => insn ? [[slot, slot, insn.text, insn.head, () => firstVisit(slot)]] : []));
  data.insns.forEach((insn, slot) => { if (insn && !insn.visits && !visits.has(slot)) rows.insns.get(slot).classList.add("never"); });
  if (data.error) {
    rows.insns.get(data.error.insn)?.classList.add("error");
    rows.source.get(data.insns[data.error.insn]?.source)?.classList.add("error");
    find("#to-error").hidden = false;
  }
}

function fill(name, list) {
  const box = find(`#${name} div`);
  if (!list.length) box.append(make("p", "not known: the program has no line information", "head"));
  for (const [key, label, text, head, click] of list) {
    if (head) box.append(make("div", head, "head"));
    const row = make("div", undefined, "row");
    row.append(make("span", String(label), "n"), text);
    row.dataset.key = key;
    row.onclick = click;
    rows[name].set(key, row);
    box.append(row);
  }
}

function toError() {
  const path = data.paths.findIndex(p => p.end === "refused");
  if (path >= 0) { now.path = path; now.at = Infinity; show(); } else if (data.error) firstVisit(data.error.insn);
}

// Search: rows whose text has it, and steps whose changes do.
function search() {
  const text = find("#search").value.toLowerCase();
  document.querySelectorAll(".hit").forEach(e => e.classList.remove("hit"));
  hits = []; hit = -1;
  if (text) {
    for (const name of ["source", "insns"]) for (const row of rows[name].values()) {
      if (row.textContent.toLowerCase().includes(text)) { row.classList.add("hit"); hits.push(() => row.click()); }
    }
    data.paths.forEach((path, p) => path.steps.forEach(([, changes], i) => {
      for (const [name, value] of Object.entries(changes)) {
        if (value !== null && `${name}=${value}`.toLowerCase().includes(text)) { hits.push(() => go(p, i)); break; }
      }
    }));
  }
  find("#hits").textContent = text ? `${hits.length} found` : "";
}
function nextHit(by = 1) {
  if (!hits.length) return;
  hit = (hit + by + hits.length) % hits.length;
  hits[hit]();
  find("#hits").textContent = `${hit + 1} of ${hits.length}`;
}

function step(by) { now.at += by; show(); }
function otherPath(by) { now.path = Math.max(0, Math.min(data.paths.length - 1, now.path + by)); now.at = Infinity; show(); find(`#paths [data-path="${now.path}"]`).scrollIntoView({ block: "nearest" }); }

document.addEventListener("keydown", event => {
  const typing = event.target.id === "search";
  if (typing && event.key === "Enter") return nextHit(event.shiftKey ? -1 : 1);
  if (typing && event.key === "Escape") return event.target.blur();
  if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
  const act = { ArrowLeft: () => step(-1), ArrowRight: () => step(1), ArrowUp: () => otherPath(-1), ArrowDown: () => otherPath(1), "/": () => find("#search").focus(), n: () => nextHit(1), N: () => nextHit(-1), e: toError }[event.key];
  if (act) { event.preventDefault(); act(); }
});
find("#search").addEventListener("input", search);
find("#slider").addEventListener("input", event => { now.at = Number(event.target.value); show(); });
find("#back").onclick = () => step(-1);
find("#on").onclick = () => step(1);
find("#to-error").onclick = toError;

function choose(program, path, at) {
  data = all[program];
  find("#program").value = program;
  build();
  if (!data.paths.length) find("#where output").textContent = "refused before any path was walked";
  else if (data.paths[path]) { now.path = path; now.at = at; show(); }
  else if (data.paths.some(p => p.end === "refused")) toError();
  else { now.path = now.at = 0; show(); }
}

find("#program").hidden = all.length < 2;
find("#program").append(...all.map((one, i) => { const option = make("option", `${one.verdict.ok ? "✓" : "✗"} ${one.name}`); option.value = i; return option; }));
find("#program").onchange = event => choose(Number(event.target.value));
const asked = /^#program=(\d+)&path=(\d+)&step=(\d+)$/.exec(location.hash);
if (asked && all[asked[1]]) choose(...asked.slice(1).map(Number));
else choose(Math.max(0, all.findIndex(one => !one.verdict.ok)));
