"""When do several machines pay? A model of a training step, fitted to what parallel_speed.py measured.

    python benchmarks/parallel_model.py       prints tables, and draws figures/parallel_speed.png

    step(K, n) = a + b n + 2 (K - 1) / K · bytes / bandwidth + latency         (the last two only for K > 1)

K machines train n sequences each. a + b n, the time to compute, is fitted to one process with 1 to 80 sequences, by the
processor's clock. Each machine adds up one K-th of the gradients and sends the sums to the others: 2 (K - 1) / K times
their bytes pass through its cable. Bandwidth and latency are measured between two processes; for more it is a forecast.
"""

import json
from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np
from parallel_speed import MODELS, RESULT, WAYS, N, T

from numpylm.figures.drawing import FIGURE_STYLE, charts
from numpylm.plots import BLUE, GREY, ORANGE

FIGURE = Path(__file__).parent.parent / "figures" / "parallel_speed.png"
BYTES = {"2×200": 4 * 4_651_600, "1×650": 4 * 16_392_600}  # of the gradients
MACHINES = (1, 2, 4, 8, 16, 32, 64)
BATCH = 160  # sequences, in all or on each machine
COLORS = dict(zip(MODELS, (BLUE, ORANGE), strict=True))
LOOKS = {"shared memory": "o-", "1 Gbit/s": "s--"}


class Model(NamedTuple):
    """Of one kind of model on one kind of link: seconds a and b, bytes, bytes a second, and seconds of latency."""

    a: float
    b: float
    num_bytes: int
    bandwidth: float
    latency: float

    def step(self, K, n):
        """Seconds of a step of K machines with n sequences each."""
        adding = 2 * (K - 1) / K * self.num_bytes / self.bandwidth + self.latency
        return self.a + self.b * n + (adding if K > 1 else 0)

    def enough(self, K, times_as_fast):
        """The least n from which K machines train so many times as fast as one."""
        return next(n for n in range(1, 10_000) if K * self.step(1, n) >= times_as_fast * self.step(K, n))


def best(turns):
    """The smallest time of the turns, by the wall clock and by the processor's."""
    return np.min(turns, axis=0)


def fitted(found, name, link):
    """The Model of the numbers in parallel_speed.json."""
    sizes = {way: size for way, (*_, size) in WAYS.items() if way.startswith("one process")}
    seconds = np.array([best(found["steps"][name][way])[1] for way in sizes])
    b, a = np.polyfit([*sizes.values()], seconds, 1, w=1 / seconds)  # all relative errors weigh the same
    totals = {4 * int(count): best(turns)[0] for count, turns in found["totals"][link].items()}
    alike = min(totals, key=lambda num_bytes: abs(num_bytes - BYTES[name]))
    return Model(a, b, BYTES[name], alike / totals[alike], min(totals.values()))


def tables(found):
    """Lines: tokens per second of each way, the model's constants, and from which n on K machines pay."""
    for name, ways in found["steps"].items():
        for way, (*_, size) in WAYS.items():
            wall, used = best(ways[way])
            times = size * best(ways["one process"]) / N / (wall, used)
            yield f"{name}  {way:<22}{size * T / wall:8,.0f} tokens/s, {times[0]:.2f} × one process ({times[1]:.2f})"
    for link, name in product(found["totals"], found["steps"]):
        model = fitted(found, name, link)
        yield f"\n{name}, {link}: {1e3 * model.a:.0f} ms + {1e3 * model.b:.1f} ms n; {model.bandwidth / 1e6:.0f} MB/s"
        for way, n in (("two processes", N // 2), ("two processes, 2 N", N)) if link == "shared memory" else ():
            used = best(found["steps"][name][way])[1]
            yield f"    {way}: {1e3 * used:.0f} ms measured, {1e3 * model.step(2, n):.0f} ms by the model"
        for K in MACHINES[1:]:
            least, half = model.enough(K, 1), model.enough(K, K / 2)
            yield f"    K = {K}: faster than one from n = {least} on, K/2 times as fast from {half} on"


def draw(found):
    """The ways on two cores, then strong and weak scaling."""
    figure, (ways, strong, weak) = charts(15, 4.6, 3)
    names = ["two processes", "two Python threads", "two BLAS threads", "PyTorch", "PyTorch, two threads"]
    for k, (name, color) in enumerate(COLORS.items()):
        seconds = {way: best(turns)[0] for way, turns in found["steps"][name].items()}
        speeds = [seconds["one process"] / seconds[way] for way in names]
        bars = ways.barh(np.arange(5) + 0.4 * k, speeds, 0.4, label=name, color=color, hatch="//"[:k])
        ways.bar_label(bars, fmt=" %.2f", fontsize=11)
        for link, look in LOOKS.items():
            model, label = fitted(found, name, link), f"{name}, {link}"
            one = model.step(1, BATCH)
            strong.loglog(MACHINES, [one / model.step(K, BATCH / K) for K in MACHINES], look, color=color, label=label)
            weak.loglog(MACHINES, [K * one / model.step(K, BATCH) for K in MACHINES], look, color=color, label=label)
    ways.axvline(1, color=GREY, linewidth=1)
    ways.set_yticks(np.arange(5) + 0.2, names)
    ways.set(title="two cores", xlabel="tokens per second ÷ those of one process", ylim=(4.9, -0.4), xlim=(0, 2.8))
    ways.legend(loc="upper right")
    for axes, title in ((strong, f"strong: N = {BATCH} in all"), (weak, f"weak: n = {BATCH} on each")):
        axes.plot(MACHINES, MACHINES, ":", color=GREY, label="K times as fast")
        axes.set_xticks(MACHINES, MACHINES)
        axes.set_yticks(MACHINES, MACHINES)
        axes.minorticks_off()
        axes.set(title=title, xlabel="machines K", ylabel="times as fast as one", ylim=(0.8, 80))
    strong.legend(loc="upper left", fontsize=10)
    return figure


def main():
    """Print the tables, and draw."""
    from matplotlib import rc_context

    found = json.loads(RESULT.read_text(encoding="utf-8"))
    print(*tables(found), sep="\n")
    with rc_context(FIGURE_STYLE):
        draw(found).savefig(FIGURE)


if __name__ == "__main__":
    main()
