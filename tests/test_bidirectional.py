import numpy as np
import pytest
import sequence_proofs as proofs

from numpylm.bidirectional import bidirectional_cell
from numpylm.recurrence import gates
from numpylm.stack import CELLS

LENGTHS = np.array([5, 2, 3])
MASK = np.arange(proofs.T)[:, None] < LENGTHS


@pytest.fixture(params=CELLS)
def one(request):
    """A cell; proofs.H = 6 gives each direction 3 units."""
    return CELLS[request.param]()


def test_backward_of_every_argument(one):
    dropout = np.random.default_rng(4).choice([0, 2.0], (proofs.N, proofs.H))
    proofs.prove_sequence(bidirectional_cell(one))
    proofs.prove_sequence(bidirectional_cell(one), mask=MASK, recurrent_dropout=dropout)


def test_states_are_the_cells_own_read_from_both_ends(one):
    parameters, x, state_0, _, _ = proofs.random_problem(bidirectional_cell(one))
    out = bidirectional_cell(one).forward(parameters, x, state_0)
    starts = [one.State(*[gates(q, 2)[direction] for q in state_0]) for direction in (0, 1)]
    forwards = one.forward(parameters.directions.forwards, x, starts[0])
    backwards = one.forward(parameters.directions.backwards, x[::-1].copy(), starts[1])
    np.testing.assert_array_equal(out.h, np.concatenate((forwards.h, backwards.h[::-1]), axis=2))
    for name in one.State._fields:
        expected = np.hstack((getattr(forwards.state, name), getattr(backwards.state, name)))
        np.testing.assert_array_equal(getattr(out.state, name), expected)


def test_each_sequence_has_the_states_that_it_has_alone(one):
    cell = bidirectional_cell(one)
    parameters, x, state_0, dh, dstate_T = proofs.random_problem(cell, 1)
    dh = np.where(MASK[..., None], dh, 0)
    out = cell.forward(parameters, x, state_0, MASK)
    gradients = cell.backward(parameters, dh, dstate_T, out.trace)
    for n, length in enumerate(LENGTHS):
        alone = cell.forward(parameters, x[:length, n : n + 1], cell.State(*[q[n : n + 1] for q in state_0]))
        np.testing.assert_allclose(out.h[:length, n], alone.h[:, 0], rtol=1e-12, atol=1e-14)
        for together, own in zip(out.state, alone.state, strict=True):
            np.testing.assert_allclose(together[n], own[0], rtol=1e-12, atol=1e-14)
        dstate = cell.State(*[q[n : n + 1] for q in dstate_T])
        dx = cell.backward(parameters, dh[:length, n : n + 1], dstate, alone.trace).dx
        np.testing.assert_allclose(gradients.dx[:length, n], dx[:, 0], rtol=1e-11, atol=1e-13)
        assert (gradients.dx[length:, n] == 0).all()
