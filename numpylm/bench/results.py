"""From the seconds of a run to its ratios, means and goals."""

from statistics import geometric_mean, median
from typing import NamedTuple

from numpylm.bench.clock import ratio, spread
from numpylm.bench.shapes import NINE_PAIRS

AVX512_KERNELS = ("SkylakeX", "Cooperlake", "SapphireRapids")


class Goal(NamedTuple):
    """What this project wants of itself: value <= limit. Value is None where this run did not measure it."""

    what: str
    limit: float
    value: float | None

    @property
    def met(self):
        """True, False, or None where it was not measured."""
        return None if self.value is None else self.value <= self.limit


def times(row, name):
    """A row's seconds of floor, numpylm, torch or jax; None where they were not measured or its results disagree."""
    if row["disagreement"].get(name):
        return None
    return row["seconds"].get(name)


def typical(row, name):
    """The median of a row's seconds, or None."""
    seconds = times(row, name)
    return None if seconds is None else median(seconds)


def times_of(row, name):
    """numpylm's time ÷ another's, or None."""
    ours, theirs = times(row, "numpylm"), times(row, name)
    return None if ours is None or theirs is None else ratio(ours, theirs)


def uncertainty(row):
    """The spread of numpylm's time ÷ the floor, or None."""
    ours, floor = times(row, "numpylm"), times(row, "floor")
    return None if ours is None or floor is None else spread(ours, floor)


def mean_over_nine(rows, name):
    """The geometric mean of numpylm's time ÷ another's over the nine pairs; None unless all nine were measured."""
    quotients = the_nine(rows, name)
    return None if quotients is None else geometric_mean(quotients.values())


def the_nine(rows, name):
    """(cell, shape) -> numpylm's time ÷ another's, for the nine pairs; None unless all nine were measured."""
    found = {(row["cell"], row["shape"][0]): times_of(row, name) for row in rows}
    quotients = {pair: found.get(pair) for pair in NINE_PAIRS}
    return None if None in quotients.values() else quotients


def goals(run):
    """The Goals that apply to a run on one thread: for the kernel that OpenBLAS picks, and for an AVX-512 kernel."""
    found = []
    if run["threads"] == 1 and run["about"]["coretype"] is None:
        found += default_goals(run["training"])
    if run["threads"] == 1 and run["about"]["blas"]["kernel"] in AVX512_KERNELS:
        found += avx512_goals(run["training"])
    return found + other_goals(run)


def default_goals(rows):
    """With the kernel that BLAS picks by itself."""
    floor, torch = the_nine(rows, "floor"), the_nine(rows, "torch")
    worst_floor = None if floor is None else max(floor[pair] for pair in floor if pair[1] != "D")
    return [
        Goal("× floor, the worst of LSTM and RNN at A B C E", 1.25, worst_floor),
        Goal("× torch, geometric mean of the nine", 0.75, mean_over_nine(rows, "torch")),
        Goal("× torch, the worst of the nine", 1.5, None if torch is None else max(torch.values())),
    ]


def avx512_goals(rows):
    """With an AVX-512 kernel."""
    found = {(row["cell"], row["shape"][0]): times_of(row, "torch") for row in rows}
    return [
        Goal("× torch with AVX-512, geometric mean of the nine", 0.5, mean_over_nine(rows, "torch")),
        Goal("× torch with AVX-512, LSTM A", 1.0, found.get(("lstm", "A"))),
        Goal("× torch with AVX-512, LSTM B", 1.0, found.get(("lstm", "B"))),
    ]


def other_goals(run):
    """Whatever the kernel is."""
    sampling = [times_of(row, "torch") for row in run["sampling"] if (row["cell"], row["shape"][0]) == ("lstm", "B")]
    memory = [row["mib"] for row in run["memory"] if row["shape"][0] == "C" and row["name"] == "numpylm"]
    return [
        Goal("× torch.lstm_cell, sampling at B", 0.5, next(iter(sampling), None)),
        Goal("MiB, the peak of a process that trains LSTM C", 120, next(iter(memory), None)),
    ]


def disagreements(run):
    """(row, implementation, what differs) wherever results disagree."""
    for row in rows_with_agreement(run):
        for name, what in row["disagreement"].items():
            if what is not None:
                yield row, name, what


def rows_with_agreement(run):
    """The rows of all tables in which results were compared."""
    return [row for table in ("training", "sampling", "evaluation") for row in run.get(table, [])]
