"""Growth: sizes over two decades, slopes by least squares, measured in rounds."""

import pytest

from numpylm.bench import scaling
from numpylm.bench.run import Effort


class MadeUpWorker:
    """Answers with a time that grows as the 0.9th power of T and linearly with N."""

    def __init__(self):
        self.asked = []

    def ask(self, task, cell, shape, effort):
        assert (task, cell, effort["seconds"]) == ("scaling", "lstm", 0)
        self.asked.append((shape.T, shape.N))
        return {"seconds": [1e-6 * shape.T**0.9 * shape.N] * effort["rounds"]}


def test_two_decades_are_measured_in_rounds_over_all_sizes(capsys):
    worker = MadeUpWorker()
    rows = scaling.measure(worker, Effort(rounds=2, seconds=5))
    once = [(T, 10) for T in scaling.SIZES] + [(10, N) for N in scaling.SIZES]
    assert worker.asked == once * 2
    assert max(scaling.SIZES) >= 100 * min(scaling.SIZES)
    assert scaling.slope(rows, "T") == pytest.approx(0.9) and scaling.slope(rows, "N") == pytest.approx(1.0)
    out = capsys.readouterr().out
    assert "time grows as T^0.90 over both decades, as T^0.90 over the upper; 1 is linear" in out
    assert "time grows as N^1.00 over both decades" in out
    assert max(map(len, out.splitlines())) <= 80


def test_a_slope_is_fitted_to_the_medians_from_a_size_on():
    rows = [{"axis": "T", "size": size, "seconds": [0.0, max(size, 100), 1e9]} for size in (10, 100, 200, 400)]
    assert scaling.slope(rows, "T", smallest=100) == pytest.approx(1.0)
    assert scaling.slope(rows, "T") < 0.5
