"""The table of what `numpylm bench` can measure.

To add a measurement, write a function that returns its contestants, and add a line to MEASUREMENTS: the rest (turns,
ratios, table, JSON) follows. Contestants are a dict, name -> function of no arguments. They are timed in turns, and
"numpylm" is compared with the others. A test must show that they compute the same (tests/test_bench_rivals.py).
"""

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import NamedTuple

import numpy as np

from numpylm.bench import clock, in_numpylm
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


class Measurement(NamedTuple):
    """prepare(cell, shape) returns the contestants for each (cell, shape) of cases(cells, shapes).

    The table shows seconds × scale, in the unit. A call does units(shape) steps or tokens.
    """

    title: str
    unit: str
    scale: float
    cases: Callable
    prepare: Callable
    units: Callable = lambda shape: 1


def implementation(name):
    """The module that implements the model: numpylm, torch or jax; None where that is not installed."""
    if name != "numpylm" and find_spec(name) is None:
        return None
    return import_module(f"numpylm.bench.in_{name}")


def each(name, *arguments):
    """Name -> what the function of this name returns in numpylm, and in PyTorch and JAX where they are installed."""
    modules = {one: implementation(one) for one in ("numpylm", "torch", "jax")}
    return {one: getattr(module, name)(*arguments) for one, module in modules.items() if hasattr(module, name)}


def training(cell, shape):
    """One training step, beside its matrix products and its floor."""
    rng = np.random.default_rng(0)
    model, batch = new_model(cell, shape), random_batch(shape, rng)
    floors = {"products": products_step(cell, shape, rng), "floor": floor_step(cell, shape, rng)}
    return floors | each("train", model, batch, TIMED_RATE)


def sampling(cell, shape):
    """One sequence, token by token."""
    return each("sample", new_model(cell, shape), SAMPLED_TOKENS)


def batch_sampling(cell, shape):
    """Many sequences, all at once and one after the other ("singly")."""
    model, prompts = new_model(cell, shape), [[0]] * SAMPLED_TEXTS

    def rngs():
        return [np.random.default_rng(k) for k in range(SAMPLED_TEXTS)]

    return {
        "numpylm": lambda: generate_batch(model, prompts, SAMPLED_TOKENS, rngs=rngs()),
        "singly": lambda: [generate(model, [0], SAMPLED_TOKENS, rng=rng) for rng in rngs()],
    }


def evaluation(cell, shape):
    """A stream of text, read in N parts side by side."""
    tokens = np.random.default_rng(0).integers(shape.V, size=MEASUREMENTS["evaluation"].units(shape) + 1)
    return each("evaluate", new_model(cell, shape), tokens, shape.N)


def scaling(cell, shape):
    """numpylm's training step where T grows, and where N grows: names are T=10, T=20, …, N=1000."""
    functions = {}
    for axis in "TN":
        for size in SCALING_SIZES:
            grown = shape._replace(T=SCALING_FIXED, N=SCALING_FIXED)._replace(**{axis: size})
            batch = random_batch(grown, np.random.default_rng(0))
            functions[f"{axis}={size}"] = in_numpylm.step(new_model(cell, grown), batch, TIMED_RATE)
    return functions


def ctc(cell, shape):
    """The loss and its gradient, of V symbols and the blank, for NUM_LABELS labels in T frames."""
    rng = np.random.default_rng(0)
    logits = rng.standard_normal((shape.T, shape.N, shape.V)).astype(np.float32)
    labels = rng.integers(1, shape.V, (NUM_LABELS, shape.N))
    return each("ctc", logits, labels)


def translation(cell, shape, learning_rate=TIMED_RATE, attention="additive"):
    """One training step of the encoder-decoder, whose encoder reads both directions; all sentences have T tokens."""
    model = EncoderDecoder(shape.V, shape.V, shape.D, shape.H, cell=cell, attention=attention)
    batch = np.random.default_rng(0).integers(shape.V, size=(3, shape.T, shape.N))
    return each("translate", model, batch, learning_rate)


def new_model(cell, shape):
    """A model of the shape's sizes, in float32."""
    return MODELS[cell](shape.V, shape.D, shape.H)


def at_B(cells, shapes):
    """cases: every cell at the shape B, or at the first shape that is measured."""
    return [(cell, named(shapes, "B")) for cell in cells]


MEASUREMENTS = {
    "training": Measurement("Training step", "ms", 1e3, pairs, training),
    "sampling": Measurement("Sampling one sequence", "µs per token", 1e6, at_B, sampling, lambda _: SAMPLED_TOKENS),
    "batch_sampling": Measurement(
        f"Sampling {SAMPLED_TEXTS} sequences at once", "µs per token", 1e6, at_B, batch_sampling,
        lambda _: SAMPLED_TEXTS * SAMPLED_TOKENS,
    ),
    "evaluation": Measurement(
        "Evaluation", "µs per token", 1e6, at_B, evaluation, lambda shape: EVALUATED_BATCHES * shape.T * shape.N
    ),
    "translation": Measurement(
        "Translator with attention", "ms a step", 1e3, lambda cells, _: [(cell, TRANSLATOR) for cell in cells],
        translation,
    ),
    "ctc": Measurement("CTC, 15 labels, 30 symbols", "ms", 1e3, lambda cells, shapes: [("ctc", FRAMES)], ctc),
}  # fmt: skip
SCALING = Measurement("Growth with T and N", "ms", 1e3, lambda cells, shapes: [("lstm", SHAPES["A"])], scaling)


def measure(name, cell, shape, effort):
    """The seconds per unit of a measurement's contestants, by name: a list with an entry for each round."""
    measurement = {**MEASUREMENTS, "scaling": SCALING}[name]
    times = clock.race(measurement.prepare(cell, shape), **effort)
    units = measurement.units(shape)
    return {"seconds": {name: [one / units for one in times[name]] for name in times}}
