"""The page of step --html in a real browser: what it shows, step by step, is what the package computed."""

import json
import re
from itertools import product

import numpy as np
import pytest
from page_examples import PAGES, TOKENS, H, all_pages, assert_shown, number, page_of

from numpylm.stepping.page_data import reach
from numpylm.stepping.walk import run_once

HEIGHTS = "bars => bars.map(bar => parseFloat(bar.style.height))"
WIRES = "all => all.map(g => [g.dataset.name, ['.value', '.gradient'].map(part => g.querySelector(part).textContent)])"


@all_pages
def test_every_number_on_the_wires_is_the_traces_at_every_step(opened, name, layer):
    seen, model = opened(page_of(name, layer)), PAGES[name]
    run = run_once(model, TOKENS[:-1, None], TOKENS[1:, None])
    forward, backward = run.forward.trace.layers[layer].steps, run.layers[layer].steps
    letters = {"lstm": "ifoc", "gru": "", "rnn": ""}[model.cell.name]
    for t, unit in product(range(len(TOKENS) - 1), (0, 3)):
        seen.page.evaluate(f"go({{direction: 'backward', t: {t}, row: 1e9, unit: {unit}}})")
        wires = dict(seen.page.eval_on_selector_all(".quantity", WIRES))
        assert len(wires) >= 4 and all(all(texts) for texts in wires.values())
        target = TOKENS[t + 1]
        assert_shown(wires["y"][0], run.y[t, 0, target])
        assert_shown(wires.pop("y")[1], run.dlogits[t, 0, target])
        for wire, (value, gradient) in wires.items():
            gate = letters.find(wire[-1]) if wire.startswith("a_") else -1
            true = forward[t].a_t[0, gate * H + unit] if gate >= 0 else getattr(forward[t], wire)[0, unit]
            assert_shown(value, true)
            assert_shown(gradient, getattr(backward[t], f"d{wire}")[0, unit])
    assert seen.errors == seen.requests == []


@all_pages
def test_what_the_sliders_compute_is_what_the_package_computes(opened, name, layer):
    seen, model = opened(page_of(name, layer)), PAGES[name]
    found = seen.page.evaluate(f"compute(model, {TOKENS.tolist()}, {layer})")
    inputs, targets = TOKENS[:-1, None], TOKENS[1:, None]
    assert found["loss"] == pytest.approx(model.loss_and_gradients(inputs, targets).loss, rel=1e-12)
    for kind, true in reach(model, inputs, targets, layer).items():
        np.testing.assert_allclose(found["reach"][kind], true, rtol=1e-10, atol=1e-14, err_msg=kind)
    for values in (
        {"bias": 0.5, "row": 1, "column": 2, "weight": -1.25, "at": 2, "token": 0},
        {"bias": -3.0, "column": 3, "weight": 2.5},
    ):
        values["matrix"] = seen.page.eval_on_selector("#matrix", "select => select.options[1].value")
        seen.page.evaluate(SET, values)
        tokens = TOKENS.copy()
        if "token" in values:
            tokens[values["at"]] = values["token"]
        other = model.with_parameters({key: array.copy() for key, array in model.parameters().items()})
        parameters = other.layer_parameters(layer)
        getattr(parameters, {"rnn": "b_h", "lstm": "b_f", "gru": "b_z"}[model.cell.name])[:] += values["bias"]
        getattr(parameters, values["matrix"])[values.get("row", 0), values["column"]] += values["weight"]
        loss = other.loss_and_gradients(tokens[:-1, None], tokens[1:, None]).loss
        changed = seen.page.inner_text("#changed")
        words = re.fullmatch(r"Loss: .* → (.*) nats per token\. Gradient at t = 0: .* → (.*)\.", changed)
        after = reach(other, tokens[:-1, None], tokens[1:, None], layer)
        assert_shown(words[1], loss)
        assert_shown(words[2], after["total"][0])
        heights = seen.page.eval_on_selector_all("#reach .rest", HEIGHTS)
        largest = max(after["rest"] + after["gates"])
        np.testing.assert_allclose(heights, 100 * np.array(after["rest"]) / largest, atol=0.01)
    seen.page.click("#sliders button[type=reset]")
    seen.page.wait_for_function("document.forms.sliders.bias.value === '0'")
    assert seen.errors == seen.requests == []


SET = """values => {
  byId("sliders").reset();
  const form = byId("sliders").elements;
  for (const [name, value] of Object.entries(values)) form[name].value = value;
  form.bias.dispatchEvent(new Event("input", {bubbles: true}));
}"""


