"""The results of looking into models as pictures. matplotlib is imported where it draws."""

from functools import partial

import numpy as np

from numpylm import plots
from numpylm.figures.drawing import charts
from numpylm.plots import BLUE, GREEN, GREY, ORANGE
from numpylm.probing.measures import strength
from numpylm.probing.units import DISTANCES

RANGES = [str(near) if near == far else f"{near}+" if far > 40 else f"{near}–{far}" for near, far in DISTANCES]
floats = partial(np.array, dtype=float)  # with NaN for None
LOOKS = {"off": ("off", ORANGE, "s"), "cut": ("forget path cut", GREEN, "^"), "swap": ("other number", BLUE, "v")}


def title(result):
    """The cell and its size."""
    return f"{result['cell'].upper()}, H = {result['hidden_dim']}"


def grammar_figure(results):
    """A column for each run. Above: each unit's AUC for number, and what switching it off costs. In the middle: the AUC
    of the best unit and of the probe by distance. Below: right verbs by distance, with one unit changed."""
    from matplotlib import rc_context

    with rc_context(plots.STYLE | {"font.size": 10}):
        figure, panels = charts(0.8 + 3 * len(results), 7.5, len(results), 3, squeeze=False, sharey="row")
        for column, result in zip(panels.T, results, strict=True):
            draw_units(column[0], result)
            draw_distances(column[1], result["properties"]["number"])
            draw_changes(column[2], result["ablation"])
            column[0].set_title(title(result))
        labels = ("verbs lost without this unit, %", "AUC for number", "verbs in the right number, %")
        for axes, label in zip(panels[:, 0], labels, strict=True):
            axes.set_ylabel(label)
        panels[1, 0].legend(fontsize=7, loc="lower left", ncols=2)
        max(panels[2], key=lambda axes: len(axes.lines)).legend(fontsize=7, loc="lower left")
    return figure


def draw_units(axes, result):
    """A dot for each unit: how well it tells the number, and what share of the right verbs is lost when it is off."""
    single, areas = result["ablation"]["single"], result["properties"]["number"]["areas"]
    told = strength(np.array([areas[name] for name in single]))
    axes.plot(told, 100 * np.array(list(single.values())), "o", color=BLUE, markersize=4)
    axes.axhline(0, color=GREY, linewidth=1)
    axes.set(xlabel="AUC of one unit for number", xlim=(0.49, 1.01))


def draw_distances(axes, told):
    """The AUC of the best unit and of the probe by the words since the subject, beside an untrained model's."""
    for prefix, name, color in (("", "trained", BLUE), ("untrained_", "untrained", GREY)):
        axes.plot(RANGES, floats(told[f"{prefix}probe_by_distance"]), "o-", color=color, label=f"probe, {name}")
        axes.plot(RANGES, floats(told[f"{prefix}auc_by_distance"]), "s--", color=color, label=f"best unit, {name}")
    axes.set(xlabel="words since the subject", ylim=(0.2, 1.02))
    axes.axhline(0.5, color=GREY, linewidth=1)


def draw_changes(axes, ablation):
    """Right verbs by distance: as trained, and with the strongest unit changed; dotted, with a random one changed."""
    axes.plot(RANGES, 100 * floats(ablation["as_trained"]["by_distance"]), "o-", color="black", label="as trained")
    for kind, found in ablation["changes"].items():
        (name, color, marker), one = LOOKS[kind], found["1"]
        random = np.mean([floats(draw["by_distance"]) for draw in one["random"]], axis=0)
        strongest = floats(one["strongest"]["by_distance"])
        axes.plot(RANGES, 100 * strongest, f"{marker}--", color=color, label=f"strongest unit: {name}")
        axes.plot(RANGES, 100 * random, ":", color=color, label=f"random unit: {name}")
    axes.set(xlabel="words from the subject to the verb", ylim=(0, 103))
