"""CTC against all paths written out, two numerical derivatives, and PyTorch's ctc_loss."""

import itertools

import numpy as np
import pytest
from gradient_proofs import assert_same, prove, read_only

from numpylm.activations import log_softmax
from numpylm.ctc import ctc_backward, ctc_forward
from numpylm.masking import lengths_to_mask

rng = np.random.default_rng(0)
T, N, V = 6, 5, 3
LOGITS = 2 * rng.standard_normal((T, N, V + 1))
LABELS = np.array([[1, 2, 2], [3, 1, 3], [2, 2, -1], [3, -1, -1], [-1, -1, -1]]).T  # (U, N): repeats, and none at all
LENGTHS = np.array([6, 4, 3, 1, 2])  # the third needs every one of its frames
MASK = lengths_to_mask(LENGTHS, T)


def spelled(path):
    """The labels of a path: repeats merged, blanks removed."""
    merged = [symbol for symbol, _ in itertools.groupby(path)]
    return [symbol for symbol in merged if symbol != 0]


def probability_of_all_paths(logits, labels):
    """p(l) of one utterance (T, V + 1), as the sum over its (V + 1)^T paths."""
    y = np.exp(log_softmax(logits))
    paths = itertools.product(range(logits.shape[1]), repeat=len(logits))
    return sum(np.prod([y[t, k] for t, k in enumerate(path)]) for path in paths if spelled(path) == labels)


def test_the_loss_is_the_sum_over_all_paths():
    loss, trace = ctc_forward(LOGITS, LABELS, MASK)
    np.testing.assert_allclose(ctc_backward(trace).gamma.sum(axis=2)[MASK], 1, atol=1e-12)  # of paths in each state
    for n in range(N):
        labels = [label for label in LABELS[:, n] if label != -1]
        expected = probability_of_all_paths(LOGITS[: LENGTHS[n], n], labels)
        assert np.exp(trace.log_p[n]) == pytest.approx(expected, rel=1e-12)
    assert loss == pytest.approx(-trace.log_p.sum() / (LABELS != -1).sum(), rel=1e-14)


@pytest.mark.parametrize("mask", [MASK, None], ids=["unequal lengths", "equal lengths"])
def test_the_gradient_agrees_with_two_numerical_derivatives(mask):
    _, trace = ctc_forward(LOGITS, LABELS, mask)
    prove(
        lambda logits: ctc_forward(logits, LABELS, mask)[0],
        {"logits": LOGITS.copy()},
        {"logits": ctc_backward(trace).dlogits},
    )


@pytest.mark.parametrize("equal_lengths", [False, True])
def test_pytorch_agrees(equal_lengths):
    torch = pytest.importorskip("torch")
    lengths = np.full(N, T) if equal_lengths else LENGTHS
    loss, trace = ctc_forward(LOGITS, LABELS, lengths_to_mask(lengths, T))
    logits = torch.tensor(LOGITS, requires_grad=True)
    labels, num_labels = torch.tensor(np.maximum(LABELS, 0).T), torch.tensor((LABELS != -1).sum(axis=0))
    log_y = torch.nn.functional.log_softmax(logits, dim=2)
    theirs = torch.nn.functional.ctc_loss(log_y, labels, torch.tensor(lengths), num_labels, reduction="sum")
    theirs = theirs / num_labels.sum()
    theirs.backward()
    assert loss == pytest.approx(theirs.item(), rel=1e-10)
    np.testing.assert_allclose(ctc_backward(trace).dlogits, logits.grad.numpy(), rtol=0, atol=1e-10)


def test_long_utterances_stay_finite_in_float32():
    logits = (30 * rng.standard_normal((400, 2, 4))).astype(np.float32)
    labels = rng.integers(1, 4, (60, 2))
    loss, trace = ctc_forward(logits, labels)
    dlogits = ctc_backward(trace).dlogits
    assert np.isfinite(loss) and np.isfinite(dlogits).all() and dlogits.dtype == np.float32


def test_two_backward_passes_give_the_same_bits_and_inputs_may_be_read_only():
    loss, trace = ctc_forward(read_only(LOGITS), read_only(LABELS), read_only(MASK))
    assert_same(ctc_backward(read_only(trace)), ctc_backward(trace))
    assert ctc_forward(LOGITS, LABELS, MASK)[0] == loss


def test_labels_that_do_not_fit_are_named():
    labels = np.array([[1, 2], [1, 2], [2, 2]])  # (U, N); "2 2 2" needs five frames, "1 1 2" four
    with pytest.raises(ValueError, match="utterance 1 has 4 frames, but its 3 labels need 5"):
        ctc_forward(LOGITS[:4, :2], labels)
    with pytest.raises(ValueError, match="utterance 3 has 0 frames, but its 0 labels need 1"):
        ctc_forward(LOGITS[:, 1:], LABELS[:, 1:], lengths_to_mask(np.array([4, 3, 1, 0]), T))
    with pytest.raises(ValueError, match="no utterance of the batch has a label"):
        ctc_forward(LOGITS, np.full((2, N), -1))
