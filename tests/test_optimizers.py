"""Optimizers against their equations, entry by entry in plain Python, and against PyTorch's."""

import math

import numpy as np
import pytest
from gradient_proofs import read_only

from numpylm import SGD, Adagrad, Adam, Momentum, RMSProp
from numpylm.optimizers import OPTIMIZERS

STEPS = 12
RATES = [0.3] * 5 + [0.07] * 7  # the learning rate changes on the way


def problem(dtype=np.float64, seed=0):
    """Parameters, and gradients that change in size, sign and sparsity from step to step."""
    rng = np.random.default_rng(seed)
    shapes = {"E": (3, 2), "W_hh": (2, 2), "b_y": (4,)}
    parameters = {name: rng.standard_normal(shape).astype(dtype) for name, shape in shapes.items()}
    gradients = []
    for k in range(STEPS):
        gradients.append(
            {
                name: (10.0 ** (k % 3 - 1) * rng.standard_normal(shape) * (rng.random(shape) < 0.8)).astype(dtype)
                for name, shape in shapes.items()
            }
        )
    return parameters, gradients


def run(optimizer, parameters, gradients):
    """The parameters' values after each step."""
    history = []
    for rate, gradient in zip(RATES, gradients, strict=True):
        optimizer.learning_rate = rate
        optimizer.step(parameters, gradient)
        history.append({name: array.copy() for name, array in parameters.items()})
    return history


def sgd(theta, gs):
    for alpha, g in zip(RATES, gs, strict=True):
        theta = theta - alpha * g
        yield theta


def momentum(theta, gs):
    v = 0.0
    for alpha, g in zip(RATES, gs, strict=True):
        v = 0.9 * v + g
        theta = theta - alpha * v
        yield theta


def adagrad(theta, gs):
    s = 0.0
    for alpha, g in zip(RATES, gs, strict=True):
        s = s + g**2
        theta = theta - alpha * g / (math.sqrt(s) + 1e-8)
        yield theta


def rmsprop(theta, gs):
    s = 0.0
    for alpha, g in zip(RATES, gs, strict=True):
        s = 0.95 * s + 0.05 * g**2
        theta = theta - alpha * g / (math.sqrt(s) + 1e-8)
        yield theta


def adam(theta, gs):
    m = v = 0.0
    for k, (alpha, g) in enumerate(zip(RATES, gs, strict=True), start=1):
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + 0.001 * g**2
        m_hat = m / (1 - 0.9**k)
        v_hat = v / (1 - 0.999**k)
        theta = theta - alpha * m_hat / (math.sqrt(v_hat) + 1e-8)
        yield theta


EQUATIONS = [(SGD, sgd), (Momentum, momentum), (Adagrad, adagrad), (RMSProp, rmsprop), (Adam, adam)]
ALL = [optimizer for optimizer, _ in EQUATIONS]


@pytest.mark.parametrize(("optimizer", "equation"), EQUATIONS)
def test_every_step_of_every_entry_is_the_equations(optimizer, equation):
    parameters, gradients = problem()
    start = {name: array.copy() for name, array in parameters.items()}
    history = run(optimizer(), parameters, gradients)
    for name, array in start.items():
        for index in np.ndindex(array.shape):
            expected = list(equation(array[index], [gradient[name][index] for gradient in gradients]))
            got = [values[name][index] for values in history]
            np.testing.assert_allclose(got, expected, rtol=1e-11, atol=1e-11, err_msg=f"{name} {index}")


@pytest.mark.parametrize(
    ("ours", "name", "options"),
    [
        (SGD(), "SGD", {}),
        (Momentum(momentum=0.8), "SGD", {"momentum": 0.8}),
        (Adagrad(epsilon=1e-3), "Adagrad", {"eps": 1e-3}),
        (RMSProp(decay=0.7, epsilon=1e-3), "RMSprop", {"alpha": 0.7, "eps": 1e-3}),
        (Adam(beta1=0.8, beta2=0.9, epsilon=1e-3), "Adam", {"betas": (0.8, 0.9), "eps": 1e-3}),
    ],
)
def test_every_step_is_pytorchs(ours, name, options):
    """With an epsilon so large that where it stands, inside or outside the root, shows."""
    torch = pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")
    parameters, gradients = problem()
    tensors = {key: torch.tensor(array, requires_grad=True) for key, array in parameters.items()}
    theirs = getattr(torch.optim, name)(tensors.values(), lr=RATES[0], **options)
    history = run(ours, parameters, gradients)
    for rate, gradient, values in zip(RATES, gradients, history, strict=True):
        theirs.param_groups[0]["lr"] = rate
        for key, tensor in tensors.items():
            tensor.grad = torch.tensor(gradient[key])
        theirs.step()
        for key, tensor in tensors.items():
            np.testing.assert_allclose(values[key], tensor.detach().numpy(), rtol=0, atol=1e-10, err_msg=key)


