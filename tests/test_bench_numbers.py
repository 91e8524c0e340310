"""The benchmark's numbers: turns and ratios, the products that are counted, shapes, tables and pictures.

Time is made up here.
"""

import json
import math

import numpy as np
import pytest

from numpylm.bench import clock, products, report
from numpylm.bench.measurements import MEASUREMENTS, SCALING_SIZES
from numpylm.bench.shapes import GATES, SHAPES, Shape, pairs, parse_shape, random_batch

SHAPE = Shape("tiny", T=3, N=2, D=5, H=7, V=11)
TRAINING = MEASUREMENTS["training"]


@pytest.fixture
def at(monkeypatch):
    """A made-up time, a list of one number, that functions advance."""
    now = [0.0]
    monkeypatch.setattr(clock.time, "perf_counter", lambda: now[0])
    monkeypatch.setattr(clock, "CLOCKS", {"wall": lambda: now[0], "processor": lambda: now[0] / 2})
    return now


def taking(at, seconds, log, name):
    """A function that takes so long, and notes its name."""

    def function():
        at[0] += seconds
        log.append(name)

    return function


def test_all_have_a_turn_in_every_round_and_short_calls_fill_it(at):
    log = []
    functions = {name: taking(at, s, log, name) for name, s in (("a", clock.TURN / 4), ("b", 2.0))}
    times = clock.race(functions, rounds=2, seconds=0)
    assert "".join(log) == "aabb" + "aaaab" * 2, "one call uncounted, one to see how long it takes, then the rounds"
    assert times == {"a": [pytest.approx(clock.TURN / 4)] * 2, "b": [2.0, 2.0]}


def test_rounds_go_on_until_the_seconds_are_over_by_the_clock_that_is_asked_for(at):
    assert clock.race({"a": taking(at, 1.0, [], "a")}, 2, 4.5) == {"a": [1.0] * 5}
    assert clock.race({"a": taking(at, 1.0, [], "a")}, 2, 0, "processor") == {"a": [0.5] * 2}


def test_ratios_are_taken_within_a_round():
    assert clock.ratio([1.0, 10.0, 1.0], [2.0, 20.0, 2.0]) == 0.5
    assert clock.ratio([1.0, 3.0, 8.0], [1.0, 1.0, 4.0]) == 2.0
    assert [clock.is_tie(q) for q in (0.86, 0.88, 1.14, 1.16)] == [False, True, True, False]


@pytest.mark.parametrize("cell", GATES)
def test_the_products_are_those_of_a_step(cell, monkeypatch):
    done = []

    def matmul(a, b, out):
        done.append((*a.shape, b.shape[1]))
        assert out.dtype == a.dtype == b.dtype == np.float32
        assert b.shape != (GATES[cell] * SHAPE.H, SHAPE.H) or b.flags.c_contiguous, "W_h transposed, of the loop"
        return np.dot(a, b, out=out)

    step = products.products_step(cell, SHAPE, np.random.default_rng(0))
    monkeypatch.setattr(products.np, "matmul", matmul)
    step()
    _, T, N, D, H, V = SHAPE
    GH = GATES[cell] * H
    forward = [(T * N, D, GH), *[(N, H, GH)] * T, (T * N, H, V)]  # x W_x, h_t W_h, h W_hy
    backward = [(T * N, V, H), (H, T * N, V), *[(N, GH, H)] * T, (H, T * N, GH), (T * N, GH, D), (D, T * N, GH)]
    assert done == forward + backward
    assert sum(2 * A * B * C for A, B, C in done) == 6 * T * N * (D * GH + H * GH + H * V)


@pytest.mark.parametrize("cell", GATES)
def test_the_floor_has_the_products_the_activations_and_the_softmax(cell, monkeypatch):
    step = products.floor_step(cell, SHAPE, np.random.default_rng(0))
    done = []
    for name in ("matmul", "tanh", "exp"):
        call = getattr(np, name)
        monkeypatch.setattr(
            products.np, name, lambda *q, call=call, name=name, **out: done.append((name, q[0].size)) or call(*q, **out)
        )
    step()
    _, T, N, _, H, V = SHAPE
    assert sum(name == "matmul" for name, _ in done) == 7 + 2 * T
    assert sum(size for name, size in done if name == "tanh") == T * N * H * (GATES[cell] + (cell == "lstm"))
    assert [size for name, size in done if name == "exp"] == [T * N * V]