@all_pages
def test_how_far_the_last_prediction_reaches(name, layer):
    """Against a model whose only target is the last one, and the paths of an LSTM written out."""
    model, inputs = PAGES[name], TOKENS[:-1, None]
    targets = np.array([-1, -1, -1, -1, TOKENS[-1]])[:, None]
    found, steps = reach(model, inputs, TOKENS[1:, None], layer), run_once(model, inputs, targets).layers[layer].steps
    trace = run_once(model, inputs, targets).forward.trace.layers[layer].steps
    field, gate = {"rnn": ("dh_t", None), "lstm": ("dc_t", "f_t"), "gru": ("dh_t", "z_t")}[model.cell.name]
    for t in range(5):
        total = getattr(steps[t], field)[0]
        factors = [getattr(trace[s], gate)[0] for s in range(t + 1, 5)] if gate else [0]
        kept = getattr(steps[-1], field)[0] * np.prod(factors, axis=0)
        assert found["total"][t] == pytest.approx(np.linalg.norm(total), rel=1e-12)
        assert found["gates"][t] == pytest.approx(np.linalg.norm(kept), rel=1e-12)
        assert found["rest"][t] == pytest.approx(np.linalg.norm(total - kept), rel=1e-10, abs=1e-16)


def test_stepping_through_the_pass_by_keyboard(opened):
    page = opened(page_of("lstm")).page
    current = lambda: page.inner_text(".listing .current code >> visible=true")  # noqa: E731
    where = lambda: page.inner_text("#where")  # noqa: E731
    assert where().startswith("Forward, t = 0: reads “d”") and current() == "x = E[tokens]"
    for _ in range(7):
        page.keyboard.press("ArrowRight")
    assert current() == "c_t = f_t * c_prev + i_t * c_tilde_t"
    assert page.inner_text("#quantity h2").startswith("c_t")
    assert page.get_attribute(".quantity.current", "data-name") == "c_t"
    page.keyboard.press("Shift+ArrowRight")
    assert where().startswith("Forward, t = 1")
    page.keyboard.press("End")
    assert where().startswith("Backward, t = 0") and "dx" in current()
    page.keyboard.press("b")
    assert where().startswith("Forward, t = 0")
    page.keyboard.press("Home")
    page.focus(".quantity[data-name=f_t]")
    page.keyboard.press("Enter")
    assert current() == "f_t = sigmoid(a_f)"
    page.focus("#scrubber")
    for expected in [f"Forward, t = {t}" for t in range(1, 5)] + ["The loss", "Backward, t = 4"]:
        page.keyboard.press("ArrowRight")
        assert where().startswith(expected)


def test_the_heat_map_is_a_table_of_all_units_which_arrows_walk(opened):
    page, steps = opened(page_of("lstm")).page, run_once(PAGES["lstm"], TOKENS[:-1, None], TOKENS[1:, None])
    c = np.stack([step.c_t[0] for step in steps.forward.trace.layers[0].steps])  # (T, H)
    titles = page.eval_on_selector_all("#heat td", "all => all.map(cell => cell.title)")
    order = np.lexsort((np.arange(H), c.argmax(axis=0)))
    for title, (unit, t) in zip(titles, product(order, range(5)), strict=True):
        label, value = title.rsplit(": ", 1)
        assert label.startswith(f"c_t, unit {unit}, t = {t}, “")
        assert_shown(value, c[t, unit])
    page.focus("#heat")
    row = list(order).index(0)
    for key, by in (("ArrowDown", 1), ("ArrowUp", -1), ("ArrowUp", -1), ("ArrowUp", -1), ("ArrowDown", 1)):
        page.keyboard.press(key)
        row = min(max(row + by, 0), H - 1)
    for key in ("ArrowRight", "ArrowRight", "ArrowLeft"):
        page.keyboard.press(key)
    unit = order[row]
    assert page.inner_text("#heat-value").startswith(f"c_t, unit {unit}, t = 1,")
    assert page.inner_text("#where").startswith("Forward, t = 1") and page.input_value("#unit") == str(unit)
    page.hover("#heat tr:nth-child(3) td:nth-child(4)")
    assert page.inner_text("#heat-value") == titles[2 * 5 + 2]


def test_a_whole_pass_shows_every_line_and_no_error(opened):
    seen = opened(page_of("gru, two layers", 1))
    count = seen.page.evaluate("lines.forward.length * T + 1 + lines.backward.length * T")
    place = "{ const place = `${now.direction} ${now.t} ${now.row}`; step(1); return place; }"
    places = seen.page.evaluate(f"Array.from({{length: {count} + 3}}, () => {place})")
    assert len(set(places)) == count and places[-1] == places[count - 1]
    assert seen.errors == []


