"""The adding problem and the copy task: what a batch holds, what an answer without a memory costs."""

import math

import numpy as np
import pytest

from numpylm.data import tasks


def test_two_values_are_marked_one_in_each_half_and_their_sum_is_asked():
    T, N = 11, 400
    x, sums = tasks.adding_batch(np.random.default_rng(0), T, N)
    assert x.shape == (T, N, 2) and sums.shape == (N, 1) and x.dtype == sums.dtype == np.float32
    values, marks = x[..., 0], x[..., 1]
    assert (marks[:5].sum(axis=0) == 1).all() and (marks[5:].sum(axis=0) == 1).all() and set(marks.ravel()) == {0, 1}
    assert (marks.sum(axis=1) > 0).all(), "every place of a half is marked sometimes"
    assert values.min() >= 0 and values.max() < 1 and values.mean() == pytest.approx(0.5, abs=0.02)
    for n in range(N):
        assert sums[n, 0] == pytest.approx(values[marks[:, n] == 1, n].sum(), rel=1e-6)


def test_one_is_the_best_constant_answer_and_costs_a_sixth():
    _, sums = tasks.adding_batch(np.random.default_rng(1), 2, 200_000, np.float64)
    assert tasks.squared_error_forward(np.ones_like(sums), sums) == pytest.approx(tasks.ADDING_BASELINE, rel=0.01)
    for answer in (0.9, 1.1):
        assert tasks.squared_error_forward(np.full_like(sums, answer), sums) > tasks.ADDING_BASELINE + 0.005


@pytest.mark.parametrize("T", [1, 2, 7])
def test_the_symbols_come_back_after_the_delimiter(T):
    inputs, targets = tasks.copy_batch(np.random.default_rng(2), T, 300)
    assert inputs.shape == targets.shape == (T + 20, 300)
    assert np.array_equal(inputs[:10], targets[-10:]) and set(inputs[:10].ravel()) == set(range(8))
    assert (inputs[10:-11] == tasks.BLANK).all() and len(inputs[10:-11]) == T - 1
    assert (inputs[-11] == tasks.DELIMITER).all() and (inputs[-10:] == tasks.BLANK).all()
    assert (targets[:-10] == tasks.BLANK).all()
    assert max(inputs.max(), targets.max()) < tasks.COPY_VOCABULARY == 10


def test_blanks_and_then_any_symbol_cost_the_baseline():
    T = 30
    _, targets = tasks.copy_batch(np.random.default_rng(3), T, 4)
    y = np.zeros((T + 20, 4, tasks.COPY_VOCABULARY))  # who knows when, and not what
    y[:-10, :, tasks.BLANK] = 1
    y[-10:, :, : tasks.NUM_SYMBOLS] = 1 / 8
    nats = -np.log(np.take_along_axis(y, targets[..., None], -1))
    assert nats.mean() == pytest.approx(tasks.copy_baseline(T), rel=1e-14)
    assert tasks.copy_baseline(T) == pytest.approx(10 * math.log(8) / 50)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda rng: tasks.adding_batch(rng, 1, 3), "T must be 2 or more"),
        (lambda rng: tasks.adding_batch(rng, 5, 0), "N must be a positive integer"),
        (lambda rng: tasks.copy_batch(rng, 0, 3), "T must be a positive integer"),
        (lambda rng: tasks.copy_batch(rng, 4, 2.5), "N must be a positive integer"),
        (lambda rng: tasks.copy_baseline(0), "T must be a positive integer"),
    ],
)
def test_bad_sizes_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call(np.random.default_rng(0))
