"""The walk through one pass (numpylm/stepping): its numbers are the model's, each gradient's proof is a proof, and a
mistake in a line is found at that line."""

import ast

import numpy as np
import pytest

from numpylm.lstm import lstm_step
from numpylm.model import GRULM, LSTMLM, RNNLM, make_model
from numpylm.stepping.backward_sections import backward_sections, contributions
from numpylm.stepping.computation import PARAMETER, Computation, Place
from numpylm.stepping.formulas import assignments, call_in, equations_of, formulas_of, groups_of, helpers_of
from numpylm.stepping.forward_sections import forward_sections
from numpylm.stepping.layout import shown_indices
from numpylm.stepping.show import show
from numpylm.stepping.taps import functions_of, sources_of, tapped_model
from numpylm.stepping.walk import Entry, Walk

T, D, H, V = 3, 2, 3, 5
TOKENS = np.array([[3], [1], [1], [4]])  # a token that occurs twice: its row of dE is a sum
MODELS = {
    "rnn": RNNLM(V, D, H),
    "rnn, relu, two layers": RNNLM(V, D, H, nonlinearity="relu", num_layers=2),
    "lstm": LSTMLM(V, D, H),
    "lstm, tied, two layers": LSTMLM(V, H, H, tie_weights=True, num_layers=2),
    "gru, two layers": GRULM(V, D, H, num_layers=2),
}
all_models = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
all_cells = pytest.mark.parametrize("name", ["rnn", "lstm", "gru, two layers"])


def drawn(model, seed=3):
    """A model of this kind in float64, with parameters of order one, biases too; no ReLU layer of it is all zero."""
    rng = np.random.default_rng(seed)
    parameters = {name: rng.standard_normal(array.shape) for name, array in model.parameters().items()}
    return make_model(model.cell, model.sizes, parameters)


def walk_of(model, sources=None):
    model = drawn(model)
    return Walk(Computation(model, TOKENS[:-1], TOKENS[1:], sources), list("looks"), sources)


def entries(walk, sections):
    layers, steps = range(walk.L), list(range(walk.T))
    return ((section, entry) for section in sections(walk, list(layers), steps) for entry in section.entries)


@all_models
def test_what_is_shown_is_what_the_model_computes_to_the_last_bit(model):
    walk, model = walk_of(model), drawn(model)
    out = model.loss_and_gradients(TOKENS[:-1], TOKENS[1:])
    assert walk.computation.loss == out.loss
    for name, gradient in out.gradients.items():
        assert np.array_equal(walk.computation.gradients[name], gradient), name
    for layer, trace in enumerate(model.forward(TOKENS[:-1]).trace.layers):
        for t, step in enumerate(trace.steps):
            for name, value in step._asdict().items():
                shown = walk.value(walk.step, name, walk.forward_time(layer, t))
                assert np.array_equal(shown, value), (layer, t, name)


@all_models
def test_the_model_and_its_functions_are_left_as_they_were(model):
    model = drawn(model)
    before = {name: array.copy() for name, array in model.parameters().items()}
    functions = functions_of(model.cell)
    sources = sources_of(model.cell)
    walk = Walk(Computation(model, TOKENS[:-1], TOKENS[1:]), list("looks"))
    walk.computation.derivative(Place(PARAMETER, "E"), np.ones((V, model.sizes.embedding_dim)))
    assert functions_of(model.cell) == functions and sources_of(model.cell) == sources
    assert all(np.array_equal(before[name], array) for name, array in model.parameters().items())


@all_models
def test_every_gradient_is_proved(model):
    walk = walk_of(model)
    proved = 0
    for section, entry in entries(walk, backward_sections):
        if entry.place is None:
            assert not entry.value.any() and "zeros" in entry.formulas[0].text, (section.title, entry.symbol)
        else:
            check = walk.computation.check(entry.value, entry.place, [])
            assert check.ok and check.error < 1e-13, (section.title, entry.symbol, check)
            assert np.isfinite(check.numeric).all()
            proved += 1
    assert proved > 20


@all_models
def test_every_line_of_the_cell_is_shown_at_every_step(model):
    walk = walk_of(model)
    for function, sections in ((walk.step, forward_sections), (walk.step_backward, backward_sections)):
        titles = [section for section in sections(walk, [0], [0, 1, 2]) if section.function is walk.functions[function]]
        assert len(titles) == T
        for section in titles:
            shown = [found.text for entry in section.entries for found in entry.formulas]
            lines = [line.text for _, _, found in groups_of(walk.sources[function]) for line in found]
            assert [text for text in shown if text in lines] == [text for text in lines if "NONLINEARITIES" not in text]