def test_a_quantity_says_where_it_comes_from_and_where_it_goes(opened):
    page = opened(page_of("lstm")).page
    page.evaluate("go({t: 2, row: 0})")
    page.click(".quantity[data-name=c_t]")
    chips = [[chip.inner_text() for chip in row.locator("button").all()] for row in page.locator(".chips").all()]
    assert chips[0] == ["f_t", "c_prev", "i_t", "c_tilde_t"] and sorted(chips[1]) == ["c_prev at t = 3", "tanh_c_t"]
    page.click("text=c_prev at t = 3")
    assert page.inner_text("#where").startswith("Forward, t = 3")
    assert page.inner_text("#quantity h2").startswith("c_prev")


@all_pages
def test_every_formula_with_its_numbers_gives_the_number_that_it_says(opened, name, layer):
    page = opened(page_of(name, layer)).page
    meaning = {"σ": lambda a: 1 / (1 + np.exp(-a)), "tanh": np.tanh, "relu": lambda a: max(a, 0)}
    texts = [text for unit in (0, 3) for text in page.evaluate(FORMULAS, unit)]
    for text in texts:
        _, formula, result = text.split(" = ")
        formula = formula.replace("−", "-").replace("×", "*")
        if "x W" not in formula:  # a matrix product whose x is not in the page
            assert eval(formula, meaning) == pytest.approx(number(result)[0], abs=1e-3, rel=0.1), text
    assert len(texts) >= {"rnn": 12, "lstm": 56, "gru": 46}[PAGES[name].cell.name]


FORMULAS = """unit => ["forward", "backward"].flatMap(direction => lines[direction].flatMap((_, row) => {
  go({direction, t: 2, row, unit});
  return every(`.${direction}-formula`).map(text => text.textContent);
}))"""


def test_the_two_gradients_add_up(opened):
    """The second bar begins where the first ends, and the third has its end where the second has."""
    page = opened(page_of("lstm")).page
    for t in range(5):
        page.evaluate(f"go({{direction: 'backward', t: {t}, row: 1e9}})")
        for bars in page.eval_on_selector_all("#meetings .sum", MEETINGS):
            numbers = [number(text)[0] for _, _, text in bars]
            assert numbers[0] + numbers[1] == pytest.approx(numbers[2], abs=1.6e-4)
            starts_and_ends = [
                (left, left + width) if size >= 0 else (left + width, left)
                for (left, width, _), size in zip(bars, numbers, strict=True)
            ]
            (zero, first), (start, second), (again, end) = starts_and_ends
            assert (start, again, end) == pytest.approx((first, zero, second), abs=1e-3)


MEETINGS = """all => all.map(sum => [...sum.querySelectorAll(".track")].map(({firstChild: {style}, nextSibling}) =>
  [parseFloat(style.left), parseFloat(style.width), nextSibling.textContent]))"""


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("name", ["lstm", "gru, two layers", "rnn"])
def test_nothing_scrolls_sideways(opened, width, name):
    seen = opened(page_of(name, names=("a token", "with an é", "W" * 12, "漢字漢字漢字漢字", "x")), width=width)
    for direction in ("forward", "backward"):
        seen.page.evaluate(f"go({{direction: '{direction}', t: 2, row: 1e9}})")
        assert seen.page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read_on_its_background(opened, scheme):
    """WCAG 2's contrast of at least 4.5 for every colour that text has, on paper and on panels."""
    page = opened(page_of("lstm"), color_scheme=scheme).page
    names = ("paper", "panel", "ink", "soft", "blue", "orange", "green")
    colours = page.evaluate(
        f"{json.dumps(names)}.map(name => getComputedStyle(document.documentElement).getPropertyValue('--' + name))"
    )
    light = {name: luminance(colour.strip()) for name, colour in zip(names, colours, strict=True)}
    for name, ground in product(names[2:], names[:2]):
        low, high = sorted([light[name], light[ground]])
        assert (high + 0.05) / (low + 0.05) >= 4.5, (name, ground)


def luminance(colour):
    channels = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return np.dot([0.2126, 0.7152, 0.0722], linear)


def test_every_control_has_a_name_and_quantities_are_buttons(opened):
    page = opened(page_of("lstm")).page
    unnamed = "all => all.filter(e => !(e.ariaLabel || e.textContent.trim() || e.labels?.length || e.title)).length"
    assert page.eval_on_selector_all("button, select, input, svg, .quantity, td, [role=img]", unnamed) == 0
    assert page.locator(".quantity[tabindex='0'][role=button]").count() == 14
    page.evaluate("go({direction: 'backward', t: 1, row: 1e9})")
    for name in ("c_t", "a_f"):
        wire = page.locator(f".quantity[data-name={name}]")
        value, gradient = (wire.locator(part).text_content() for part in (".value", ".gradient"))
        assert value and wire.get_attribute("aria-label").endswith(f", {value}, {gradient}")
