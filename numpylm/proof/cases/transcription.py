"""CTC and the acoustic model: the logits, and every parameter."""

import numpy as np

from numpylm.ctc import ctc_backward, ctc_forward
from numpylm.proof.cases.case import Case, D, N, T, V, model_case
from numpylm.transcription import AcousticModel

FRAMES, H = T + 3, 6
MASK = np.arange(FRAMES)[:, None] < np.array([FRAMES, 3, 5])  # (FRAMES, N)
LABELS = np.array([[1, 4, 2], [1, -1, 2], [3, -1, -1]])  # (U, N): with a repeated label, and without

MODELS = {
    "acoustic, rnn": AcousticModel(V - 1, D, H, cell="rnn", bidirectional=False),
    "acoustic, lstm": AcousticModel(V - 1, D, H, num_layers=2, dropout=0.4),
    "acoustic, gru": AcousticModel(V - 1, D, H, cell="gru"),
}


def cases(rng):
    """The loss from logits of unequal lengths, and a model of each cell."""
    logits = rng.standard_normal((FRAMES, N, V))
    claim = {"logits": ctc_backward(ctc_forward(logits, LABELS, MASK)[1]).dlogits}
    yield Case("ctc", lambda logits: ctc_forward(logits, LABELS, MASK)[0], {"logits": logits}, claim)
    for name, model in MODELS.items():
        features = rng.standard_normal((FRAMES, N, D))
        yield model_case(name, model, rng, features, LABELS, MASK)
