"""What a worker measures. An effort is that of run.py as a dict; every answer is a dict that JSON can hold."""

import numpy as np

from numpylm.bench.agreement import evaluation_disagreement, sampling_disagreement, training_disagreement
from numpylm.bench.clock import cores_used, race
from numpylm.bench.floor import floor_step
from numpylm.bench.implementations import installed, numpylm_train
from numpylm.bench.shapes import Shape, random_batch
from numpylm.model import MODELS

TIMED_RATE = 1e-6  # of timed steps: thousands of them leave the weights where they are
EVALUATED_BATCHES = 4  # how many times T N tokens an evaluation reads


def training(cell, shape, effort):
    """One training step: the seconds of the floor and of each implementation, who disagrees, and the cores they use."""
    shape, rng = Shape(*shape), np.random.default_rng(0)
    model, batch = model_of(cell, shape), random_batch(shape, rng)
    functions, disagreement = {"floor": floor_step(cell, shape, rng)}, {}
    for name, one in installed().items():
        disagreement[name] = training_disagreement(model, batch, one)
        functions[name] = one.train(model, batch, TIMED_RATE).run
    return timed(functions, effort) | {"disagreement": disagreement}


def sampling(cell, shape, effort, num_tokens):
    """Sampling one sequence: seconds per token of each implementation."""
    model = model_of(cell, Shape(*shape))
    disagreement = {name: sampling_disagreement(model, one) for name, one in installed().items()}
    functions = {name: one.sample(model, num_tokens) for name, one in installed().items()}
    return timed(functions, effort, num_tokens) | {"disagreement": disagreement}


def evaluation(cell, shape, effort):
    """Evaluating a stream in N parts: seconds per token of each implementation."""
    shape = Shape(*shape)
    model, num_tokens = model_of(cell, shape), EVALUATED_BATCHES * shape.T * shape.N
    tokens = np.random.default_rng(0).integers(shape.V, size=num_tokens + 1)
    functions, disagreement = {}, {}
    for name, one in installed().items():
        disagreement[name] = evaluation_disagreement(model, tokens, shape.N, one)
        functions[name] = one.evaluate(model, tokens, shape.N)
    return timed(functions, effort, num_tokens) | {"disagreement": disagreement}


def timed(functions, effort, divisor=1):
    """The race's seconds, for each of so many tokens if a divisor is given, and how many cores each function used."""
    times = race(functions, **effort)
    cores = {name: cores_used(function) for name, function in functions.items()}
    return {"seconds": {name: [one / divisor for one in times[name]] for name in times}, "cores": cores}


def model_of(cell, shape):
    """A new model of the shape's sizes, in float32."""
    return MODELS[cell](shape.V, shape.D, shape.H)


def scaling(cell, shape, effort):
    """Seconds of numpylm's training step, in each round."""
    shape = Shape(*shape)
    step = numpylm_train(model_of(cell, shape), random_batch(shape, np.random.default_rng(0)), TIMED_RATE)
    return {"seconds": race({"numpylm": step.run}, **effort)["numpylm"]}


def probe(cell, shape, size, seconds):
    """One round of a large matrix product, of so many rows and columns, and of a training step."""
    shape, rng = Shape(*shape), np.random.default_rng(0)
    A, B = rng.standard_normal((2, size, size), dtype=np.float32)
    step = numpylm_train(model_of(cell, shape), random_batch(shape, rng), TIMED_RATE)
    product = min(race({"product": lambda: A @ B}, 3, seconds)["product"])
    return {"gflops": 2 * size**3 / product / 1e9, "step": min(race({"step": step.run}, 3, seconds)["step"])}