def test_shapes_are_names_or_five_sizes_and_d_is_the_rnns():
    assert parse_shape("b") == ("B", 50, 50, 128, 256, 96)
    assert parse_shape("3,2,4,5,7") == Shape("3,2,4,5,7", T=3, N=2, D=4, H=5, V=7)
    names = [(cell, shape.name) for cell, shape in pairs(("lstm", "rnn"), SHAPES.values())]
    assert names == [("lstm", name) for name in "ABCE"] + [("rnn", name) for name in "ABCDE"]
    batch = random_batch(Shape("tiny", T=40, N=30, D=2, H=2, V=7), np.random.default_rng(0))
    assert batch.shape == (2, 40, 30) and set(np.unique(batch[0])) == set(np.unique(batch[1])) == set(range(7))


@pytest.mark.parametrize("text", ["", "F", "3,2,4,5", "3,2,4,5,0", "3,2,4,5,x"])
def test_other_shapes_are_refused_by_what_was_given(text):
    with pytest.raises(ValueError, match=r"T,N,D,H,V above 0; got '" + text):
        parse_shape(text)


def row(cell="lstm", shape=SHAPES["A"], seconds=(1.0, 1.2, 2.0, 1.25), names=("products", "numpylm", "torch", "jax")):
    """A row with these thousandths of a second, in three rounds, of which the second is slow."""
    times = {name: [1e-3 * one * slow for slow in (1, 5, 1)] for name, one in zip(names, seconds, strict=True)}
    return {"cell": cell, "shape": list(shape), "seconds": times}


def test_a_line_has_times_ratios_and_ties_below_their_heads():
    head = report.heading(TRAINING, row()["seconds"]).splitlines()[-1]
    line = report.line(TRAINING, row())
    assert head.split() == ["numpylm", "torch", "JAX", "×", "products", "×", "torch", "×", "JAX"]
    assert line.split() == ["LSTM", "A", "1.20", "2.00", "1.25", "1.20", "0.60", "0.96", "≈"]
    assert head.index("numpylm") + 7 == line.index("1.20") + 4 and head.index("× torch") + 7 == line.index("0.60") + 6
    first, second = report.line(TRAINING, row(shape=("3,2,4,5,7", 3, 2, 4, 5, 7))).splitlines()
    assert (first, second) == ("LSTM 3,2,4,5,7", line.replace("LSTM A", "      "))


def scaling_row():
    """T costs T^0.9 from 100 on, and nothing more below; N costs sqrt(N)."""
    seconds = {f"T={size}": [9.0, 1e-3 * max(size, 100) ** 0.9, 1e-9] for size in SCALING_SIZES}
    seconds |= {f"N={size}": [1e-3 * math.sqrt(size)] * 3 for size in SCALING_SIZES}
    return {"cell": "lstm", "shape": list(SHAPES["A"]), "seconds": seconds}


def test_growth_is_the_slope_over_the_upper_decade_in_table_and_legend():
    text = report.scaling_table(scaling_row())
    assert "time grows as T^0.90 over the upper decade" in text and "as N^0.50 over" in text
    assert max(map(len, text.splitlines())) <= 80
    assert report.power(scaling_row(), "T", smallest=0) < 0.7
    pytest.importorskip("matplotlib")
    legend = report.scaling_figure(scaling_row()).axes[0].get_legend().get_texts()
    expected = ["T$^{0.90}$", "N$^{0.50}$", "linear: slope 1"]
    assert [text.get_text().split("~ ")[-1] for text in legend] == expected


def test_the_committed_run_can_be_shown():
    from test_readme import ROOT

    found = json.loads((ROOT / "benchmarks" / "results" / "speed.json").read_text(encoding="utf-8"))
    nine = [row for row in found["training"] if row["cell"] != "gru"]
    assert report.footer(nine).split()[2:4] == ["1.28", "0.75"]
    assert report.memory_table(found["memory"]).splitlines()[2].split() == ["LSTM", "C", "numpylm", "114"]
