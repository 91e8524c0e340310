"""The learning-rate schedules over ten epochs, as functions of the epoch or of what validation found."""

from numpylm import schedules
from numpylm.plots import BLUE, GREEN, GREY, ORANGE, STYLE

EPOCHS = 10
POINTS = 200  # in an epoch
VALID_LOSSES = (2.6, 2.3, 2.1, 2.2, 2.0, 1.9, 1.95, 1.85, 1.8)  # no better than before after epochs 4 and 7


def draw():
    """The picture, as a Figure."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    epochs = [k / POINTS for k in range(EPOCHS * POINTS)]
    with rc_context(STYLE):
        figure = Figure(figsize=(8.5, 4.2), layout="constrained")
        axes = figure.subplots()
        for name, color, style, rate in curves():
            axes.plot(epochs, [rate(epoch) for epoch in epochs], style, color=color, label=name)
        axes.set(xlabel="epochs done", ylabel="learning rate / α", xlim=(0, EPOCHS), ylim=(0, 1.05))
        axes.legend(loc="upper right", bbox_to_anchor=(1, 0.95))
    return figure


def curves():
    """(name, color, line style, learning rate as a function of the epochs done) of each schedule, for α = 1."""
    return (
        ("constant", GREY, "-", lambda _: schedules.constant(1)),
        ("decay", ORANGE, "--", lambda done: schedules.decay(1, int(done), 3, 0.5)),
        ("plateau", GREEN, "-.", lambda done: schedules.plateau(1, VALID_LOSSES[: int(done)], 0.5)),
        ("cosine", BLUE, "-", lambda done: schedules.cosine(1, done / EPOCHS)),
    )