def first_wrong(walk):
    """The first gradient, in the order of the computation, that its check refuses, with its section."""
    for section, entry in entries(walk, backward_sections):
        if entry.place is not None and not walk.computation.check(entry.value, entry.place, []).ok:
            return section, entry
    return None


def with_factor(source, name):
    """A function's source in which the last value that a name is given is a hundredth too large."""
    tree = ast.parse(source)
    statement = assignments(tree.body[0])[name][-1]
    statement.value = ast.BinOp(ast.Constant(1.01), ast.Mult(), statement.value)
    return ast.unparse(ast.fix_missing_locations(tree))


@all_cells
def test_a_mistake_in_any_line_of_a_step_is_found_at_that_line(name):
    cell = MODELS[name].cell
    function = f"{cell.name}_step_backward"
    sources = sources_of(cell)
    quantities = [name for name in formulas_of(sources[function]) if name.startswith("d")]
    assert len(quantities) >= 2
    for quantity in quantities:
        walk = walk_of(MODELS[name], {**sources, function: with_factor(sources[function], quantity)})
        section, entry = first_wrong(walk)
        assert entry.symbol == quantity and section.title.startswith(f"Back through t = {T - 1}")


@pytest.mark.parametrize(
    ("function", "name", "first"),
    [
        ("cross_entropy_backward", "dlogits", "dlogits[0] (From the loss to the logits)"),
        ("affine_backward", "dW", "dW_hy (Through the projection)"),
        ("affine_backward", "db", "db_y (Through the projection)"),
        ("lstm_backward", "dW_h", "dW_h (The sums over time)"),
        ("embedding_backward", "dx_t", "dE (To the embedding)"),
    ],
)
def test_a_mistake_around_the_cell_is_found_too(function, name, first):
    sources = sources_of(MODELS["lstm"].cell)
    source = sources[function]
    if name == "dlogits":  # its last line sets what is not predicted
        changed = source.replace("return dlogits", "return 1.01 * dlogits")
        changed = changed.replace("np.divide(y, M, out=out)", "1.01 * y / M")
    elif name == "dx_t":
        changed = source.replace("+= dx_t", "+= 1.01 * dx_t")
    else:
        changed = with_factor(source, name)
    assert changed != source
    walk = walk_of(MODELS["lstm"], {**sources, function: changed})
    section, entry = first_wrong(walk)
    assert f"{entry.symbol} ({section.title})" == first


def test_a_gradient_left_out_between_steps_is_found_where_it_is_lost(capsys):
    sources = sources_of(MODELS["lstm"].cell)
    assert sources["lstm_backward"].count("dh[t] + dh_next") == 1
    changed = sources["lstm_backward"].replace("dh[t] + dh_next", "dh[t]")
    walk = walk_of(MODELS["lstm"], {**sources, "lstm_backward": changed})
    assert show(walk, backward_sections(walk, [0], [0, 1, 2]), 80)[2][0] == "dh_t (Back through t = 1)"
    out = capsys.readouterr().out
    before, after = out.split("Back through t = 1")
    assert "WRONG" not in before and after.count("WRONG by") > 10


@all_models
def test_the_steps_parts_of_the_recurrent_gradient_sum_to_it(model):
    walk = walk_of(model)
    name = "W_hh" if "W_hh" in walk.cell.Parameters._fields else "W_h"
    for layer in range(walk.L):
        parts = contributions(walk, layer, name, [0, 1, 2])
        prefix = f"layer_{layer}." if walk.L > 1 else ""
        total = walk.computation.gradients[f"{prefix}{name}"]
        assert np.allclose(sum(part.value for part in parts), total, rtol=1e-12, atol=1e-15)
        assert not parts[0].value.any(), "h_prev is zero at the beginning"
        assert all(walk.computation.check(part.value, part.place, []).ok for part in parts)
        assert not walk.computation.check(parts[1].value, parts[2].place, []).ok
    assert len(walk.computation.values[walk.step, "h_t"]) == walk.L * T, "what proves the parts is not part of the run"


