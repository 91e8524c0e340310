import numpy as np
import pytest

import numpylm as nlm
from numpylm.proof.gradient_plots import derivative_error, step_size_figure

pytest.importorskip("matplotlib", reason="matplotlib is not installed: see requirements.txt")


def report(method="central"):
    x, W = np.random.default_rng(0).standard_normal((2, 4, 4))
    claim = {"x": 2 * (x @ W) @ W.T, "W": 2 * x.T @ (x @ W)}
    claim["W"][:, 2] *= 1.1
    return nlm.check_gradients(lambda x, W: ((x @ W) ** 2).sum(), {"x": x, "W": W}, claim, method)


def test_the_error_map_shows_the_wrong_block(tmp_path):
    figure = report().plot(tmp_path / "errors.png")
    assert (tmp_path / "errors.png").stat().st_size > 1000
    shown = {axes.get_title(): axes.images[0].get_array() for axes in figure.axes if axes.images and axes.get_title()}
    errors = shown["dW 4x4: 4 wrong"]
    assert (errors[:, 2] > -3).all()
    assert (np.delete(errors, 2, axis=1) < -7).all()


def test_the_error_map_counts_in_whole_numbers():
    h = np.ones((2, 3))
    figure = nlm.check_gradients(lambda h: (h * h).sum(), {"h": h}, {"h": 2 * h}).plot()
    for axis in (figure.axes[0].xaxis, figure.axes[0].yaxis):
        assert all(tick == round(tick) for tick in axis.get_ticklocs())


def test_a_projection_has_no_map():
    with pytest.raises(ValueError, match="report by projection"):
        report("projection").plot()


def test_the_recommended_steps_are_near_the_best(tmp_path):
    step_size_figure(tmp_path / "steps.png")
    assert (tmp_path / "steps.png").stat().st_size > 1000
    at = {step: derivative_error("central", np.float64, step) for step in (1e-10, 6e-6, 1e-2)}
    assert at[6e-6] < 1e-8 < min(at[1e-10], at[1e-2])
    assert derivative_error("complex", np.float64, 1e-30) < 1e-14
