"""What `gradcheck` proves: functions, cells, the records of a cell's backward steps, attention, CTC and whole models.

`cases` yields a Case for each. All sizes differ; parameters, inputs and cotangents are of order one; some sequences end
early; recurrent dropout and dropout are among them.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from numpylm import activations
from numpylm.affine import affine_backward, affine_forward
from numpylm.attention import ATTENTIONS, attention_backward, attention_forward
from numpylm.bidirectional import bidirectional_cell
from numpylm.ctc import ctc_backward, ctc_forward
from numpylm.embedding import embedding_backward, embedding_forward
from numpylm.gru import gru_cell
from numpylm.loss import cross_entropy_backward, cross_entropy_forward
from numpylm.lstm import lstm_cell
from numpylm.memory_network import MemoryNetwork
from numpylm.model import GRULM, LSTMLM, RNNLM
from numpylm.parameters import parameter_shapes
from numpylm.projection import Lookup, projection_backward, projection_forward
from numpylm.proof.moved_step import moved
from numpylm.reader import Reader
from numpylm.rnn import rnn_cell
from numpylm.transcription import AcousticModel
from numpylm.translation import EncoderDecoder

T, N, D, H, V = 4, 3, 2, 5, 7
SIZES = T, N, D, H
T_Y, FRAMES, NUM_SENTENCES, NUM_WORDS = 5, 7, 4, 3
MASK = np.arange(T)[:, None] < np.array([T, 1, 3])  # (T, N): the second and third sequence end early
FRAME_MASK = np.arange(FRAMES)[:, None] < np.array([FRAMES, 3, 5])  # (FRAMES, N)
LABELS = np.array([[1, 4, 2], [1, -1, 2], [3, -1, -1]])  # (U, N): with a repeated label, and without
LENGTHS = np.array([[3, 1, 2], [1, 3, 2], [2, 0, 3], [3, 0, 0]])  # (NUM_SENTENCES, N) words; 0: no such sentence
CELLS = {"rnn (tanh)": rnn_cell("tanh"), "rnn (relu)": rnn_cell("relu"), "lstm": lstm_cell(), "gru": gru_cell()}


class Case(NamedTuple):
    """One function to prove: f(**arguments), its claimed gradients, and cotangents if f returns arrays."""

    name: str
    f: Callable
    arguments: dict
    gradients: dict
    cotangents: Any = None


def cases(rng):
    """Every Case, with arrays from rng."""
    for family in FAMILIES:
        yield from family(rng)


def function_cases(rng):
    """The functions that every model is made of. Tokens occur more than once; some targets are not predicted."""
    tokens, targets = rng.integers(0, V, (T, N)), rng.integers(-1, V, (T, N))
    shapes = (V, D), (T, N, D), (D, H), H, (T, N, V), (T, N, D), (T, N, H)
    E, x, W, b, logits, dx, dy = map(rng.standard_normal, shapes)
    lookup, loss_trace = Lookup(tokens, E), cross_entropy_forward(logits, targets)[1]
    folded = projection_backward(dy, E[tokens], W, lookup)

    def project(E, W, b):
        return projection_forward(E[tokens], W, b, Lookup(tokens, E))

    for name, f, arguments, gradients, cotangents in (
        ("affine", affine_forward, {"x": x, "W": W, "b": b}, affine_backward(dy, x, W), dy),
        ("embedding", lambda E: embedding_forward(tokens, E), {"E": E}, [embedding_backward(dx, tokens, V)], dx),
        ("cross_entropy", lambda logits: cross_entropy_forward(logits, targets)[0], {"logits": logits},
         [cross_entropy_backward(loss_trace)], None),
        ("folded projection", project, {"E": E, "W": W, "b": b}, [folded.dE, folded.dW_x, folded.db], dy),
    ):  # fmt: skip
        yield Case(name, f, arguments, dict(zip(arguments, gradients, strict=True)), cotangents)
    for name in ("sigmoid", "tanh", "relu", "softmax", "log_softmax"):
        forward, backward = getattr(activations, name), getattr(activations, f"{name}_backward")
        a, dy = rng.standard_normal((2, N, V))
        yield Case(name, forward, {"a": a}, {"a": backward(dy, forward(a))}, dy)


def cell_cases(rng):
    """Each cell by itself, then with sequences that end early and with recurrent dropout; and in both directions."""
    for name, cell in CELLS.items():
        yield sequence_case(name, cell, rng)
        yield sequence_case(f"{name}, masked", cell, rng, MASK, rng.choice([0, 2.0], (N, H)))
        both = bidirectional_cell(cell)
        yield sequence_case(f"two-way {name}", both, rng, MASK, rng.choice([0, 2.0], (N, 6)), (T, N, D, 6))


def sequence_case(name, cell, rng, mask=None, recurrent_dropout=None, sizes=SIZES, scale=1.0):
    """A whole sequence of one cell, from cotangents of h and of the last state."""
    parameters, x, state_0, dh, dstate_T = random_problem(cell, rng, sizes, scale)

    def forward(x, state_0, **parameters):
        out = cell.forward(cell.Parameters(**parameters), x, state_0, mask, recurrent_dropout)
        return {"h": out.h, "state": out.state}

    trace = cell.forward(parameters, x, state_0, mask, recurrent_dropout).trace
    found = cell.backward(parameters, dh, dstate_T, trace)
    arguments = {**parameters._asdict(), "x": x, "state_0": state_0}
    claim = {**found.dparameters._asdict(), "x": found.dx, "state_0": found.dstate_0}
    return Case(name, forward, arguments, claim, {"h": dh, "state": dstate_T})


def random_problem(cell, rng, sizes=SIZES, scale=1.0):
    """Parameters, x, state_0, dh and dstate_T of order one; sizes are T, N, D, H."""
    T, N, D, H = sizes

    def state():
        return cell.State(*[rng.standard_normal((N, H)) for _ in cell.State._fields])

    parameters = cell.Parameters(*[scale * rng.standard_normal(shape) for shape in cell.shapes(D, H).values()])
    return parameters, rng.standard_normal((T, N, D)), state(), rng.standard_normal((T, N, H)), state()


def record_cases(rng):
    """The T records of each cell's backward pass: every field dq of an LSTMStepGradients, … is the derivative by q.

    Displacements (T, N, ·), which are zero, are added to each q between the lines of the step (proof/moved_step.py):
    the derivative by them is dq.
    """
    for name, cell in CELLS.items():
        parameters, x, state_0, dh, dstate_T = random_problem(cell, rng, (T, N, 5, 2))  # small: it has many fields
        arguments = parameters, x, state_0, MASK, rng.choice([0, 2.0], (N, 2))
        steps = cell.backward(parameters, dh, dstate_T, cell.forward(*arguments).trace, keep_steps=True).steps
        claim = {
            "xW_t" if field == "da_t" else field[1:]: np.stack([getattr(step, field) for step in steps])
            for field in steps[0]._fields
        }

        def forward(cell=cell, arguments=arguments, **displacements):
            def move(t, quantity, q):
                return q + displacements[quantity][t] if quantity in displacements else q

            with moved([f"numpylm.{cell.name}.{cell.name}_step"], move):
                out = cell.forward(*arguments)
            return {"h": out.h, "state": out.state}

        zeros = {field: np.zeros_like(dq) for field, dq in claim.items()}
        yield Case(f"{name} records", forward, zeros, claim, {"h": dh, "state": dstate_T})


def sequence_function_cases(rng):
    """Both kinds of attention, all steps of a sequence at once, and CTC with inputs and labels of unequal lengths."""
    for attention in ATTENTIONS.values():
        parameters = [rng.standard_normal(shape) for shape in parameter_shapes(attention.parts(H, H + 1)).values()]
        parameters = attention.Parameters(*parameters)
        s, h, dctx = (rng.standard_normal((steps, N, H)) for steps in (T_Y, T, T_Y))

        def forward(s, h, attention=attention, **parameters):
            return attention_forward(attention, attention.Parameters(**parameters), s, h, MASK).ctx

        found = attention_backward(attention, parameters, dctx, attention_forward(attention, parameters, s, h, MASK))
        given = {**parameters._asdict(), "s": s, "h": h}
        claim = {**found.dparameters._asdict(), "s": found.ds, "h": found.dh}
        yield Case(f"{attention.name} attention", forward, given, claim, dctx)
    logits = rng.standard_normal((FRAMES, N, V))
    claim = {"logits": ctc_backward(ctc_forward(logits, LABELS, FRAME_MASK)[1]).dlogits}
    yield Case("ctc", lambda logits: ctc_forward(logits, LABELS, FRAME_MASK)[0], {"logits": logits}, claim)


def model_cases(rng):
    """Every parameter of each model, from its data to its loss. Words beyond a sentence's length are -1."""
    tokens, (inputs, targets) = rng.integers(0, V, (T + 1, N)), rng.integers(0, V, (2, T_Y, N))
    targets[-2:, 0] = -1
    text, pairs = (tokens[:-1], tokens[1:]), (rng.integers(0, V, (T, N)), inputs, targets, MASK)
    sound = rng.standard_normal((FRAMES, N, D)), LABELS, FRAME_MASK
    words = rng.integers(0, V, (NUM_SENTENCES, N, NUM_WORDS))
    story = np.where(np.arange(NUM_WORDS) < LENGTHS[:, :, None], words, -1)
    questions = story, np.where(np.arange(NUM_WORDS) < LENGTHS[0, :, None], words[0], -1), rng.integers(0, V, N)
    adjacent, layer_wise = (MemoryNetwork(V, D, 2, NUM_SENTENCES, tying) for tying in ("adjacent", "layer-wise"))
    reader = Reader(V, D, 4, 2, cell="gru", first="story", dropout=0.4)
    plain = EncoderDecoder(V, V + 1, D, 6, cell="rnn", attention="none", bidirectional=False)
    for name, model, *data in (
        ("RNNLM (tanh)", RNNLM(V, D, H, num_layers=2), *text),
        ("RNNLM (relu)", RNNLM(V, D, H, num_layers=2, nonlinearity="relu"), *text),
        ("LSTMLM", LSTMLM(V, D, H, num_layers=2), *text),
        ("LSTMLM, tied", LSTMLM(V, H, H, tie_weights=True), *text),
        ("GRULM", GRULM(V, D, H, num_layers=2), *text),
        ("LSTMLM, dropout", LSTMLM(V, D, H, num_layers=2, dropout=0.4), *text),
        ("GRULM, variational", GRULM(V, D, H, dropout=0.4, dropout_kind="variational"), *text),
        ("translation, lstm", EncoderDecoder(V, V + 1, D, 6, cell="lstm", attention="additive"), *pairs),
        ("translation, gru", EncoderDecoder(V, V + 1, D, 6, cell="gru", tie_weights=True, dropout=0.4), *pairs),
        ("translation, rnn", plain, *pairs),
        ("acoustic, rnn", AcousticModel(V - 1, D, 6, cell="rnn", bidirectional=False), *sound),
        ("acoustic, lstm", AcousticModel(V - 1, D, 6, num_layers=2, dropout=0.4), *sound),
        ("acoustic, gru", AcousticModel(V - 1, D, 6, cell="gru"), *sound),
        ("memory, adjacent", adjacent, *questions),
        ("memory, layer-wise", layer_wise, *questions),
        ("memory, linear", adjacent, *questions, True),
        ("reader", reader, *questions),
    ):  # fmt: skip
        yield model_case(name, model, rng, *data)


def model_case(name, model, rng, *data):
    """Every parameter of a model. Its dropout, if any, always draws the same masks."""
    parameters = {key: rng.standard_normal(array.shape) for key, array in model.parameters().items()}
    seed = int(rng.integers(1000))

    def run(parameters):
        options = {} if isinstance(model, MemoryNetwork) else {"rng": np.random.default_rng(seed)}
        return model.with_parameters(parameters).loss_and_gradients(*data, **options)

    return Case(name, lambda **parameters: run(parameters).loss, parameters, run(parameters).gradients)


FAMILIES = function_cases, cell_cases, record_cases, sequence_function_cases, model_cases
