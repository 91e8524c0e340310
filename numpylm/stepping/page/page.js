"use strict";
// What the reader sees and presses. All numbers are those of the trace that Python wrote; model.js computes the sliders'.

const byId = id => document.getElementById(id);
const trace = JSON.parse(byId("trace").textContent);
const {T, H} = trace.sizes;
const decoded = packed => ({
  shape: packed.shape,
  data: new Float64Array(Uint8Array.from(atob(packed.float64), letter => letter.charCodeAt(0)).buffer),
});
const unpacked = tree => Object.fromEntries(Object.entries(tree).map(([name, array]) => [name, decoded(array)]));
const numbers = unpacked(trace.numbers);
const shared = trace.weights && unpacked({E: trace.weights.E, W_hy: trace.weights.W_hy, b_y: trace.weights.b_y});
const layers = trace.weights && trace.weights.layers.map(unpacked);
const now = {direction: "forward", t: trace.at || 0, row: 0, name: null, unit: 0};

function shown(value) {  // four digits after the point, or two digits of a small or large number
  const size = Math.abs(value), plain = size === 0 || (size >= 0.001 && size < 1000);
  return (plain ? value.toFixed(4) : value.toExponential(1)).replace(/-/g, "−").replace(/^−(0\.0+)$/, "$1");
}

function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

const quoted = token => `“${token}”`;
const value = (name, t, k) => numbers[name].data[t * numbers[name].shape[1] + k];
const letter = name => name.split("_").at(-1);
const lineOf = (direction, name) => trace.lines[direction].findIndex(line => line.names.includes(name));
const here = () => trace.lines[now.direction][now.row];
const base = name => name[0] === "d" ? name.slice(1) : name;  // the quantity of a gradient
const atLoss = () => now.direction === "loss";
const subject = () => now.name ? [now.name] : atLoss() ? ["y"] : here().names;

// ---- what a quantity is computed from

const PACKED = {xW_t: "xW_", hW_t: "hW_", da_t: "da_"};
function inside(name, reader) {  // xW_t, as a_f reads it, is xW_f; dh_prev reads every gate's part of da_t
  if (numbers[name] || !PACKED[name]) return name === "dhW_t" ? ["da_r", "da_z", "dhWb_n"] : [name];
  const parts = Object.keys(numbers).filter(part => part.startsWith(PACKED[name]));
  return parts.includes(PACKED[name] + letter(reader)) ? [PACKED[name] + letter(reader)] : parts;
}
const SOURCES = {
  h_prev: [["h_t", -1]], c_prev: [["c_t", -1]], dh_next: [["dh_prev", 1]], dc_next: [["dc_prev", 1]], logits: [["h_t", 0]],
  y: [["logits", 0]], dlogits: [["y", 0]], dh: [["dlogits", 0]], dx: inside("da_t", "").map(name => [name, 0]),
};
for (const line of [...trace.lines.forward, ...trace.lines.backward])
  for (const name of line.names)
    SOURCES[name] ||= line.reads.flatMap(read => inside(read, name)).filter(read => numbers[read]).map(read => [read, 0]);
const within = t => t >= 0 && t < T;
const from = (name, t) => (SOURCES[name] || []).map(([other, dt]) => [other, t + dt]).filter(([, at]) => within(at));
const to = (name, t) => Object.entries(SOURCES).flatMap(([other, read]) =>
  read.filter(([one, dt]) => one === name && within(t - dt)).map(([, dt]) => [other, t - dt]))
  .filter(([other]) => lineOf("forward", other) >= 0 || numbers[other] || other === "dlogits");

// ---- a formula with its numbers

function productText(text, name, t, k) {  // {x@W}: its terms where they are few, the sum of each gate's, or the number
  const [left, right] = text.split("@"), W = layers && layers[trace.layer][right.replace(".T", "")];
  if (!W || left === "x" && !numbers.x) return "…";
  const [n, m] = W.shape, gate = m / H > 1 ? gateNumber(name) : 0, bracket = terms => `(${terms.join(" + ")})`;
  if (right.endsWith(".T")) return bracket(inside(left, "").map((part, g) =>
    shown(Array.from({length: H}, (_, j) => value(part, t, j) * W.data[k * m + g * H + j]).reduce((a, b) => a + b))));
  const pairs = Array.from({length: n}, (_, j) => [value(left, t, j), W.data[j * m + gate * H + k]]);
  if (n <= 3) return bracket(pairs.map(([a, b]) => `${shown(a)} × ${shown(b)}`));
  return shown(pairs.reduce((sum, [a, b]) => sum + a * b, 0));
}

