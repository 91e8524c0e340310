import numpy as np

from numpylm.proof.gradient_report import GradientReport, Row


def row(name, num_wrong, error, num_kinks=0):
    """A row of 2 x 3 entries, the last num_wrong of which are wrong, the first num_kinks at a kink."""
    one = Row(name, np.full((2, 3), 1.5))
    one.checked[...], one.slope[...] = True, 1.5 * (1 - error)
    one.wrong.flat[6 - num_wrong :], one.kinks.flat[:num_kinks] = True, True
    return one


RIGHT = GradientReport([row("x", 0, 1e-12)], [], "central")
WRONG = GradientReport([row("x", 0, 0.9), row("a_very_long.name.W_h", 3, 0.5)], [], "central", ("why",))


def test_the_worst_row_is_a_wrong_one():
    assert WRONG.worst.name == "a_very_long.name.W_h"
    assert GradientReport([], [], "central").worst is None


def test_the_table_is_aligned_and_narrow():
    lines = str(WRONG._replace(complaints=["a long complaint " * 20])).splitlines()
    assert max(map(len, lines)) <= 80
    assert len({len(line) for line in lines[2:5]}) == 1
    assert lines[0] == "gradients are WRONG: a_very_long.name.W_h"
    assert "3/6" in lines[4] and lines[-1] == "-> why"


def test_kinks_are_told():
    report = RIGHT._replace(rows=[row("x", 0, 0.0, num_kinks=2)])
    assert "2 entries lie at a kink" in str(report)
    report = RIGHT._replace(rows=[row("x", 0, 0.0, num_kinks=1)])
    assert "1 entry lies at a kink" in str(report)


def test_the_worst_entry_is_a_wrong_one():
    one = WRONG.rows[1]
    one.slope[0, 0] = 9
    assert one.index == (1, 0) and one.numeric == 0.75 and one.relative_error == 0.5 and one.largest == 9


def test_a_notebook_shows_the_same_text():
    assert "<b style=color:#d55e00>gradients are WRONG" in WRONG._repr_html_() and "-&gt; why" in WRONG._repr_html_()
    assert repr(WRONG) == str(WRONG)
