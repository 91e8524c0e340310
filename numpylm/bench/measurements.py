"""The table of what `numpylm bench` can measure.

To add a measurement, write a function that returns a Race, and add a line to MEASUREMENTS: the rest (turns, ratios,
table, JSON) follows. A test must show that the functions of a Race compute the same (tests/test_bench_rivals.py).
"""

from collections.abc import Callable
from importlib.util import find_spec
from typing import NamedTuple

import numpy as np

from numpylm.bench import clock
from numpylm.bench.in_numpylm import NUMPYLM
from numpylm.bench.products import floor_step, products_step
from numpylm.bench.shapes import SHAPES, Shape, named, pairs, random_batch
from numpylm.generation import generate, generate_batch
from numpylm.model import MODELS
from numpylm.translation import EncoderDecoder

TIMED_RATE = 1e-6  # of timed steps: thousands of them leave the weights where they are
SAMPLED_TOKENS, SAMPLED_TEXTS = 200, 64
EVALUATED_BATCHES = 4  # how many times T N tokens an evaluation reads
TRANSLATOR = Shape("15,64", T=15, N=64, D=128, H=256, V=5_000)
FRAMES = Shape("100,32", T=100, N=32, D=1, H=1, V=30)  # CTC's: V symbols with the blank; D and H mean nothing
NUM_LABELS = 15
SCALING_SIZES, SCALING_FIXED = (10, 20, 50, 100, 200, 500, 1000), 10


class Race(NamedTuple):
    """functions: name -> function of no arguments. They are timed in turns, and "numpylm" is compared with the others.

    units: how many units (steps, tokens) a call does.
    """

    functions: dict
    units: int = 1


class Measurement(NamedTuple):
    """prepare(cell, shape) returns a Race for each (cell, shape) of cases(cells, shapes).

    The table shows seconds × scale, in the unit.
    """

    title: str
    unit: str
    scale: float
    cases: Callable
    prepare: Callable


def installed():
    """Name -> Implementation of numpylm, and of PyTorch and JAX where they are installed."""
    return {name: one for name in ("numpylm", "torch", "jax") if (one := implementation(name)) is not None}


def implementation(name):
    """The Implementation of that name, or None where it is not installed. Imports nothing else."""
    if name == "numpylm":
        return NUMPYLM
    if find_spec(name) is None:
        return None
    if name == "torch":
        from numpylm.bench.in_torch import TORCH

        return TORCH
    from numpylm.bench.in_jax import JAX

    return JAX


def training(cell, shape):
    """One training step, beside its matrix products and its floor."""
    rng = np.random.default_rng(0)
    model, batch = new_model(cell, shape), random_batch(shape, rng)
    steps = {name: one.train(model, batch, TIMED_RATE).run for name, one in installed().items()}
    floors = {"products": products_step(cell, shape, rng), "floor": floor_step(cell, shape, rng)}
    return Race(floors | steps)


def sampling(cell, shape):
    """One sequence, token by token."""
    model = new_model(cell, shape)
    return Race({name: one.sample(model, SAMPLED_TOKENS) for name, one in installed().items()}, SAMPLED_TOKENS)


def batch_sampling(cell, shape):
    """Many sequences, all at once and one after the other ("singly")."""
    model, prompts = new_model(cell, shape), [[0]] * SAMPLED_TEXTS

    def rngs():
        return [np.random.default_rng(k) for k in range(SAMPLED_TEXTS)]

    functions = {
        "numpylm": lambda: generate_batch(model, prompts, SAMPLED_TOKENS, rngs=rngs()),
        "singly": lambda: [generate(model, [0], SAMPLED_TOKENS, rng=rng) for rng in rngs()],
    }
    return Race(functions, SAMPLED_TEXTS * SAMPLED_TOKENS)


def evaluation(cell, shape):
    """A stream of text, read in N parts side by side."""
    model, num_tokens = new_model(cell, shape), EVALUATED_BATCHES * shape.T * shape.N
    tokens = np.random.default_rng(0).integers(shape.V, size=num_tokens + 1)
    return Race({name: one.evaluate(model, tokens, shape.N) for name, one in installed().items()}, num_tokens)


def scaling(cell, shape):
    """numpylm's training step where T grows, and where N grows: names are T=10, T=20, …, N=1000."""
    functions = {}
    for axis in "TN":
        for size in SCALING_SIZES:
            sizes = {"T": SCALING_FIXED, "N": SCALING_FIXED} | {axis: size}
            grown = shape._replace(**sizes)
            batch = random_batch(grown, np.random.default_rng(0))
            functions[f"{axis}={size}"] = NUMPYLM.train(new_model(cell, grown), batch, TIMED_RATE).run
    return Race(functions)


def ctc(cell, shape):
    """The loss and its gradient, of V symbols and the blank, for NUM_LABELS labels in T frames."""
    rng = np.random.default_rng(0)
    logits = rng.standard_normal((shape.T, shape.N, shape.V)).astype(np.float32)
    labels = rng.integers(1, shape.V, (NUM_LABELS, shape.N))
    return Race({name: one.ctc(logits, labels) for name, one in installed().items() if one.ctc})


def translation(cell, shape, learning_rate=TIMED_RATE, attention="additive"):
    """One training step of the encoder-decoder, whose encoder reads both directions; all sentences have T tokens."""
    model = EncoderDecoder(shape.V, shape.V, shape.D, shape.H, cell=cell, attention=attention)
    batch = np.random.default_rng(0).integers(shape.V, size=(3, shape.T, shape.N))
    steps = {name: one.translate for name, one in installed().items() if one.translate}
    return Race({name: translate(model, batch, learning_rate) for name, translate in steps.items()})


def new_model(cell, shape):
    """A model of the shape's sizes, in float32."""
    return MODELS[cell](shape.V, shape.D, shape.H)


def each_cell_at(name):
    """cases: every cell at the shape of that name, or at the first shape that is measured."""
    return lambda cells, shapes: [(cell, named(shapes, name)) for cell in cells]


MEASUREMENTS = {
    "training": Measurement("Training step", "ms", 1e3, pairs, training),
    "sampling": Measurement("Sampling one sequence", "µs per token", 1e6, each_cell_at("B"), sampling),
    "batch_sampling": Measurement(
        f"Sampling {SAMPLED_TEXTS} sequences at once", "µs per token", 1e6, each_cell_at("B"), batch_sampling
    ),
    "evaluation": Measurement("Evaluation", "µs per token", 1e6, each_cell_at("B"), evaluation),
    "translation": Measurement(
        "Translator with attention",
        "ms a step",
        1e3,
        lambda cells, shapes: [(cell, TRANSLATOR) for cell in cells],
        translation,
    ),
    "ctc": Measurement("CTC, 15 labels, 30 symbols", "ms", 1e3, lambda cells, shapes: [("ctc", FRAMES)], ctc),
}
SCALING = Measurement("Growth with T and N", "ms", 1e3, lambda cells, shapes: [("lstm", SHAPES["A"])], scaling)


def measure(name, cell, shape, effort):
    """The seconds per unit of a measurement's functions, by name: a list with an entry for each round."""
    race = {**MEASUREMENTS, "scaling": SCALING}[name].prepare(cell, Shape(*shape))
    times = clock.race(race.functions, **effort)
    return {"seconds": {name: [one / race.units for one in times[name]] for name in times}}