const gateNumber = name => trace.lines.forward.find(line => line.names.includes(name)).names.indexOf(name);

function filled(line, name, t, k) {
  return line.formula.replace(/\{([\w.@]+)\}/g, (_, read) => {
    if (read.includes("@")) return productText(read, name, t, k);
    const part = inside(read, name)[0], bias = layers && layers[trace.layer][read];
    if (numbers[part]) return shown(value(part, t, k));
    return bias ? shown(bias.data[(read === "b" ? gateNumber(name) * H : 0) + k]) : read;
  }).replace(/\+ \(?−/g, match => match.endsWith("(−") ? match : "− ");
}

// ---- moving

function go(place) {
  Object.assign(now, place);
  if (!atLoss()) now.row = Math.min(Math.max(now.row, 0), trace.lines[now.direction].length - 1);
  draw();
}

function step(by) {
  const count = now.direction === "loss" ? 0 : trace.lines[now.direction].length, row = now.row + by;
  if (!atLoss() && row >= 0 && row < count) return go({row, name: null});
  const scrub = +byId("scrubber").value + by;
  if (scrub < 0 || scrub > 2 * T) return stop();
  scrubTo(scrub, by > 0 ? 0 : Infinity);
}

function scrubTo(place, row = Infinity) {
  const direction = place === T ? "loss" : place < T ? "forward" : "backward";
  go({direction, t: direction === "backward" ? 2 * T - place : Math.min(place, T - 1), row, name: null});
}

function select(name, t) {  // a quantity, at the line that computes it
  const direction = name[0] === "d" ? "backward" : "forward";
  go({direction, t, name, row: lineOf(direction, {dh: "dh_t", dh_next: "dh_t", dc_next: "dc_t"}[name] || name)});
}

let timer = null;
function stop() { clearInterval(timer); timer = null; byId("play").textContent = "Play"; }
function play() {
  if (timer) return stop();
  if (+byId("scrubber").value === 2 * T) scrubTo(0, 0);
  timer = setInterval(() => step(1), 700);
  byId("play").textContent = "Pause";
}
function turn() {
  const direction = now.direction === "backward" ? "forward" : "backward";
  go({direction, row: Infinity, name: null});
}

// ---- drawing

function draw() {
  document.body.className = now.direction;
  byId("scrubber").value = atLoss() ? T : now.direction === "forward" ? now.t : 2 * T - now.t;
  const t = `t = ${now.t}`, reads = `reads ${quoted(trace.tokens[now.t])}, is to predict ${quoted(trace.tokens[now.t + 1])}`;
  byId("where").textContent = atLoss() ? `The loss: ${shown(trace.loss)} nats per token` :
    `${now.direction === "forward" ? "Forward" : "Backward"}, ${t}: ${reads}`;
  byId("scrubber").setAttribute("aria-valuetext", byId("where").textContent);
  byId("turn").textContent = now.direction === "backward" ? "Forward" : "Backward";
  byId("reads").textContent = quoted(trace.tokens[now.t]);
  drawText();
  drawDiagram();
  drawListing();
  drawQuantity();
  drawMeetings();
  drawHeat();
}

function drawText() {
  [...byId("text").children].forEach(({firstChild: button}, t) => {
    button.classList.toggle("reads", t === now.t);
    button.classList.toggle("target", t === now.t + 1);
    if (t === now.t) button.setAttribute("aria-current", "step"); else button.removeAttribute("aria-current");
  });
}

const computed = (direction, name) => {
  const row = lineOf(direction, name);
  if (direction === "forward") return now.direction !== "forward" || row <= now.row;
  return now.direction === "backward" && row >= 0 && row <= now.row;
};
const target = () => trace.predictions[now.t].find(row => row[1]);
const forwardValue = name => name === "y" ? target()[3] : value(name, now.t, now.unit);
const gradientValue = name => name === "y" ? target()[4] : value(`d${name}`, now.t, now.unit);

function drawDiagram() {
  for (const group of document.querySelectorAll(".quantity[data-name]")) {
    const name = group.dataset.name, gradient = name === "y" ? "dlogits" : `d${name}`;
    const has = computed("forward", name), back = computed("backward", gradient) && (name === "y" || numbers[gradient]);
    group.querySelector(".value").textContent = has ? shown(forwardValue(name)) : "";
    group.querySelector(".gradient").textContent = back ? shown(gradientValue(name)) : "";
    group.classList.toggle("current", subject().some(one => one === name || one === gradient));
    group.classList.toggle("later", now.direction === "backward" ? !back : !has);
  }
  for (const family of [/c/, /^dh/]) {  // the widths of those that meet in dc_t have one scale, and those in dh_t
    const flows = [...document.querySelectorAll(".flow")].filter(path => family.test(path.dataset.flow.replace("through_h", "c")));
    const sizes = flows.map(path => Math.abs(flow(path.dataset.flow))), largest = Math.max(...sizes, 1e-300);
    flows.forEach((path, k) => { path.style.strokeWidth = sizes[k] ? Math.max(1, 16 * sizes[k] / largest) : 0; });
  }
  byId("caption").textContent = now.direction === "backward" ?
    `Unit ${now.unit} at t = ${now.t}: values in blue, gradients of the loss in orange; the wider a band, the larger the gradient.` :
    `Unit ${now.unit} of ${H} at t = ${now.t}. Press a quantity to see where it comes from and where it goes.`;
}

function flow(name) {  // the gradient that runs back along a wire, once it is computed
  const line = {dc_next: "dc_t", through_h: "dc_t", dh: "dh_t"}[name] || name;
  if (!computed("backward", line)) return 0;
  return name === "through_h" ? value("dc_t", now.t, now.unit) - value("dc_next", now.t, now.unit) : value(name, now.t, now.unit);
}

function drawListing() {
  const direction = atLoss() ? "forward" : now.direction, last = atLoss() ? Infinity : now.row;
  byId("listing-title").textContent = `The package's lines, ${direction}`;
  byId("listing").replaceChildren(...trace.lines[direction].map((line, row) => {
    const one = line.names.length === 1 && numbers[line.names[0]] && line.names[0] !== "x" && line.names[0] !== "dx";
    const number = one && row <= last ? shown(value(line.names[0], now.t, now.unit)) : "";
    const button = element("button", {className: row === last ? "current" : row > last ? "later" : "", title: line.place},
      element("span", {className: "equation", textContent: line.equation && `(${line.equation.replace(/, .*, /, "–")})`}),
      element("code", {textContent: line.source}), element("output", {textContent: number}));
    if (row === last) button.setAttribute("aria-current", "step");
    button.onclick = () => go({direction, row, name: null});
    return element("li", {}, button);
  }));
}

// ---- one quantity: its lines, its numbers, its gradient and the proof

function drawQuantity() {
  const names = subject(), quantities = names.map(base), gradients = quantities.map(name => `d${name}`);
  const head = element("h2", {textContent: atLoss() ? "loss " : names.join(", ") + " "});
  head.append(element("span", {textContent: atLoss() ? "the mean surprise at the tokens that came" : words(names)}));
  const parts = [head];
  if (atLoss()) parts.push(element("p", {className: "formula",
    textContent: `loss = −(1/${T}) Σ log y_t[target_t] = ${shown(trace.loss)} nats per token`}));
  for (const [direction, among] of [["forward", quantities], ["backward", gradients]])
    if (!atLoss() && (direction === "backward" ? now.direction === "backward" : true)) parts.push(...formulas(direction, among));
  parts.push(chips("comes from", from(names[0], now.t)), chips("goes to", to(names[0], now.t)));
  const ofTokens = ["y", "logits"].includes(quantities[0]);
  parts.push(ofTokens ? predictionTable() : unitTable(quantities, gradients));
  if (!ofTokens && names.length === 1) parts.push(element("p", {className: "note", textContent: proofWords(gradients[0])}));
  byId("quantity").replaceChildren(...parts);
}

function words(names) {
  const word = names.length === 1 ? trace.words[base(names[0])] : "";
  return names[0][0] !== "d" ? word || "" : trace.words[names[0]] || "gradient of the loss" + (word ? ` with respect to ${word}` : "");
}

function formulas(direction, names) {
  const line = trace.lines[direction][lineOf(direction, names[0])];
  if (!line) return [];
  const rows = names.filter(name => numbers[name] && line.formula && name !== "dx").map(name => element("p", {
    className: `formula ${direction === "forward" ? "forward" : "gradient"}-formula`,
    textContent: `${name}[${now.unit}] = ${filled(line, name, now.t, Math.min(now.unit, numbers[name].shape[1] - 1))} = ${
      shown(value(name, now.t, now.unit))}`,
  }));
  const meaning = rows.length ? [] : line.formula ? [element("p", {className: "formula", textContent: `${names[0]} = ${line.formula}`})] : [];
  const number = line.equation && `  (${line.equation})`;
  return [element("p", {className: "formula source", textContent: `${line.place}  ${line.source}${number}`}), ...rows, ...meaning];
}

function chips(label, links) {
  const row = element("div", {className: "chips"}, links.length ? label : "");
  for (const [name, t] of links) {
    const chip = element("button", {textContent: t === now.t ? name : `${name} at t = ${t}`});
    chip.onclick = () => select(name, t);
    row.append(chip);
  }
  return row;
}

function table(heads, rows, current) {
  const made = element("table", {}, element("tr", {}, ...heads.map(text => element("th", {textContent: text, scope: "col"}))));
  rows.forEach((cells, k) => made.append(element("tr", {className: k === current ? "current" : ""},
    ...cells.map((text, c) => element("td", {textContent: text, className: heads[c].startsWith("∂") ? "proof" : ""})))));
  return made;
}

function unitTable(quantities, gradients) {
  const back = now.direction === "backward" ? gradients.filter(name => numbers[name]) : [];
  const columns = [...quantities.filter(name => numbers[name]), ...back], n = numbers[columns[0]].shape[1];
  const found = back.length === 1 && (trace.proofs[back[0]] || [])[now.t];
  const start = Math.min(Math.max(now.unit - 4, 0), Math.max(n - 8, 0)), units = Array.from({length: Math.min(n, 8)}, (_, k) => start + k);
  const heads = [n === H ? "unit" : "entry", ...columns, ...(found ? [`∂loss/∂${quantities[0]}`] : [])];
  const proof = k => found.numeric[k] == null ? "" : shown(found.numeric[k]);
  return table(heads, units.map(k => [k, ...columns.map(name => shown(value(name, now.t, k))), ...(found ? [proof(k)] : [])]),
    n === H ? now.unit - start : -1);
}

function proofWords(gradient) {
  if (now.direction !== "backward" || !trace.proofs[gradient]) return "";
  const found = trace.proofs[gradient][now.t];
  if (!found) return `Not proved here, for this model is large: add --at ${now.t} to the command that wrote this page.`;
  const error = found.error ? found.error.toExponential(0).replace("-", "−") : "0";
  return `Proof: ∂loss/∂${base(gradient)} by the complex step; the largest error is ${error}${found.ok ? "." : ": WRONG."}`;
}

function predictionTable() {
  return table(["token", "logit", "y", "dlogit"], trace.predictions[now.t].map(([token, came, ...rest]) =>
    [`${came ? "→ " : ""}${quoted(token)}`, ...rest.map(shown)]), trace.predictions[now.t].findIndex(row => row[1]));
}

// ---- two gradients that meet

function drawMeetings() {
  const at = name => value(name, now.t, now.unit), cell = numbers.dc_t;
  const later = now.t === T - 1 ? "no later step" : `step t + 1`;
  byId("meetings").replaceChildren(
    ...(cell ? [meeting("dc_t", [[`c_t, from ${later}`, at("dc_next")], ["h_t, by (8)", at("dc_t") - at("dc_next")], ["dc_t", at("dc_t")]])] : []),
    meeting("dh_t", [[`${later}`, at("dh_next")], [trace.layer < trace.layers - 1 ? "layer above" : "the output", at("dh")], ["dh_t", at("dh_t")]]));
}

function meeting(name, [first, second, all]) {
  const ends = [0, first[1], all[1]], low = Math.min(...ends), span = Math.max(...ends) - low || 1;
  const place = (start, end) => `left:${100 * (Math.min(start, end) - low) / span}%;width:${100 * Math.abs(end - start) / span}%`;
  const box = element("div", {className: "sum"}, element("h3", {textContent: `${name}, unit ${now.unit}, t = ${now.t}`}));
  [[first, 0, "first"], [second, first[1], "second"], [all, 0, "all"]].forEach(([[label, number], start, kind]) => {
    const bar = element("div", {className: kind + (number < 0 ? " negative" : ""), style: place(start, start + number)});
    box.append(element("span", {textContent: label}), element("div", {className: "track"}, bar,
      element("div", {className: "zero", style: `left:${-100 * low / span}%`})), element("span", {className: "number", textContent: shown(number)}));
  });
  return box;
}

// ---- how far back: bars, and sliders that compute them again

const CARRIER = {lstm: ["c", "the forget gates alone"], gru: ["h", "the update gates alone"], rnn: ["h", ""]}[trace.cell];

function drawReach(reach) {
  const largest = Math.max(...reach.gates, ...reach.rest, 1e-300), kinds = CARRIER[1] ? ["gates", "rest"] : ["rest"];
  byId("reach").replaceChildren(...reach.total.map((_, t) => element("div", {title: `t = ${t}: ${shown(reach.total[t])}`},
    ...kinds.map(kind => element("i", {className: kind, style: `height:${100 * reach[kind][t] / largest}%`})))));
  byId("reach").setAttribute("aria-label", `Gradient by t: ${reach.total.map((size, t) => `t = ${t}: ${shown(size)}`).join(", ")}`);
  byId("reach-numbers").replaceChildren(`At t = 0: ${shown(reach.total[0])} of ${shown(reach.total.at(-1))} at t = ${T - 1}. `,
    ...(CARRIER[1] ? [element("span", {className: "key first"}), `by ${CARRIER[1]}: ${shown(reach.gates[0])}  `] : []),
    element("span", {className: "key all"}), `by W_h, once or more: ${shown(reach.rest[0])}`);
}

const PARTS = trace.lines.forward.find(line => line.names[0].startsWith("xW_")).names;
const matrices = trace.cell === "rnn" ? ["W_xh", "W_hh"] : ["W_h", "W_x"].flatMap(W => PARTS.map(part => W + letter(part)));
const slot = name => trace.cell === "rnn" ? [name, 0] : [name.slice(0, -1), PARTS.findIndex(part => letter(part) === name.at(-1)) * H];
const field = name => byId("sliders").elements[name];

function buildSliders() {
  const range = (name, label, min, max, step) => element("input", {type: "range", name, min, max, step, value: 0, ariaLabel: label});
  const number = (name, label, max) => element("label", {}, `${label} `, element("input", {type: "number", name, min: 0, max, value: 0}));
  const choose = (name, label, options) =>
    element("select", {name, ariaLabel: label}, ...options.map(([value, text]) => element("option", {value, textContent: text})));
  const group = (legend, ...parts) => element("fieldset", {}, element("legend", {textContent: legend}), ...parts, element("output"));
  byId("sliders").append(
    group(`Add to ${trace.knob}, in all units`, range("bias", `added to ${trace.knob}`, -6, 6, 0.1)),
    group("Set one weight", element("div", {className: "buttons"}, choose("matrix", "matrix", matrices.map(name => [name, name])),
      number("row", "row", H - 1), number("column", "column", H - 1)), range("weight", "the weight", -4, 4, 0.05)),
    group("Set one input token", element("div", {className: "buttons"}, number("at", "t", T - 1),
      choose("token", "token", trace.choices.map(([id, name]) => [id, quoted(name)])), element("button", {type: "reset", textContent: "Reset"}))));
  byId("sliders").oninput = event => change(event.target.name);
  byId("sliders").onreset = () => setTimeout(change);
  change();
}

function change(pressed) {  // a newly chosen weight or place starts from its own value
  const [name, column] = slot(field("matrix").value), W = layers[trace.layer][name];
  field("row").max = W.shape[0] - 1;
  const row = Math.min(+field("row").value, W.shape[0] - 1), index = row * W.shape[1] + column + Math.min(+field("column").value, H - 1);
  if (pressed !== "weight" && pressed !== "bias" && pressed !== "token") field("weight").value = W.data[index];
  if (pressed === "at" || !pressed) field("token").value = trace.ids[Math.min(+field("at").value, T - 1)];
  const touched = pressed === "weight" || field("weight").dataset.touched === `${index}${name}`;
  field("weight").dataset.touched = touched ? `${index}${name}` : "";
  const weight = touched ? +field("weight").value : W.data[index], ids = [...trace.ids];
  if (field("token").value) ids[Math.min(+field("at").value, T - 1)] = +field("token").value;
  const [bias, weightOut] = byId("sliders").querySelectorAll("output");
  bias.value = `${trace.knob} + ${shown(+field("bias").value)}`;
  weightOut.value = `${field("matrix").value}[${row}, ${field("column").value}] = ${shown(weight)}`;
  const after = compute(changed(+field("bias").value, {name, index, weight}), ids, trace.layer), unchanged = after.loss === compute(changed(0), trace.ids, trace.layer).loss;
  drawReach(unchanged ? trace.reach : after.reach);
  byId("changed").textContent = `Loss: ${shown(trace.loss)} → ${shown(after.loss)} nats per token. Gradient at t = 0: ${
    shown(trace.reach.total[0])} → ${shown(after.reach.total[0])}.`;
}

function changed(bias, one) {  // the model with a bias moved and one weight set
  const layer = {...layers[trace.layer]}, [name, start] = slot(trace.knob.replace("b_", "b") === "bh" ? "b_h" : `b${letter(trace.knob)}`);
  const moved = trace.cell === "rnn" ? "b_h" : name;
  layer[moved] = {...layer[moved], data: layer[moved].data.map((b, k) => k >= start && k < start + H ? b + bias : b)};
  if (one) layer[one.name] = {...layer[one.name], data: layer[one.name].data.with(one.index, one.weight)};
  return {cell: trace.cell, relu: trace.relu, ...shared, layers: layers.with(trace.layer, layer)};
}

// ---- the heat map

const heat = {canvas: byId("heat"), order: [], left: 34};

function drawHeat() {
  const name = byId("heat-name").value, {canvas} = heat, ratio = window.devicePixelRatio || 1, style = getComputedStyle(document.body);
  const peak = unit => Array.from({length: T}, (_, t) => value(name, t, unit)).reduce((best, v, t, all) => v > all[best] ? t : best, 0);
  heat.order = Array.from({length: H}, (_, unit) => unit);
  if (byId("heat-order").value === "peak") heat.order.sort((a, b) => peak(a) - peak(b) || a - b);
  Object.assign(heat, {row: Math.min(Math.max(300 / H, 4), 24), column: (canvas.clientWidth - heat.left) / T});
  canvas.style.height = `${heat.row * H + 22}px`;
  Object.assign(canvas, {width: canvas.clientWidth * ratio, height: (heat.row * H + 22) * ratio});
  const pen = canvas.getContext("2d"), largest = numbers[name].data.reduce((most, v) => Math.max(most, Math.abs(v)), 1e-300);
  const colour = variable => style.getPropertyValue(variable);
  pen.scale(ratio, ratio);
  heat.order.forEach((unit, row) => {
    for (let t = 0; t < T; t++) {
      const v = value(name, t, unit) / largest;
      pen.globalAlpha = Math.abs(v);
      pen.fillStyle = colour(v < 0 ? "--orange" : "--blue");
      pen.fillRect(heat.left + t * heat.column, row * heat.row, heat.column - (heat.column > 6), heat.row - (heat.row > 6));
    }
  });
  pen.globalAlpha = 1;
  Object.assign(pen, {strokeStyle: colour("--ink"), fillStyle: colour("--soft"), font: "12px monospace", textBaseline: "middle", lineWidth: 1.5});
  pen.strokeRect(heat.left + now.t * heat.column, heat.order.indexOf(now.unit) * heat.row, heat.column, heat.row);
  const every = Math.ceil(13 / heat.row), apart = Math.ceil(10 / heat.column);
  heat.order.forEach((unit, row) => row % every || pen.fillText(unit, 2, (row + 0.5) * heat.row));
  trace.tokens.slice(0, T).forEach((token, t) => t % apart ||
    pen.fillText(token.slice(0, Math.max(1, Math.floor(apart * heat.column / 8))), heat.left + t * heat.column + 1, heat.row * H + 12));
  byId("heat-key").textContent = `Blue is positive, orange negative; full colour is ${shown(largest)}.`;
  tellHeat(now.unit, now.t);
}

function tellHeat(unit, t) {
  const words = `${byId("heat-name").value}, unit ${unit}, t = ${t}, ${quoted(trace.tokens[t])}: ${shown(value(byId("heat-name").value, t, unit))}`;
  byId("heat-value").textContent = words;
  heat.canvas.setAttribute("aria-label", `Heat map of ${H} units over ${T} steps. ${words}`);
}

function heatPlace(event) {
  const t = Math.floor((event.offsetX - heat.left) / heat.column), row = Math.floor(event.offsetY / heat.row);
  return {unit: heat.order[Math.min(Math.max(row, 0), H - 1)], t: Math.min(Math.max(t, 0), T - 1)};
}

function moveInHeat(event) {
  const [down, right] = {ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1]}[event.key] || [];
  if (down === undefined) return;
  event.preventDefault();
  const row = heat.order.indexOf(now.unit) + down, t = now.t + right;
  if (heat.order[row] !== undefined && within(t)) go({unit: heat.order[row], t});
}

