"""Attention, the bidirectional layer and CTC, and the models that translate and transcribe, one of each cell."""

import numpy as np

from numpylm.attention import ATTENTIONS, attention_backward, attention_forward
from numpylm.bidirectional import bidirectional_cell
from numpylm.ctc import ctc_backward, ctc_forward
from numpylm.model import CELLS
from numpylm.parameters import parameter_shapes
from numpylm.proof.cases.case import Case, D, N, T, V, model_case
from numpylm.proof.cases.cells import sequence_case
from numpylm.transcription import AcousticModel
from numpylm.translation import EncoderDecoder

H = 6  # even: half for each direction
T_Y = T + 1
MASK = np.arange(T)[:, None] < np.array([T, 1, 3])  # (T_x, N)
FRAMES = T + 3
FRAME_MASK = np.arange(FRAMES)[:, None] < np.array([FRAMES, 3, 5])  # (FRAMES, N)
LABELS = np.array([[1, 4, 2], [1, -1, 2], [3, -1, -1]])  # (U, N): with a repeated label, and without

TRANSLATION = {
    "translation, lstm": EncoderDecoder(V, V + 1, D, H, cell="lstm", attention="additive"),
    "translation, gru": EncoderDecoder(V, V + 1, D, H, cell="gru", tie_weights=True, dropout=0.4),
    "translation, rnn": EncoderDecoder(V, V + 1, D, H, cell="rnn", attention="none", bidirectional=False),
}
ACOUSTIC = {
    "acoustic, rnn": AcousticModel(V - 1, D, H, cell="rnn", bidirectional=False),
    "acoustic, lstm": AcousticModel(V - 1, D, H, num_layers=2, dropout=0.4),
    "acoustic, gru": AcousticModel(V - 1, D, H, cell="gru"),
}


def cases(rng):
    """Both kinds of attention, both directions of each cell, CTC with unequal lengths, and the models."""
    for attention in ATTENTIONS.values():
        yield attention_case(attention, rng)
    for name, make_cell in CELLS.items():
        both = bidirectional_cell(make_cell())
        yield sequence_case(f"both ways, {name}", both, rng, MASK, rng.choice([0, 2.0], (N, H)), (T, N, D, H))
    for name, model in TRANSLATION.items():
        source, (inputs, targets) = rng.integers(0, V, (T, N)), rng.integers(0, V, (2, T_Y, N))
        targets[-2:, 0] = -1
        yield model_case(name, model, rng, source, inputs, targets, MASK)
    logits = rng.standard_normal((FRAMES, N, V))
    claim = {"logits": ctc_backward(ctc_forward(logits, LABELS, FRAME_MASK)[1]).dlogits}
    yield Case("ctc", lambda logits: ctc_forward(logits, LABELS, FRAME_MASK)[0], {"logits": logits}, claim)
    for name, model in ACOUSTIC.items():
        yield model_case(name, model, rng, rng.standard_normal((FRAMES, N, D)), LABELS, FRAME_MASK)


def attention_case(attention, rng):
    """The parameters, s and h of a whole sequence of attention steps."""
    shapes = parameter_shapes(attention.parts(H, H + 1))
    parameters = attention.Parameters(*map(rng.standard_normal, shapes.values()))
    s, h, dctx = (rng.standard_normal((steps, N, H)) for steps in (T_Y, T, T_Y))

    def forward(s, h, **parameters):
        return attention_forward(attention, attention.Parameters(**parameters), s, h, MASK).ctx

    found = attention_backward(attention, parameters, dctx, attention_forward(attention, parameters, s, h, MASK))
    claim = {**found.dparameters._asdict(), "s": found.ds, "h": found.dh}
    return Case(f"{attention.name} attention", forward, {**parameters._asdict(), "s": s, "h": h}, claim, dctx)