def test_one_path_of_a_quantity_can_be_moved_alone():
    """The GRU's h_prev reaches h_t by itself, in (13), and through the gates: dh_prev is the sum of both."""
    walk = walk_of(MODELS["gru, two layers"])
    dh_prev, dh_carried = (walk.value(walk.step_backward, name, 0) for name in ("dh_prev", "dh_carried"))
    last = walk.forward_time(1, T - 1)
    for direction in np.eye(H)[:, None]:
        alone = walk.computation.derivative(Place(walk.step, "h_prev in h_t", last), direction)
        whole = walk.computation.derivative(Place(walk.step, "h_prev", last), direction)
        assert np.isclose(alone, (dh_carried * direction).sum(), rtol=1e-12)
        assert np.isclose(whole, (dh_prev * direction).sum(), rtol=1e-12)
        assert abs(alone - whole) > 1e-4


def test_the_numerical_derivative_is_that_of_the_untouched_model():
    """Against central differences of the package's own loss, which know of no tap."""
    model = drawn(MODELS["lstm"])
    computation = Computation(model, TOKENS[:-1], TOKENS[1:])
    rng = np.random.default_rng(1)
    for name, array in model.parameters().items():
        direction = rng.standard_normal(array.shape)
        losses = []
        for step in (1e-5, -1e-5):
            moved = {**model.parameters(), name: array + step * direction}
            losses.append(make_model(model.cell, model.sizes, moved).loss_and_gradients(TOKENS[:-1], TOKENS[1:]).loss)
        found = computation.derivative(Place(PARAMETER, name), direction)
        assert np.isclose(found, (losses[0] - losses[1]) / 2e-5, rtol=1e-6, atol=1e-9), name


def test_a_wrong_number_that_is_not_shown_is_found():
    model = drawn(LSTMLM(V, 4, 8))
    walk = Walk(Computation(model, TOKENS[:-1], TOKENS[1:]), list("looks"))
    gradient = walk.computation.gradients["W_h"]
    place = Place(PARAMETER, "W_h")
    shown = shown_indices(Entry("dW_h", gradient, gates="ifoc"))
    assert len(shown) == 4 * 4 * 4 and (0, 8) in shown and (0, 5) not in shown
    right = walk.computation.check(gradient, place, shown)
    assert right.ok and right.along < 1e-13 and np.isfinite(right.numeric).sum() == len(shown)
    wrong = gradient.copy()
    wrong[5, 5] += 0.001
    assert not walk.computation.check(wrong, place, shown).ok
    wrong = gradient.copy()
    wrong[0, 8] += 0.001
    assert not walk.computation.check(wrong, place, shown).ok


def test_taps_hear_each_value_in_order():
    heard = []

    def tap(function, name, value):
        heard.append((function, name))
        return value

    model = drawn(MODELS["lstm"])
    tapped_model(model, tap, sources_of(model.cell)).forward(TOKENS[:1])
    assert heard[:2] == [("embedding_forward", "tokens"), ("embedding_forward", "E")]
    names = [name for function, name in heard if function == "lstm_step" and " in " not in name]
    assert names[:4] == ["xW_t", "h_prev", "c_prev", "W_h"] and names[-1] == "return"
    assert names[4:-1] == list(formulas_of(sources_of(model.cell)["lstm_step"]))[:-1]


SOURCE = '''
    def f(x, y):
        """Doubles."""
        z = x * 2  # (7) at t + 1, and (8)
        z += g(y,
               x)
        y, w = z, 3
        for k in range(3):
            z[k] = w  # (3) to (6)
        return h(z)  # (9)
'''


def test_formulas_are_cut_out_of_the_source():
    formulas = formulas_of(SOURCE)
    assert formulas["z"] == (("z = x * 2", "(7), (8)"), ("z += g(y, x)", ""), ("z[k] = w", "(3) to (6)"))
    assert formulas["y"] == formulas["w"] == (("y, w = z, 3", ""),)
    assert formulas["return"] == (("return h(z)", "(9)"),)
    assert [(name, key, len(found)) for name, key, found in groups_of(SOURCE)] == [
        ("z", "z after 1", 2), ("y", "y", 1), ("w", "w", 1), ("z", "z", 1),
    ]  # fmt: skip
    assert call_in(SOURCE, "g") == "g(y, x)" and call_in(SOURCE, "absent") == ""
    helpers = helpers_of(lstm_step)
    assert list(helpers) == ["sigmoid", "gate_columns", "tanh"]
    assert helpers["tanh"] == "The hyperbolic tangent." and helpers["sigmoid"].startswith("σ(a), through the identity")
    assert equations_of("a = b   (1)\nc̃ = d  if e    (12)\n f (3)\ng = h") == [
        "a = b" + " " * 59 + "(1)", "c̃ = d   if e" + " " * 52 + "(12)",
    ]  # fmt: skip
