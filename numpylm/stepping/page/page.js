"use strict";
// What the reader sees and presses. The numbers are those of the trace that Python wrote; model.js computes the sliders'.

const byId = id => document.getElementById(id), every = selector => [...document.querySelectorAll(selector)];
const trace = JSON.parse(byId("trace").textContent), {T, H} = trace.sizes;
const decoded = ({shape, float64}) =>
  ({shape, data: new Float64Array(Uint8Array.from(atob(float64), letter => letter.charCodeAt(0)).buffer)});
const unpacked = tree => Object.fromEntries(Object.entries(tree).map(([name, array]) => [name, decoded(array)]));
const numbers = unpacked(trace.numbers), model = trace.weights &&
  {cell: trace.cell, relu: trace.relu, ...unpacked(trace.weights.shared), layers: trace.weights.layers.map(unpacked)};
const now = {direction: "forward", t: 0, row: 0, name: null, unit: 0};  // name: a quantity, where the line has several

// HTML in which every text is escaped: html`<b>${token}</b>`.
const escaped = part => part.html ?? String(part).replace(/[&<>"']/g, sign => `&#${sign.charCodeAt(0)};`);
const html = (pieces, ...parts) =>
  ({html: pieces.map((piece, k) => piece + (k in parts ? [parts[k]].flat().map(escaped).join("") : "")).join("")});
const show = (id, made) => { byId(id).innerHTML = escaped(made); };

function shown(value) {  // four digits after the point, or two digits of a small or large number
  const size = Math.abs(value), plain = size === 0 || (size >= 0.001 && size < 1000);
  return (plain ? Math.abs(value) < 5e-5 ? "0.0000" : value.toFixed(4) : value.toExponential(1)).replace(/-/g, "−");
}
const range = count => Array.from({length: count}, (_, k) => k), between = (k, count) => Math.min(Math.max(k, 0), count - 1);
const value = (name, t = now.t, k = now.unit) => numbers[name].data[t * numbers[name].shape[1] + k];
const quoted = token => `“${token}”`, gateOf = name => name.split("_").at(-1);
const lines = {...trace.lines, loss: []};
const words = {  // what a quantity is; those of the diagram say it in the diagram
  x: "the input", logits: "the scores of the next token", dh: "what reaches h_t from the output, or the layer above",
  dh_next: "what reaches h_t from step t + 1", dc_next: "what reaches c_t from step t + 1",
  ...Object.fromEntries(every(".quantity").map(group => [group.dataset.name, group.querySelector("title").textContent])),
};
const uses = {};  // what is computed from a quantity, and how many steps away
for (const [user, reads] of Object.entries(trace.sources)) for (const [name, by] of reads) (uses[name] ??= []).push([user, -by]);
const rowOf = (direction, name) => lines[direction].findIndex(line => line.names.includes(name));
const quantity = name => name[0] === "d" ? name.slice(1) : name;  // of a gradient
const gradient = name => name === "y" ? "dlogits" : `d${name}`;
const subject = () => now.name ? [now.name] : now.direction === "loss" ? ["y"] : lines[now.direction][now.row].names;

// ---- moving
function go(place) {
  Object.assign(now, {name: null}, place);
  now.row = between(now.row, lines[now.direction].length);
  draw();
}
const scrubbed = () => now.direction === "loss" ? T : now.direction === "forward" ? now.t : 2 * T - now.t;

function scrubTo(place, row = Infinity) {  // 0 to T - 1 is forward, T the loss, T + 1 to 2 T back again
  if (place < 0 || place > 2 * T) return stop();
  const direction = place === T ? "loss" : place < T ? "forward" : "backward";
  go({direction, t: place < T ? place : Math.min(2 * T - place, T - 1), row});
}

function step(by) {
  if (now.row + by in lines[now.direction]) go({row: now.row + by}); else scrubTo(scrubbed() + by, by > 0 ? 0 : Infinity);
}
let timer = null;
function stop() { timer = clearInterval(timer); byId("play").textContent = "Play"; }
function play() {
  if (timer) return stop();
  if (scrubbed() === 2 * T) scrubTo(0, 0);
  timer = setInterval(step, 700, 1);
  byId("play").textContent = "Pause";
}
const turn = () => go({direction: now.direction === "backward" ? "forward" : "backward", row: Infinity});
function placeOf(name, t) {  // where a quantity is computed
  const direction = name[0] === "d" ? "backward" : "forward", line = {dh: "dh_t", dh_next: "dh_t", dc_next: "dc_t"}[name] || name;
  return JSON.stringify({direction, t, name, row: rowOf(direction, line)});
}

function keys(event) {
  const {key, target, shiftKey} = event, pressed = target.closest("[data-go], button");
  if (target.matches("input, select") || event.ctrlKey || event.metaKey || event.altKey) return;
  const by = target.id === "heat" && {ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1]}[key];
  const act = by ? () => go({unit: order[between(order.indexOf(now.unit) + by[0], H)], t: between(now.t + by[1], T)}) : pressed && (key === " " || key === "Enter") ?
    pressed.matches("g") && (() => go(JSON.parse(pressed.dataset.go))) : {
      ArrowRight: () => shiftKey ? scrubTo(scrubbed() + 1) : step(1), ArrowLeft: () => shiftKey ? scrubTo(scrubbed() - 1) : step(-1),
      Home: () => scrubTo(0, 0), End: () => scrubTo(2 * T), b: turn, " ": play,
    }[key];
  if (act) { event.preventDefault(); act(); }
}

// ---- drawing
function draw() {
  document.body.className = now.direction;
  byId("where").textContent = now.direction === "loss" ? `The loss: ${shown(trace.loss)} nats per token` :
    `${now.direction === "forward" ? "Forward" : "Backward"}, t = ${now.t}: reads ${quoted(trace.tokens[now.t])}, is to predict ${
      quoted(trace.tokens[now.t + 1])}`;
  byId("scrubber").value = scrubbed();
  byId("unit").value = now.unit;
  byId("scrubber").setAttribute("aria-valuetext", byId("where").textContent);
  byId("turn").textContent = now.direction === "backward" ? "Forward" : "Backward";
  byId("reads").textContent = quoted(trace.tokens[now.t]);
  every("#text button").forEach((button, t) => {
    button.className = t === now.t ? "reads" : t === now.t + 1 ? "target" : "";
    button.ariaCurrent = t === now.t ? "step" : null;
  });
  for (const part of [drawDiagram, drawListing, drawQuantity, drawMeetings, drawHeat]) part();
}

function computed(name) {  // whether the pass has come to a quantity of this step
  if (name[0] === "d") return now.direction === "backward" && rowOf("backward", name) <= now.row && rowOf("backward", name) >= 0;
  return now.direction !== "forward" || rowOf("forward", name) <= now.row;
}

function drawDiagram() {
  const [, , , y, dlogit] = trace.predictions[now.t].find(([, came]) => came);
  for (const group of every(".quantity")) {
    const {name} = group.dataset, back = gradient(name), marked = subject().some(one => one === name || one === back);
    group.querySelector(".value").textContent = computed(name) ? shown(name === "y" ? y : value(name)) : "";
    group.querySelector(".gradient").textContent = computed(back) ? shown(name === "y" ? dlogit : value(back)) : "";
    group.ariaLabel = [name, words[name], ...[".value", ".gradient"].map(part => group.querySelector(part).textContent)].filter(Boolean).join(", ");
    group.classList.toggle("current", marked);
    group.classList.toggle("later", !computed(now.direction === "backward" ? back : name));
    group.dataset.go = placeOf(now.direction === "backward" && rowOf("backward", back) >= 0 ? back : name, now.t);
  }
  for (const family of [/c/, /^d[hn]/]) {  // the bands that meet in dc_t have one scale, and those that meet in dh_t
    const bands = every(".flow").filter(band => family.test(band.dataset.flow.replace("through_h", "c")));
    const sizes = bands.map(band => Math.abs(flow(band.dataset.flow))), largest = Math.max(...sizes, 1e-300);
    bands.forEach((band, k) => { band.style.strokeWidth = sizes[k] && Math.max(1, 16 * sizes[k] / largest); });
  }
  byId("caption").textContent = `Unit ${now.unit} of ${H}, t = ${now.t}. ` + (now.direction === "backward" ?
    "Blue: values. Orange: gradients of the loss; the wider a band, the larger the gradient that runs back along it." :
    "Press a quantity to see where it comes from and where it goes.");
}
function flow(name) {  // the gradient that runs back along a wire, once it is computed
  if (!computed({dc_next: "dc_t", through_h: "dc_t", dh: "dh_t"}[name] || name)) return 0;
  return name === "through_h" ? value("dc_t") - value("dc_next") : value(name);
}

function drawListing() {
  const direction = now.direction === "backward" ? "backward" : "forward", last = now.direction === "loss" ? Infinity : now.row;
  byId("listing-title").textContent = `The package’s lines, ${direction}`;
  every(`#${direction}-lines button`).forEach((button, row) => {
    const {names: [name, second]} = lines[direction][row], one = !second && numbers[name] && quantity(name) !== "x";
    button.className = row === last ? "current" : row > last ? "later" : "";
    button.ariaCurrent = row === last ? "step" : null;
    button.lastChild.textContent = one && row <= last ? shown(value(name)) : "";
  });
}

// ---- one quantity: its lines, its numbers, its gradient and the proof
function drawQuantity() {
  const names = subject(), quantities = names.map(quantity), isBack = names[0][0] === "d", had = byId("quantity").contains(document.activeElement);
  const word = names.length > 1 ? "" : words[names[0]] || (isBack ? "gradient of the loss" : "");
  const table = ["y", "logits"].includes(quantities[0]) ? predictionTable() : unitTable(names, quantities, isBack);
  const places = links => links.map(([name, t]) => html`<button data-go="${placeOf(name, t)}">${t === now.t ? name : `${name} at t = ${t}`}</button>`);
  const chips = (label, links) => links.length ? html`<div class="chips">${label} ${places(links)}</div>` : "";
  const toGradient = !isBack && rowOf("backward", gradient(names[0])) >= 0 ? [[gradient(names[0]), now.t]] : [];
  show("formulas", now.direction === "loss" ? html`<h2>loss</h2><p class="formula">−(1/${T}) Σ log y_t[target_t] = ${
    shown(trace.loss)} nats per token</p>` : html`<h2>${names.join(", ")} <span>${word}</span></h2>${
    formulas("forward", quantities)}${isBack ? formulas("backward", names) : ""}`);
  show("details", html`${chips("comes from", linked(trace.sources[names[0]], now.t))}${
    chips("goes to", linked(uses[names[0]], now.t))}${chips("its gradient:", toGradient)}${table}`);
  if (had) byId("quantity").focus();
}
const linked = (links, t) => (links || []).map(([name, by]) => [name, t + by]).filter(([, at]) => at >= 0 && at < T);

function formulas(direction, names) {  // the source's line, and below it the line with its numbers for each name
  const line = lines[direction][rowOf(direction, names[0])], kind = `formula ${direction}-formula`;
  if (!line) return "";
  const known = line.formula ? names.filter(name => numbers[name]) : [], unit = now.unit;
  return [html`<p class="formula source">${line.place} ${line.source} ${line.equation}</p>`,
    ...known.map(name => html`<p class="${kind}">${name}[${unit}] = ${filled(line, name)} = ${shown(value(name))}</p>`)];
}

function filled(line, name) {  // {f_t} × {c_prev} with the numbers of this unit, in brackets where a sign would mislead
  const gate = Math.max(line.names.indexOf(name), 0);
  return line.formula.replace(/(?<=(.. )?)\{([\w.@]+)\}/g, (_, before, read) => {
    if (read.includes("@")) return matrixProduct(...read.split("@"), gate);
    const part = numbers[read] ? read : read.replace(/_t$/, `_${gateOf(name)}`), bias = model && model.layers[trace.layer][read];
    const number = numbers[part] ? shown(value(part)) : bias ? shown(bias.data[gate * H + now.unit]) : read;
    return number[0] === "−" && /[×−]/.test(before) ? `(${number})` : number;
  }).replace(/\+ −/g, "− ");
}

function matrixProduct(left, right, gate) {  // its terms where they are few, the share of each gate, or the number
  const W = model && model.layers[trace.layer][right.replace(".T", "")], parts = trace.parts[left] || [left];
  if (!W || !numbers[parts[0]]) return `${left} ${right.replace(".T", "ᵀ")}`;
  const [n, m] = W.shape, sum = terms => terms.reduce((all, term) => all + term, 0), bracket = terms => `(${terms.join(" + ")})`;
  if (right.endsWith(".T")) return bracket(parts.map((part, g) =>
    shown(sum(range(H).map(j => value(part, now.t, j) * W.data[now.unit * m + g * H + j])))));
  const terms = range(n).map(j => [value(left, now.t, j), W.data[j * m + gate * H + now.unit]]);
  return n > 3 ? shown(sum(terms.map(([x, w]) => x * w))) : bracket(terms.map(pair => pair.map(shown).join(" × ")));
}

function unitTable(names, quantities, isBack) {
  const columns = [...quantities, ...(isBack ? names : [])].filter(name => numbers[name]), n = numbers[columns[0]].shape[1];
  const proof = isBack && names.length === 1 && trace.proofs[names[0]], found = proof && proof[now.t];
  const first = Math.min(Math.max(now.unit - 4, 0), Math.max(n - 8, 0)), units = range(Math.min(n, 8)).map(k => first + k);
  const moved = found && units.some(k => found.numeric[k] != null);
  const rows = units.map(k => html`<tr class="${n === H && k === now.unit ? "current" : ""}"><td>${k}</td>${
    columns.map(name => html`<td>${shown(value(name, now.t, k))}</td>`)}${
    moved ? html`<td class="proof">${found.numeric[k] == null ? "" : shown(found.numeric[k])}</td>` : ""}</tr>`);
  const head = [n === H ? "unit" : "entry", ...columns, ...(moved ? [`∂loss/∂${quantities[0]}`] : [])];
  const words = !proof ? "" : !found ? `Not proved here, because this model is large: --at ${now.t} proves this step.` :
    `Proof: ∂loss/∂${quantities[0]} by the complex step. Largest error: ${found.error.toExponential(0).replace("-", "−")}${found.ok ? "" : ", WRONG"}.${
      found.numeric.includes(null) ? " Units without a number are proved together, along one random direction." : ""}`;
  return html`<table><tr>${head.map(text => html`<th scope="col">${text}</th>`)}</tr>${rows}</table><p class="note">${words}</p>`;
}
const predictionTable = () => html`<table><tr><th>token</th><th>logit</th><th>y</th><th>dlogit</th></tr>${
  trace.predictions[now.t].map(([token, came, ...rest]) => html`<tr class="${came ? "current" : ""}"><td>${came ? "→ " : ""}<bdi>${
    quoted(token)}</bdi></td>${rest.map(number => html`<td>${shown(number)}</td>`)}</tr>`)}</table><p class="note">→ came.</p>`;

// ---- two gradients that meet
function drawMeetings() {
  const later = now.t === T - 1 ? "no later step" : "step t + 1", above = trace.layer < trace.layers - 1 ? "the layer above" : "the output";
  show("meetings", [
    numbers.dc_t ? meeting("dc_t", [later, value("dc_next")], ["h_t, by (8)", value("dc_t") - value("dc_next")]) : "",
    meeting("dh_t", [later, value("dh_next")], [above, value("dh")])].filter(Boolean).reduce((one, two) => html`${one}${two}`));
}

function meeting(name, first, second) {
  const all = value(name), ends = [0, first[1], all], low = Math.min(...ends), span = Math.max(...ends) - low || 1;
  const bar = ([label, size], start, kind) => html`<span>${label}</span><div class="track"><div class="${kind} ${size < 0 ? "negative" : ""}"
    style="left: ${100 * (Math.min(start, start + size) - low) / span}%; width: ${100 * Math.abs(size) / span}%"></div><div class="zero"
    style="left: ${-100 * low / span}%"></div></div><span class="number">${shown(size)}</span>`;
  return html`<div class="sum"><h3>${name}, unit ${now.unit}, t = ${now.t}</h3>${
    bar(first, 0, "first")}${bar(second, first[1], "second")}${bar([name, all], 0, "all")}</div>`;
}

// ---- how far back: bars, and sliders that compute them again
function drawReach(reach) {
  const kinds = trace.carrier ? ["gates", "rest"] : ["rest"], largest = Math.max(...reach.gates, ...reach.rest, 1e-300);
  show("reach", html`${reach.total.map((size, t) => html`<div title="t = ${t}: ${shown(size)}">${
    kinds.map(kind => html`<i class="${kind}" style="height: ${100 * reach[kind][t] / largest}%"></i>`)}</div>`)}`);
  byId("reach").ariaLabel = `The gradient at each t: ${reach.total.map((size, t) => `${t}: ${shown(size)}`).join(", ")}`;
  show("reach-numbers", html`At t = 0: ${shown(reach.total[0])}, of ${shown(reach.total.at(-1))} at t = ${T - 1}. ${trace.carrier ?
    html`<i class="key first"></i>by ${trace.carrier} alone: ${shown(reach.gates[0])} ` : ""}<i class="key all"></i>by ${
    trace.cell === "rnn" ? "W_hh" : "W_h"}, once or more: ${shown(reach.rest[0])}`);
}

function change() {  // the reader moved a slider
  const form = byId("sliders").elements, layer = {...model.layers[trace.layer]}, ids = [...trace.ids];
  const [name, start] = trace.matrices[form.matrix.value], [knob, from] = trace.knob, [rows, columns] = layer[name].shape;
  const row = Math.min(form.row.value, rows - 1), column = Math.min(form.column.value, H - 1);
  const moved = (array, inside, by) => ({...array, data: array.data.map((weight, k) => inside(k) ? weight + +by : weight)});
  layer[name] = moved(layer[name], k => k === row * columns + start + column, form.weight.value);
  layer[knob] = moved(layer[knob], k => k >= from && k < from + H, form.bias.value);
  if (form.token.value) ids[Math.min(form.at.value, T - 1)] = +form.token.value;
  form.biasNow.value = shown(+form.bias.value);
  form.weightNow.value = `${form.matrix.value}[${row}, ${column}] = ${shown(layer[name].data[row * columns + start + column])}`;
  const layers = model.layers.map((old, l) => l === trace.layer ? layer : old), after = compute({...model, layers}, ids, trace.layer);
  drawReach(after.reach);
  byId("changed").textContent = `Loss: ${shown(trace.loss)} → ${shown(after.loss)} nats per token. Gradient at t = 0: ${
    shown(trace.reach.total[0])} → ${shown(after.reach.total[0])}.`;
}

// ---- the heat map: a row for each unit, in the order of their largest values
let order = [];
function buildHeat() {
  const name = byId("heat-name").value, largest = numbers[name].data.reduce((most, size) => Math.max(most, Math.abs(size)), 1e-300);
  const peak = range(H).map(unit => range(T).reduce((best, t) => value(name, t, unit) > value(name, best, unit) ? t : best, 0));
  const row = Math.min(Math.max(480 / H, 4), 24), labels = Math.ceil(13 / row), apart = Math.ceil(12 * T / (byId("heat").clientWidth - 34));
  const cell = (unit, t, size = value(name, t, unit)) => html`<td style="--share: ${Math.round(100 * Math.abs(size) / largest)}%; --hue: var(${
    size < 0 ? "--orange" : "--blue"})" data-go="${JSON.stringify({unit, t})}" title="${name}, unit ${unit}, t = ${t}, ${
    quoted(trace.tokens[t])}: ${shown(size)}"></td>`;
  order = range(H).sort((one, other) => peak[one] - peak[other] || one - other);
  byId("heat").style.setProperty("--row", `${row}px`);
  show("heat", html`${order.map((unit, y) => html`<tr><th scope="row" aria-label="unit ${unit}">${y % labels ? "" : unit}</th>${
    range(T).map(t => cell(unit, t))}</tr>`)}<tr><th></th>${range(Math.ceil(T / apart)).map(k => html`<th scope="col" colspan="${
    Math.min(apart, T - k * apart)}">${trace.tokens[k * apart]}</th>`)}</tr>`);
  byId("heat-key").textContent = `Blue is positive, orange negative; full colour is ${shown(largest)}.`;
  drawHeat();
}
function drawHeat() {
  byId("here")?.removeAttribute("id");
  byId("heat").rows[order.indexOf(now.unit)].cells[now.t + 1].id = "here";
  byId("heat-value").textContent = byId("here").title;
}

// ---- the beginning
function build() {
  for (const group of every(".quantity")) group.insertAdjacentHTML("afterbegin", `<rect class="target" x="${group.matches(".end") ? -66 : -4}"
    y="-16" width="70" height="52" rx="5"/><text class="value" y="17"/><text class="gradient" y="32"/>`);
  const most = Math.max(...trace.bits, 1e-9), options = (list, chosen) => html`${list.map(([id, name]) =>
    html`<option value="${id}" ${name === chosen ? "selected" : ""}>${name}</option>`)}`;
  const listing = direction => html`${lines[direction].map((line, row) => html`<li><button data-go='${JSON.stringify({direction, row})}'><span
    class="equation">${line.equation}</span><code>${line.source}</code><output></output></button></li>`)}`;
  show("text", html`${trace.tokens.map((token, t) => {
    const bits = trace.bits[t - 1] ?? 0, word = t ? `${bits.toFixed(2)} bits of surprise` : "the first token";
    return html`<li><button data-go='${JSON.stringify({t: Math.min(t, T - 1), row: 1e9})}' title="${word}" aria-label="${token}, ${word}"
      style="background: color-mix(in srgb, var(--orange) ${Math.round(55 * bits / most)}%, transparent)"><bdi>${token}</bdi></button></li>`;
  })}`);
  for (const direction of ["forward", "backward"]) show(`${direction}-lines`, listing(direction));
  byId("darkest").textContent = `The strongest: ${most.toFixed(2)} bits.`;
  const units = Object.keys(numbers).filter(name => numbers[name].shape[1] === H && !/^x$|^dx$|W_|_prev|_next/.test(name));
  show("heat-name", options(units.map(name => [name, name]), numbers.c_t ? "c_t" : "h_t"));
  for (const [id, most] of [["scrubber", 2 * T], ["unit", H - 1]]) byId(id).max = most;
  if (!model) { byId("sliders").remove(); byId("changed").textContent = "This model is too large to be computed again in a page: there are no sliders."; return drawReach(trace.reach); }
  show("matrix", options(Object.keys(trace.matrices).map(name => [name, name])));
  show("token", options([["", "as it is"], ...trace.choices.map(([id, token]) => [id, quoted(token)])]));
  byId("sliders").oninput = change;
  byId("sliders").onreset = () => setTimeout(change);
  change();
}

function listen() {
  for (const [id, act] of Object.entries({back: () => step(-1), step: () => step(1), play, turn})) byId(id).onclick = act;
  byId("scrubber").oninput = event => scrubTo(+event.target.value);
  byId("unit").oninput = event => go({unit: between(Math.trunc(event.target.value) || 0, H), name: now.name});
  document.addEventListener("click", event => { const link = event.target.closest("[data-go]"); if (link) go(JSON.parse(link.dataset.go)); });
  document.addEventListener("keydown", keys);
  byId("heat").onmouseover = ({target}) => { byId("heat-value").textContent = (target.title ? target : byId("here")).title; };
  byId("heat-name").onchange = buildHeat;
  window.addEventListener("resize", buildHeat);
}

build();
listen();
buildHeat();
go({t: trace.at || 0, row: trace.at === null ? 0 : 1e9});
