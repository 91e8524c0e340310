"""Several processes train as one does: the same losses and parameters after 20 steps, to rounding."""

import mpi_launch
import mpi_steps
import numpy as np
import pytest
from mpi_launch import needs_mpi

from numpylm.base.data_parallel import PartOfDraws
from numpylm.base.ranks import part_of

TOLERANCE = {"sgd": 1e-12, "adam": 1e-10}  # of the largest entry


@pytest.mark.parametrize("shape", [(3, 7, 2), (7, 4), (7,)])
def test_a_rank_draws_for_all_and_takes_its_own(shape):
    whole, mine = np.random.default_rng(1), np.random.default_rng(1)
    axis = max(len(shape) - 2, 0)
    drawn = [whole.random(shape) for _ in range(2)]
    own = tuple(3 if i == axis else size for i, size in enumerate(shape))
    for expected in drawn:
        part = PartOfDraws(mine, 7, slice(2, 5)).random(own)
        np.testing.assert_array_equal(part, expected.take(range(2, 5), axis))
    assert whole.bit_generator.state == mine.bit_generator.state


@pytest.mark.parametrize(("N", "K"), [(7, 3), (4, 4), (2, 5), (1, 3)])
def test_parts_make_up_the_whole(N, K):
    parts = [part_of(N, k, K) for k in range(K)]
    assert [n for part in parts for n in range(N)[part]] == list(range(N))
    assert max(len(range(N)[part]) for part in parts) <= -(-N // K)


def after_twenty_steps(K, names, folder):
    """name -> what mpi_steps.py wrote."""
    if K == 1:
        mpi_steps.main(folder, *names)
    else:
        status, out, err = mpi_launch.run(K, mpi_steps.__file__, folder, *names)
        assert (status, err) == (0, ""), out + err
    return {name: dict(np.load(folder / f"{name}-{K}.npz")) for name in names}


@needs_mpi
@pytest.mark.parametrize(
    ("K", "names"),
    [
        (2, ["language-sgd", "language-adam", "translation-adam", "hops-sgd"]),
        (3, ["language-sgd", "few-adam", "translation-sgd", "speech-adam", "answers-adam"]),
    ],
)
def test_twenty_steps_equal_those_of_one_process(K, names, tmp_path):
    """In float64, with dropout, restarts, padding and clipping; mpi_steps.py compares the ranks' bits at every step."""
    alone, together = (after_twenty_steps(number, names, tmp_path) for number in (1, K))
    for name in names:
        assert len(alone[name]["losses"]) >= 20 and alone[name].keys() == together[name].keys()
        for key, expected in alone[name].items():
            error = np.abs(expected - together[name][key]).max() / np.abs(expected).max()
            assert error <= TOLERANCE[name.split("-")[1]], f"{name}, K = {K}, {key}: {error}"