@pytest.mark.parametrize("optimizer", ALL)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_live_arrays_change_and_the_gradients_do_not(optimizer, dtype):
    parameters, gradients = problem(dtype)
    arrays = dict(parameters)
    views = {name: array.ravel() for name, array in parameters.items()}
    start = {name: array.copy() for name, array in parameters.items()}
    run(optimizer(), parameters, read_only(gradients))
    for name, array in parameters.items():
        assert array is arrays[name] and array.dtype == dtype
        assert not np.array_equal(array, start[name])
        assert np.array_equal(array.ravel(), views[name])


@pytest.mark.parametrize("optimizer", ALL)
def test_float32_steps_are_those_of_float64_to_rounding(optimizer):
    parameters, gradients = problem(np.float32)
    doubles = {name: array.astype(np.float64) for name, array in parameters.items()}
    in_double = [{name: array.astype(np.float64) for name, array in gradient.items()} for gradient in gradients]
    for single, double in zip(
        run(optimizer(), parameters, gradients), run(optimizer(), doubles, in_double), strict=True
    ):
        for name in parameters:
            np.testing.assert_allclose(single[name], double[name], rtol=1e-4, atol=1e-4)


class SinglesOnly(np.ndarray):
    """An array that refuses to meet, or to become, anything but float32 and Python numbers."""

    def __array_ufunc__(self, ufunc, method, *inputs, out=(), **options):
        plain = [np.asarray(q) if isinstance(q, np.ndarray) else q for q in inputs]
        assert all(q.dtype == np.float32 for q in plain if isinstance(q, np.ndarray | np.generic)), ufunc
        if out:
            options["out"] = tuple(np.asarray(q) for q in out)
        result = getattr(ufunc, method)(*plain, **options)
        assert result.dtype == np.float32, ufunc
        return out[0] if out else result.view(SinglesOnly)


@pytest.mark.parametrize("optimizer", ALL)
def test_no_intermediate_of_a_float32_step_is_float64(optimizer):
    parameters, gradients = problem(np.float32)
    run(
        optimizer(),
        {name: array.view(SinglesOnly) for name, array in parameters.items()},
        [{name: array.view(SinglesOnly) for name, array in gradient.items()} for gradient in gradients],
    )


@pytest.mark.parametrize(
    ("optimizer", "slots"), [(SGD, ()), (Momentum, ("v",)), (Adagrad, ("s",)), (RMSProp, ("s",)), (Adam, ("m", "v"))]
)
def test_memory_has_the_parameters_names_shapes_and_dtype(optimizer, slots):
    parameters, gradients = problem(np.float32)
    optimizer = optimizer()
    assert optimizer.memory == {slot: {} for slot in slots}
    optimizer.step(parameters, gradients[0])
    assert tuple(optimizer.memory) == slots and optimizer.num_steps == 1
    for by_name in optimizer.memory.values():
        assert list(by_name) == list(parameters)
        for name, array in by_name.items():
            assert array.shape == parameters[name].shape and array.dtype == np.float32
            assert not np.shares_memory(array, gradients[0][name])


@pytest.mark.parametrize("optimizer", ALL)
def test_steps_and_memory_are_all_that_an_optimizer_remembers(optimizer):
    """A new optimizer that is given both goes on bit for bit: this is what a checkpoint relies on."""
    parameters, gradients = problem()
    first, second = optimizer(), optimizer()
    first.step(parameters, gradients[0])
    copies = {name: array.copy() for name, array in parameters.items()}
    second.num_steps = first.num_steps
    second.memory = {
        slot: {name: array.copy() for name, array in by_name.items()} for slot, by_name in first.memory.items()
    }
    for gradient in gradients[1:]:
        first.step(parameters, gradient)
        second.step(copies, gradient)
    for name in parameters:
        assert np.array_equal(parameters[name], copies[name])


@pytest.mark.parametrize("optimizer", ALL)
def test_a_zero_gradient_at_the_start_moves_nothing(optimizer):
    parameters, _ = problem()
    start = {name: array.copy() for name, array in parameters.items()}
    optimizer().step(parameters, {name: np.zeros_like(array) for name, array in parameters.items()})
    assert all(np.array_equal(parameters[name], start[name]) for name in parameters)


