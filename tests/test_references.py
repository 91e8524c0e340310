"""The GRU of other code, with which a student's is compared, is proved as our own cells are."""

from types import SimpleNamespace

import numpy as np
import pytest

from numpylm.gru import GRUParameters, gru_forward
from numpylm.proof.cases import sequence_case
from numpylm.proof.gradient_check import check_gradients
from numpylm.tutor import references
from numpylm.tutor.foreign.problems import FORMS


def cell_of(options):
    """The cell in one form, as sequence_case takes it."""
    return SimpleNamespace(
        Parameters=references.CHOParameters, State=references.CHOState, shapes=references.cho_shapes,
        backward=references.cho_backward,
        forward=lambda parameters, x, state_0, *_: references.cho_forward(parameters, x, state_0, **options),
    )  # fmt: skip


@pytest.mark.parametrize("options", FORMS["gru"])
def test_every_gradient_of_the_gru_of_other_code_is_proved(options):
    case = sequence_case("cho", cell_of(options), np.random.default_rng(0), sizes=(4, 3, 2, 5))
    found = check_gradients(case.f, case.arguments, case.gradients, cotangents=case.cotangents)
    assert found.ok and len(found.rows) == 5, found


def test_without_b_hn_one_of_its_forms_is_our_own_gru():
    rng = np.random.default_rng(1)
    parameters = [rng.standard_normal(shape) for shape in references.cho_shapes(2, 5).values()]
    x, state_0 = rng.standard_normal((4, 3, 2)), references.CHOState(rng.standard_normal((3, 5)))
    ours = gru_forward(GRUParameters(*parameters, np.zeros(5)), x, state_0)
    theirs = references.cho_forward(references.CHOParameters(*parameters), x, state_0, resets_first=False, keeps_z=True)
    np.testing.assert_allclose(theirs.h, ours.h, rtol=1e-12)
