"""What the commands that train have in common. Every command X of a kind of model has one grammar:

X                   trains the built-in task and shows what came out
X --train PATH      trains on data
X --resume RUN      goes on with a run
X RUN …             uses a run (not `train`, which only trains: sample, evaluate and score use its runs)
"""

import sys
from argparse import SUPPRESS
from dataclasses import fields, replace
from pathlib import Path

from numpylm.commands.console import program, quoted
from numpylm.commands.interrupts import Stopped
from numpylm.commands.mpi import ranks
from numpylm.commands.options import add_choice, add_choices, chosen, flag, flags_given
from numpylm.commands.run import resume_run, start_run, train
from numpylm.commands.run_config import RunConfig
from numpylm.commands.run_folder import free_folder
from numpylm.commands.streams import outlasting_readers
from numpylm.data.printable import on_one_line

RESUMED = (
    "go on with the run in this folder, as if it had never stopped; with --epochs or --minutes until then, counted "
    "from the run's beginning (the cosine schedule has come down to 0 by the old end, and jumps up again); with the "
    "option that names the data, if they have moved"
)

WIDEST_BEAM = 1000


def add_task_options(parser, kind, Use=None):
    """The options of a command that trains runs of a kind. Use is a dataclass of the choices of `X RUN …`, if there is
    such a use; a field whose flag does not begin with - is a further argument after RUN."""
    if Use is not None:
        use = parser.add_argument_group("use a trained run")
        use.add_argument("trained", nargs="?", metavar="RUN", help="a run's folder, or a checkpoint file")
        for field in fields(Use):
            add_choice(use, field)
    group = add_choices(parser, kind.Data, kind.Model, kind.Settings)["how long, and where to"]
    group.add_argument("--out", metavar="DIR", default=SUPPRESS, help="the run's folder (a new one below runs/)")
    group.add_argument("--resume", metavar="DIR", default=SUPPRESS, help=RESUMED)


def run_task(options, kind, Use=None, use=None):
    """Trains, resumes or uses a run, as the options say: the exit status. use is called with RUN and a Use."""
    trained = getattr(options, "trained", None)
    training = flags_given(options, kind.Data, kind.Model, kind.Settings)
    training += [f"--{name}" for name in ("out", "resume") if hasattr(options, name)]
    using = [] if Use is None else flags_given(options, Use)
    if trained is not None:
        if training:
            raise ValueError(f"{kind.command} RUN uses a trained run: leave out {', '.join(training)}")
        return use(trained, chosen(Use, options))
    if using:
        raise ValueError(f"{using[0]} is for a trained run: {kind.command} RUN …")
    with outlasting_readers():
        return train_to_the_end(options, kind)


def train_to_the_end(options, kind):
    """Trains and reports; 130 where training was stopped."""
    run = resume(options, kind) if hasattr(options, "resume") else begin(options, kind)
    go_on = f"  {program()} {run.kind.command} --resume {quoted(run.folder)}"
    try:
        print(describe(run), flush=True)
        if train(run):
            if run.ranks.rank == 0:
                finish(run)
            return 0
        print(f"Stopped after step {run.progress.step}; all is saved in {run.folder / 'last.npz'}. Go on with\n{go_on}")
    except KeyboardInterrupt as stop:
        print(f"\n{str(stop) or 'interrupted'}; from what was last saved, go on with\n{go_on}", file=sys.stderr)
        return 128 + stop.number if isinstance(stop, Stopped) else 130
    return 130


def finish(run):
    """The report at a run's end."""
    from numpylm.commands import run_report

    run_report.finish(run)


def begin(options, kind):
    """A new run from the options that were given."""
    if hasattr(options, "minutes") and not hasattr(options, "epochs"):
        options.epochs = None
    model, settings, data = (chosen(cls, options) for cls in (kind.Model, kind.Settings, kind.Data))
    note_without_effect(options, model, settings)
    config = kind.complete(RunConfig(kind.name, model, settings, data), options)
    config = replace(config, data=with_whole_places(config.data))
    folder = ranks().on_first(lambda: getattr(options, "out", None) or free_folder("runs", kind.run_name(config)))
    return start_run(folder, kind, config, ranks())


def with_whole_places(data):
    """A kind's choices of data with the whole path of each place that exists."""
    chosen_places = {
        field.name: whole(getattr(data, field.name))
        for field in fields(data)
        if field.metadata["place"] and getattr(data, field.name) not in (None, field.default)
    }
    return replace(data, **chosen_places)


def whole(place):
    """The whole path of a place that exists, else what was given."""
    return str(Path(place).resolve()) if Path(place).exists() else place


def note_without_effect(options, model, settings):
    """Says which of the options given change nothing."""
    idle = {
        "decay_from": settings.schedule != "decay",
        "decay_factor": settings.schedule not in ("decay", "plateau"),
        "dropout_kind": getattr(model, "dropout", 0) == 0,
    }
    without_effect = ["--" + name.replace("_", "-") for name in idle if idle[name] and hasattr(options, name)]
    if without_effect:
        print(f"note: no effect of {', '.join(without_effect)} with the other options as they are", file=sys.stderr)


def resume(options, kind):
    """The run to go on with. Raises ValueError for options that would be ignored."""
    places = {field.name for field in fields(kind.Data) if field.metadata["place"]}
    allowed = {"epochs", "minutes", *places}
    ignored = [
        flag(field)
        for cls in (kind.Data, kind.Model, kind.Settings)
        for field in fields(cls)
        if hasattr(options, field.name) and field.name not in allowed
    ] + ["--out"] * hasattr(options, "out")
    if ignored:
        raise ValueError(
            "a resumed run keeps its options, only --epochs and --minutes may change; leave out "
            + ", ".join(sorted(ignored))
        )
    given = {name: whole(getattr(options, name)) for name in places if hasattr(options, name)}
    epochs, minutes = getattr(options, "epochs", None), getattr(options, "minutes", None)
    return resume_run(options.resume, epochs, minutes, given, ranks())


def describe(run):
    """What is about to be trained on what, in lines of 80 characters or fewer."""
    settings = run.config.settings
    lines = [
        *run.kind.describe(run),
        ("steps", f"{settings.optimizer}, learning rate {settings.learning_rate:g}, {settings.schedule} schedule"),
        *[("ranks", f"{run.ranks.size} processes share the sequences of each batch")] * (run.ranks.size > 1),
        ("folder", run.folder),
    ]
    return "\n".join(f"{word:<8}{on_one_line(text)}" for word, text in lines)