// ---- the beginning

function keys(event) {
  if (["INPUT", "SELECT", "CANVAS"].includes(event.target.tagName) || event.ctrlKey || event.metaKey || event.altKey) return;
  const pressed = event.target.closest("button, .quantity"), scrub = +byId("scrubber").value;
  const act = {
    ArrowRight: () => event.shiftKey ? scrubTo(Math.min(scrub + 1, 2 * T)) : step(1),
    ArrowLeft: () => event.shiftKey ? scrubTo(Math.max(scrub - 1, 0)) : step(-1),
    Home: () => scrubTo(0, 0), End: () => scrubTo(2 * T), b: turn, " ": pressed ? null : play,
  }[event.key];
  if (act) { event.preventDefault(); act(); }
}

function press(group) {
  const name = group.dataset.name, gradient = name === "y" ? "dlogits" : `d${name}`;
  select(now.direction === "backward" && lineOf("backward", gradient) >= 0 ? gradient : name, now.t);
}

function begin() {
  const most = Math.max(...trace.surprisal, 1e-9);
  byId("text").append(...trace.tokens.map((token, t) => {
    const bits = t ? trace.surprisal[t - 1] : null, word = t ? `${bits.toFixed(2)} bits of surprise` : "the first token";
    const button = element("button", {title: word, ariaLabel: `${token}, t = ${t}, ${word}`}, element("bdi", {textContent: token}));
    if (t) button.style.background = `color-mix(in srgb, var(--orange) ${Math.round(55 * bits / most)}%, transparent)`;
    button.onclick = () => go({direction: atLoss() ? "forward" : now.direction, t: Math.min(t, T - 1), row: Infinity, name: null});
    return element("li", {}, button);
  }));
  byId("darkest").textContent = `The darkest: ${most.toFixed(2)} bits.`;
  byId("origin").textContent = trace.origin;
  byId("reach-words").textContent = `Each bar is the size (the norm over all units) of the gradient that the loss of the last token alone sends back to ${CARRIER[0]}_t.`;
  byId("heat-name").append(...Object.keys(numbers).filter(name => numbers[name].shape[1] === H && !/^x$|^dx$|W_|_prev|_next/.test(name))
    .map(name => element("option", {textContent: name, selected: name === (trace.cell === "lstm" ? "c_t" : "h_t")})));
  byId("scrubber").max = 2 * T;
  byId("unit").max = H - 1;
  if (layers) buildSliders(); else { drawReach(trace.reach); byId("changed").textContent = trace.tooLarge; }
  for (const [id, act] of Object.entries({back: () => step(-1), step: () => step(1), play, turn})) byId(id).onclick = act;
  byId("scrubber").oninput = event => scrubTo(+event.target.value);
  byId("unit").oninput = event => go({unit: Math.min(Math.max(Math.trunc(+event.target.value) || 0, 0), H - 1)});
  for (const group of document.querySelectorAll(".quantity[data-name]")) {
    group.onclick = () => press(group);
    group.onkeydown = event => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); press(group); } };
  }
  heat.canvas.onmousemove = event => { const {unit, t} = heatPlace(event); tellHeat(unit, t); };
  heat.canvas.onmouseleave = () => tellHeat(now.unit, now.t);
  heat.canvas.onclick = event => go(heatPlace(event));
  heat.canvas.onkeydown = moveInHeat;
  for (const id of ["heat-name", "heat-order"]) byId(id).onchange = drawHeat;
  document.addEventListener("keydown", keys);
  window.addEventListener("resize", drawHeat);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawHeat);
  go({row: trace.at === null ? 0 : Infinity});
}

begin();
