"""Learning-rate schedules against tables worked out by hand."""

import math

import pytest

from numpylm import schedules


def test_decay_is_that_of_the_small_model_of_zaremba_et_al():
    rates = [schedules.decay(1.0, epoch, start=3, factor=0.5) for epoch in range(8)]
    assert rates == [1, 1, 1, 1, 1 / 2, 1 / 4, 1 / 8, 1 / 16]


@pytest.mark.parametrize(
    ("valid_losses", "failures"),
    [
        ([], 0),
        ([5.0], 0),
        ([5.0, 4.0, 3.0], 0),
        ([5.0, 5.0], 1),  # no better is a failure
        ([5.0, 6.0, 5.5], 2),  # each is compared with the best, not with the one before
        ([5.0, 6.0, 4.0, 4.5, 3.0], 2),
    ],
)
def test_plateau_counts_the_epochs_that_were_no_better_than_the_best(valid_losses, failures):
    assert schedules.plateau(2.0, valid_losses, 0.25) == 2.0 * 0.25**failures


def test_cosine_starts_at_the_full_rate_and_ends_at_zero():
    assert schedules.cosine(0.4, 0.0) == 0.4
    assert schedules.cosine(0.4, 1 / 3) == pytest.approx(0.3, rel=1e-15)
    assert schedules.cosine(0.4, 0.5) == pytest.approx(0.2, rel=1e-15)
    assert schedules.cosine(0.4, 2 / 3) == pytest.approx(0.1, rel=1e-15)
    assert schedules.cosine(0.4, 1.0) == 0
    assert schedules.cosine(0.4, 1.5) == 0  # it does not rise again


def test_a_rate_is_a_plain_float_which_upcasts_no_float32():
    assert schedules.SCHEDULES == ("constant", "decay", "plateau", "cosine")
    rates = [schedules.decay(0.5, 7, 3, 0.5), schedules.plateau(0.5, [1.0, 2.0], 0.5), schedules.cosine(0.5, 0.3)]
    assert [type(rate) for rate in rates] == [float] * 3
    assert all(math.isfinite(rate) for rate in rates)
