"""Optimizers against their equations, entry by entry in plain Python, and against PyTorch's."""

import math

import numpy as np
import pytest
from gradient_proofs import assert_same, read_only

from numpylm import SGD, Adagrad, Adam, Momentum, RMSProp
from numpylm.optimizers import OPTIMIZERS

STEPS = 12
RATES = [0.3] * 5 + [0.07] * 7  # the learning rate changes on the way


def problem(dtype=np.float64):
    """Parameters, and gradients that change in size, sign and sparsity from step to step."""
    rng = np.random.default_rng(0)
    shapes = {"E": (3, 2), "W_hh": (2, 2), "b_y": (4,)}

    def draw(size=1.0, kept=1.0):
        return {q: (size * rng.standard_normal(s) * (rng.random(s) < kept)).astype(dtype) for q, s in shapes.items()}

    return draw(), [draw(10.0 ** (k % 3 - 1), kept=0.8) for k in range(STEPS)]


def copied(arrays):
    return {name: array.copy() for name, array in arrays.items()}


def run(optimizer, parameters, gradients):
    """The parameters' values after each step."""
    history = []
    for rate, gradient in zip(RATES, gradients, strict=True):
        optimizer.learning_rate = rate
        optimizer.step(parameters, gradient)
        history.append(copied(parameters))
    return history


def sgd(theta, alpha, g, k, memory):
    return theta - alpha * g


def momentum(theta, alpha, g, k, memory):
    memory["v"] = 0.8 * memory.get("v", 0) + g
    return theta - alpha * memory["v"]


def adagrad(theta, alpha, g, k, memory):
    memory["s"] = memory.get("s", 0) + g**2
    return theta - alpha * g / (math.sqrt(memory["s"]) + 1e-3)


def rmsprop(theta, alpha, g, k, memory):
    memory["s"] = 0.7 * memory.get("s", 0) + 0.3 * g**2
    return theta - alpha * g / (math.sqrt(memory["s"]) + 1e-3)


def adam(theta, alpha, g, k, memory):
    memory["m"] = 0.8 * memory.get("m", 0) + 0.2 * g
    memory["v"] = 0.9 * memory.get("v", 0) + 0.1 * g**2
    m_hat, v_hat = memory["m"] / (1 - 0.8**k), memory["v"] / (1 - 0.9**k)
    return theta - alpha * m_hat / (math.sqrt(v_hat) + 1e-3)


CASES = [  # with an epsilon so large that where it stands, inside or outside the root, shows
    (SGD, {}, sgd, "SGD", {}),
    (Momentum, {"momentum": 0.8}, momentum, "SGD", {"momentum": 0.8}),
    (Adagrad, {"epsilon": 1e-3}, adagrad, "Adagrad", {"eps": 1e-3}),
    (RMSProp, {"decay": 0.7, "epsilon": 1e-3}, rmsprop, "RMSprop", {"alpha": 0.7, "eps": 1e-3}),
    (Adam, {"beta1": 0.8, "beta2": 0.9, "epsilon": 1e-3}, adam, "Adam", {"betas": (0.8, 0.9), "eps": 1e-3}),
]
every_case = pytest.mark.parametrize(("optimizer", "options", "equation", "name", "torch_options"), CASES)
every_optimizer = pytest.mark.parametrize("optimizer", OPTIMIZERS.values())


@every_case
def test_every_step_of_every_entry_is_the_equations(optimizer, options, equation, name, torch_options):
    parameters, gradients = problem()
    start = copied(parameters)
    history = run(optimizer(**options), parameters, gradients)
    for key, array in start.items():
        for index in np.ndindex(array.shape):
            theta, memory = array[index], {}
            for k, (alpha, gradient) in enumerate(zip(RATES, gradients, strict=True), start=1):
                theta = equation(theta, alpha, gradient[key][index], k, memory)
                assert history[k - 1][key][index] == pytest.approx(theta, rel=1e-11, abs=1e-11), (key, index, k)


@every_case
def test_every_step_is_pytorchs(optimizer, options, equation, name, torch_options):
    torch = pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")
    parameters, gradients = problem()
    tensors = {key: torch.tensor(array, requires_grad=True) for key, array in parameters.items()}
    theirs = getattr(torch.optim, name)(tensors.values(), lr=RATES[0], **torch_options)
    history = run(optimizer(**options), parameters, gradients)
    for rate, gradient, values in zip(RATES, gradients, history, strict=True):
        theirs.param_groups[0]["lr"] = rate
        for key, tensor in tensors.items():
            tensor.grad = torch.tensor(gradient[key])
        theirs.step()
        for key, tensor in tensors.items():
            np.testing.assert_allclose(values[key], tensor.detach().numpy(), rtol=0, atol=1e-10, err_msg=key)


