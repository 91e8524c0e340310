"use strict";
// The package's forward and backward pass once more, in plain JavaScript, so that the page can compute with other
// weights. N is 1: a vector is a Float64Array, and W (n, m) lies row by row. tests/test_step_page.py compares the numbers.

const sigmoid = a => 0.5 * (1 + Math.tanh(0.5 * a));
const add = (a, b) => a.map((value, k) => value + b[k]);
const times = (a, b) => a.map((value, k) => value * b[k]);
const norm = a => Math.hypot(...a);
const zeros = n => new Float64Array(n);
const gates = (packed, count) =>
  Array.from({length: count}, (_, g) => packed.subarray(g * packed.length / count, (g + 1) * packed.length / count));

const joined = (...parts) => Float64Array.from(parts.flatMap(part => [...part]));
const product = ({shape: [, m], data}, x) =>  // x W
  zeros(m).map((_, k) => x.reduce((sum, value, j) => sum + value * data[j * m + k], 0));
const transposed = ({shape: [n, m], data}, dy) =>  // dy Wᵀ
  zeros(n).map((_, j) => dy.reduce((sum, value, k) => sum + value * data[j * m + k], 0));

const CELLS = {
  rnn: {
    step(p, x, h_prev, _, relu) {
      const a = add(add(product(p.W_xh, x), p.b_h.data), product(p.W_hh, h_prev));
      return {h_prev, h: a.map(relu ? v => Math.max(v, 0) : Math.tanh)};  // (1)
    },
    back(p, q, dh, _, relu) {
      const da = times(dh, q.h.map(relu ? v => +(v > 0) : v => 1 - v * v));
      return {dh, dx: transposed(p.W_xh, da), dh_prev: transposed(p.W_hh, da)};
    },
    carried: null,
  },
  lstm: {
    step(p, x, h_prev, c_prev) {
      const a = gates(add(add(product(p.W_x, x), p.b.data), product(p.W_h, h_prev)), 4);
      const [i, f, o] = a.slice(0, 3).map(gate => gate.map(sigmoid)), c_tilde = a[3].map(Math.tanh);  // (3) to (6)
      const c = add(times(f, c_prev), times(i, c_tilde)), tanh_c = c.map(Math.tanh);  // (7)
      return {h_prev, c_prev, i, f, o, c_tilde, c, tanh_c, h: times(o, tanh_c)};  // (8)
    },
    back(p, q, dh, dc_next) {
      const dc = add(dc_next, times(times(dh, q.o), q.tanh_c.map(v => 1 - v * v)));  // (7) at t + 1, and (8)
      const slope = gate => gate.map(s => s * (1 - s));
      const da = joined(
        times(times(dc, q.c_tilde), slope(q.i)), times(times(dc, q.c_prev), slope(q.f)),
        times(times(dh, q.tanh_c), slope(q.o)), times(times(dc, q.i), q.c_tilde.map(v => 1 - v * v)));
      return {dh, dc, dx: transposed(p.W_x, da), dh_prev: transposed(p.W_h, da), dc_prev: times(dc, q.f)};
    },
    carried: "f",
  },
  gru: {
    step(p, x, h_prev) {
      const xW = gates(add(product(p.W_x, x), p.b.data), 3), hW = gates(product(p.W_h, h_prev), 3);
      const r = add(xW[0], hW[0]).map(sigmoid), z = add(xW[1], hW[1]).map(sigmoid);  // (10), (11)
      const hWb_n = add(hW[2], p.b_hn.data), n = add(xW[2], times(r, hWb_n)).map(Math.tanh);  // (12)
      return {h_prev, r, z, n, hWb_n, h: n.map((value, k) => (1 - z[k]) * value + z[k] * h_prev[k])};  // (13)
    },
    back(p, q, dh) {
      const da_n = dh.map((d, k) => d * (1 - q.z[k]) * (1 - q.n[k] ** 2));
      const da_z = dh.map((d, k) => d * (q.h_prev[k] - q.n[k]) * q.z[k] * (1 - q.z[k]));
      const da_r = da_n.map((d, k) => d * q.hWb_n[k] * q.r[k] * (1 - q.r[k]));
      const dhW = joined(da_r, da_z, times(da_n, q.r));
      return {
        dh, dx: transposed(p.W_x, joined(da_r, da_z, da_n)), dh_prev: add(times(dh, q.z), transposed(p.W_h, dhW)),
      };
    },
    carried: "z",
  },
};

// model: {cell, relu, E, W_hy, b_y, layers}; ids: T + 1 tokens. Gives the mean loss, and how far the last prediction's
// gradient reaches back in a layer: T norms of {total, gates, rest}, as reach in page_data.py has them.
// oxlint-disable-next-line no-unused-vars -- page.js calls it
function compute(model, ids, layer) {
  const cell = CELLS[model.cell], T = ids.length - 1, D = model.E.shape[1], H = model.W_hy.shape[0];
  const steps = model.layers.map(() => []);
  let loss = 0, dlogits;
  for (let t = 0; t < T; t++) {
    let x = model.E.data.subarray(ids[t] * D, (ids[t] + 1) * D);
    model.layers.forEach((p, l) => {
      const before = t ? steps[l][t - 1] : {h: zeros(H), c: zeros(H)};
      steps[l].push(cell.step(p, x, before.h, before.c, model.relu));
      x = steps[l][t].h;
    });
    const logits = add(product(model.W_hy, x), model.b_y.data), largest = Math.max(...logits);
    const e = logits.map(v => Math.exp(v - largest)), total = e.reduce((a, b) => a + b);
    loss += (Math.log(total) - logits[ids[t + 1]] + largest) / T;
    dlogits = e.map((v, k) => v / total - (k === ids[t + 1]));
  }
  return {loss, reach: back(model, cell, steps, transposed(model.W_hy, dlogits), layer)};
}

function back(model, cell, steps, dh_last, layer) {
  const T = steps[0].length, H = dh_last.length, q = model.cell === "lstm" ? "dc" : "dh";
  let from = Array.from({length: T}, (_, t) => t === T - 1 ? dh_last : zeros(H)), total = [];
  for (let l = steps.length - 1; l >= layer; l--) {
    let next = {dh_prev: zeros(H), dc_prev: zeros(H)};
    for (let t = T - 1; t >= 0; t--) {
      next = cell.back(model.layers[l], steps[l][t], add(from[t], next.dh_prev), next.dc_prev, model.relu);
      from[t] = next.dx;
      if (l === layer) total[t] = next[q];
    }
  }
  const kept = [];
  for (let t = T - 1; t >= 0; t--) kept[t] = !cell.carried ? zeros(H) :
    t === T - 1 ? total[t] : times(kept[t + 1], steps[layer][t + 1][cell.carried]);
  const rest = total.map((all, t) => norm(all.map((value, k) => value - kept[t][k])));
  return {total: total.map(norm), gates: kept.map(norm), rest};
}
