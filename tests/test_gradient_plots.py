import numpy as np
import pytest

from numpylm.proof.gradient_plots import derivative_error, step_size_figure

pytest.importorskip("matplotlib", reason="matplotlib is not installed: see requirements.txt")


def test_the_recommended_steps_are_near_the_best(tmp_path):
    step_size_figure(tmp_path / "steps.png")
    assert (tmp_path / "steps.png").stat().st_size > 1000
    at = {step: derivative_error("central", np.float64, step) for step in (1e-10, 6e-6, 1e-2)}
    assert at[6e-6] < 1e-8 < min(at[1e-10], at[1e-2])
    assert derivative_error("complex", np.float64, 1e-30) < 1e-14