@every_optimizer
def test_the_live_arrays_change_and_the_gradients_do_not(optimizer):
    parameters, gradients = problem()
    arrays, start = dict(parameters), copied(parameters)
    optimizer().step(parameters, {name: np.zeros_like(array) for name, array in parameters.items()})
    assert_same(parameters, start)  # after a first gradient of zero
    run(optimizer(), parameters, read_only(gradients))
    for name, array in parameters.items():
        assert array is arrays[name] and not np.array_equal(array, start[name])


@every_optimizer
def test_a_float32_step_is_that_of_float64_to_rounding_and_its_memory_is_float32(optimizer):
    (parameters, gradients), (doubles, in_double), ours = problem(np.float32), problem(), optimizer()
    for single, double in zip(run(ours, parameters, gradients), run(optimizer(), doubles, in_double), strict=True):
        for name in parameters:
            np.testing.assert_allclose(single[name], double[name], rtol=1e-4, atol=1e-4)
    for by_name in ours.memory.values():
        assert list(by_name) == list(parameters)
        assert all(array.shape == parameters[name].shape and array.dtype == "f4" for name, array in by_name.items())


@every_optimizer
def test_steps_and_memory_are_all_that_an_optimizer_remembers(optimizer):
    """A new optimizer that is given both goes on bit for bit: a checkpoint relies on this."""
    parameters, gradients = problem()
    first, second = optimizer(), optimizer()
    assert first.memory == {slot: {} for slot in first.slots}
    first.step(parameters, gradients[0])
    copies = copied(parameters)
    second.num_steps, second.memory = first.num_steps, {slot: copied(q) for slot, q in first.memory.items()}
    for gradient in gradients[1:]:
        first.step(parameters, gradient)
        second.step(copies, gradient)
    assert_same(parameters, copies)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda g: None, "gradients must be a dict, name -> array; got NoneType"),
        (lambda g: g | {"b_y": g["b_y"].tolist()}, r"gradients\['b_y'\] must be a NumPy array; got list of 4"),
        (lambda g: g | {"b_y": g["b_y"] * 1j}, "gradient of b_y must be of its dtype float64; got complex128"),
        (lambda g: {"E": g["E"], "W_hh": g["W_hh"]}, r"missing: \['b_y'\]"),
        (lambda g: g | {"W_xx": g["b_y"]}, r"without parameter: \['W_xx'\]"),
        (lambda g: g | {"b_y": g["b_y"][:1]}, r"the gradient of b_y must be of its shape \(4,\); got \(1,\)"),
    ],
)
def test_gradients_that_do_not_fit_are_refused_before_anything_is_changed(spoil, message):
    parameters, gradients = problem()
    optimizer = Adam()
    optimizer.step(parameters, gradients[0])
    before, memory = copied(parameters), {slot: copied(by_name) for slot, by_name in optimizer.memory.items()}
    with pytest.raises((TypeError, ValueError), match=message):
        optimizer.step(parameters, spoil(gradients[1]))
    parameters["b_y"].flags.writeable = False
    with pytest.raises(ValueError, match="parameter b_y must be an array that can be written to"):
        optimizer.step(parameters, gradients[1])
    other = parameters | {"b_y": np.zeros(5)}
    with pytest.raises(ValueError, match=r"remembers a b_y of shape \(4,\); got one of \(5,\)"):
        optimizer.step(other, gradients[1] | {"b_y": np.ones(5)})
    assert optimizer.num_steps == 1 and not other["b_y"].any()
    assert_same([parameters, optimizer.memory], [before, memory])


DEFAULTS = {
    "sgd": {"learning_rate": 1.0},
    "momentum": {"learning_rate": 0.1, "momentum": 0.9},
    "adagrad": {"learning_rate": 0.1, "epsilon": 1e-8},
    "rmsprop": {"learning_rate": 0.002, "decay": 0.95, "epsilon": 1e-8},
    "adam": {"learning_rate": 0.001, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8},
}


@pytest.mark.parametrize(("name", "defaults"), DEFAULTS.items())
def test_arguments_have_defaults_and_limits(name, defaults):
    assert list(OPTIMIZERS) == list(DEFAULTS)
    assert {argument: getattr(OPTIMIZERS[name](), argument) for argument in defaults} == defaults
    for argument in defaults:
        above_zero = argument in ("learning_rate", "epsilon")
        for wrong in (
            (0, -0.1, math.inf, math.nan, "0.1", None, True) if above_zero else (1, -0.1, math.nan, "0.9", False)
        ):
            with pytest.raises(ValueError, match=argument):
                OPTIMIZERS[name](**{argument: wrong})