def without(gradients, name):
    return {key: array for key, array in gradients.items() if key != name}


@pytest.mark.parametrize("optimizer", ALL)
@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda g: None, "gradients must be a dict, name -> array; got NoneType"),
        (lambda g: list(g.values()), "gradients must be a dict, name -> array; got list of 3"),
        (lambda g: g | {"b_y": g["b_y"].tolist()}, r"gradients\['b_y'\] must be a NumPy array; got list of 4"),
        (lambda g: g | {"b_y": np.ma.array(g["b_y"])}, r"gradients\['b_y'\] must be a plain array; got a masked array"),
        (lambda g: g | {"b_y": g["b_y"] * 1j}, "gradient of b_y must be of its dtype float64; got complex128"),
        (lambda g: without(g, "b_y"), r"missing: \['b_y'\]"),
        (lambda g: g | {"W_xx": g["b_y"]}, r"without parameter: \['W_xx'\]"),
        (lambda g: g | {"b_y": g["b_y"][:1]}, r"the gradient of b_y must be of its shape \(4,\); got \(1,\)"),
        (lambda g: g | {"b_y": g["b_y"][None]}, r"got \(1, 4\)"),
    ],
)
def test_gradients_that_do_not_fit_are_refused_before_anything_is_changed(optimizer, spoil, message):
    parameters, gradients = problem()
    optimizer = optimizer()
    optimizer.step(parameters, gradients[0])
    before = {name: array.copy() for name, array in parameters.items()}
    memory = {slot: {name: a.copy() for name, a in by_name.items()} for slot, by_name in optimizer.memory.items()}
    with pytest.raises((TypeError, ValueError), match=message):
        optimizer.step(parameters, spoil(gradients[1]))
    parameters["b_y"].flags.writeable = False
    with pytest.raises(ValueError, match="parameter b_y must be an array that can be written to"):
        optimizer.step(parameters, gradients[1])
    assert optimizer.num_steps == 1
    assert all(np.array_equal(parameters[name], before[name]) for name in parameters)
    for slot, by_name in memory.items():
        assert all(np.array_equal(optimizer.memory[slot][name], array) for name, array in by_name.items())


@pytest.mark.parametrize(
    ("optimizer", "argument"),
    [(optimizer, "learning_rate") for optimizer in ALL]
    + [(optimizer, "epsilon") for optimizer in (Adagrad, RMSProp, Adam)],
)
def test_rates_and_epsilons_must_be_above_zero(optimizer, argument):
    for wrong in (0, -0.1, math.inf, math.nan, "0.1", None, True):
        with pytest.raises(ValueError, match=argument):
            optimizer(**{argument: wrong})


@pytest.mark.parametrize(
    ("optimizer", "argument"), [(Momentum, "momentum"), (RMSProp, "decay"), (Adam, "beta1"), (Adam, "beta2")]
)
def test_the_means_must_forget(optimizer, argument):
    for wrong in (1, 1.5, -0.1, math.nan, "0.9", None, False):
        with pytest.raises(ValueError, match=argument):
            optimizer(**{argument: wrong})


@pytest.mark.parametrize(
    ("Optimizer", "defaults"),
    [
        (SGD, {"learning_rate": 1.0}),
        (Momentum, {"learning_rate": 0.1, "momentum": 0.9}),
        (Adagrad, {"learning_rate": 0.1, "epsilon": 1e-8}),
        (RMSProp, {"learning_rate": 0.002, "decay": 0.95, "epsilon": 1e-8}),
        (Adam, {"learning_rate": 0.001, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}),
    ],
)
def test_what_is_not_given_is_what_the_signature_says(Optimizer, defaults):
    made = Optimizer()
    assert {name: getattr(made, name) for name in defaults} == defaults


def test_the_names_of_the_command_line():
    assert {"sgd": SGD, "momentum": Momentum, "adagrad": Adagrad, "rmsprop": RMSProp, "adam": Adam} == OPTIMIZERS


def test_an_optimizer_serves_one_model():
    optimizer = Adam(0.1)
    optimizer.step({"b": np.zeros(3), "W": np.zeros((3, 4))}, {"b": np.ones(3), "W": np.ones((3, 4))})
    parameters = {"b": np.zeros(3), "W": np.zeros((3, 5))}
    with pytest.raises(ValueError, match=r"remembers a W of shape \(3, 4\); got one of \(3, 5\)"):
        optimizer.step(parameters, {"b": np.ones(3), "W": np.ones((3, 5))})
    assert not parameters["b"].any() and optimizer.num_steps == 1
