"""The learning-rate schedules over ten epochs, as functions of the epoch or of what validation found."""

from numpylm import schedules
from numpylm.figures.drawing import charts
from numpylm.plots import BLUE, GREY

EPOCHS = 10
POINTS = 200  # in an epoch
VALID_LOSSES = (2.6, 2.3, 2.1, 2.2, 2.0, 1.9, 1.95, 1.85, 1.8)  # no better than before after epochs 4 and 7
CURVES = {  # name -> the learning rate as a function of the epochs done, for α = 1
    "constant": lambda _: 1,
    "decay": lambda done: schedules.decay(1, int(done), 3, 0.5),
    "plateau": lambda done: schedules.plateau(1, VALID_LOSSES[: int(done)], 0.5),
    "cosine": lambda done: schedules.cosine(1, done / EPOCHS),
}


def draw():
    """A panel for each schedule, as a Figure."""
    figure, panels = charts(10, 3.7, len(CURVES), sharey=True)
    epochs = [k / POINTS for k in range(EPOCHS * POINTS)]
    for axes, (name, rate) in zip(panels, CURVES.items(), strict=True):
        axes.fill_between(epochs, [rate(epoch) for epoch in epochs], color=BLUE, alpha=0.15)
        axes.plot(epochs, [rate(epoch) for epoch in epochs], color=BLUE)
        axes.set(title=name, xlabel="epochs done", xlim=(0, EPOCHS), ylim=(0, 1.08), xticks=(0, 3, 6, 9))
    for worse in (4, 7):
        panels[2].axvline(worse, color=GREY, linestyle=":", linewidth=1.5)
    panels[2].set_xlabel("epochs done\n(dotted: validation is no better)")
    panels[0].set_ylabel("learning rate / α")
    return figure
