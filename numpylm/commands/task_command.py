"""What the commands that train have in common. Every command X of a kind of model has one grammar:

X                   trains the built-in task and shows what came out
X --train PATH      trains on data
X --resume RUN      goes on with a run
X RUN …             uses a run (not `train`, which only trains: sample, evaluate and score use its runs)
"""

import sys
from argparse import SUPPRESS
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import fields, replace
from importlib import import_module
from pathlib import Path
from textwrap import fill

from numpylm import plots
from numpylm.base import require
from numpylm.base.choices import GROUPS, TIME
from numpylm.beam_search import check_search
from numpylm.bench.system import peak_mib
from numpylm.checkpoint import load_checkpoint
from numpylm.commands.console import cut, print_filled, program, quoted, terminal_width
from numpylm.commands.mpi import ranks
from numpylm.commands.options import add_choice, chosen, flag, flags_given
from numpylm.commands.process import LastingStream
from numpylm.commands.run import check_finite, resume_run, start_run, train
from numpylm.commands.run_folder import RunConfig, free_folder, write_json
from numpylm.commands.run_record import tokens_per_second
from numpylm.data.metrics import read_metrics
from numpylm.data.printable import on_one_line
from numpylm.kinds.language_task import UNITS

RESUMED = (
    "go on with the run in this folder, as if it had never stopped; --epochs or --minutes set a new end, counted "
    "from the run's beginning (the cosine schedule has come down to 0 by the old end, and jumps up again). "
    "If the data have moved, give the option that names them"
)

WIDEST_BEAM = 1000
SYMBOLS = {  # what is shown when a run begins
    **{"embedding_dim": "D", "hidden_dim": "H", "num_layers": "L", "num_features": "B", "num_sentences": "S"},
    **{"num_hops": "K", "batch_size": "N", "num_steps": "T"},
}
SHOWN = ("attention", "bidirectional", "dropout", "first", "tie_weights", "tying")


def check_beam(choices, length_penalty=0.0):
    """Raises ValueError for a beam, or a number of best hypotheses, that cannot be."""
    require.expect("beam", choices.beam, 1 <= choices.beam <= WIDEST_BEAM, f"an integer from 1 to {WIDEST_BEAM}")
    check_search(choices.beam, length_penalty, choices.n_best, 1)


def add_task_options(parser, kind):
    """The options of a command that trains runs of a kind, and of `X RUN …` if there is such a use: a field of kind.Use
    whose flag does not begin with - is a further argument after RUN."""
    if kind.Use is not None:
        use = parser.add_argument_group("use a trained run")
        use.add_argument("trained", nargs="?", metavar="RUN", help="a run's folder, or a checkpoint file")
        for field in fields(kind.Use):
            add_choice(use, field)
    groups = {title: parser.add_argument_group(title) for title in GROUPS}
    for field in (*fields(kind.Data), *fields(kind.Model), *fields(kind.Settings)):
        add_choice(groups[field.metadata["group"]], field)
    add = groups[TIME].add_argument
    add("--out", metavar="DIR", default=SUPPRESS, help="the run's folder (a new one below runs/)")
    add("--resume", metavar="DIR", default=SUPPRESS, help=RESUMED)


def run_task(options, kind):
    """Trains, resumes or uses a run, as the options say: the exit status."""
    trained = getattr(options, "trained", None)
    training = flags_given(options, kind.Data, kind.Model, kind.Settings)
    training += [f"--{name}" for name in ("out", "resume") if hasattr(options, name)]
    using = [] if kind.Use is None else flags_given(options, kind.Use)
    if trained is not None:
        if training:
            raise ValueError(f"{kind.command} RUN uses a trained run: leave out {', '.join(training)}")
        return import_module(kind.report).use(trained, chosen(kind.Use, options))
    if using:
        raise ValueError(f"{using[0]} is for a trained run: {kind.command} RUN …")
    with redirect_stdout(LastingStream(sys.stdout, 1)), redirect_stderr(LastingStream(sys.stderr, 2)):
        status = train_to_the_end(options, kind)
        sys.stdout.flush()
    return status


def train_to_the_end(options, kind):
    """Trains and reports; 130 where training was stopped."""
    if hasattr(options, "resume"):
        run = resume(options, kind)
    else:
        run = begin(options, kind)
        note_without_effect(options, run)
    command = f"  {program()} {run.kind.command} --resume {quoted(run.folder)}"
    try:
        print(describe(run), flush=True)
        if not train(run):
            last = run.folder / "last.npz"
            print(f"Stopped after step {run.progress.step}; all is saved in {last}. Go on with\n{command}")
            return 130
        if run.ranks.rank == 0:
            finish(run)
    except KeyboardInterrupt as stop:
        stop.args = (f"{str(stop) or 'interrupted'}; from what was last saved, go on with\n{command}",)
        raise
    return 0


def begin(options, kind):
    """A new run from the options that were given."""
    if hasattr(options, "minutes") and not hasattr(options, "epochs"):
        options.epochs = None
    model, settings, data = (chosen(cls, options) for cls in (kind.Model, kind.Settings, kind.Data))
    config = kind.complete(RunConfig(kind.name, model, settings, data), options)
    config = replace(config, data=replace(config.data, **given_places(options, kind)))
    folder = ranks().on_first(lambda: getattr(options, "out", None) or free_folder("runs", kind.run_name(config)))
    return start_run(folder, kind, config, ranks())


def note_without_effect(options, run):
    """Says which of the options that were given change nothing."""
    model, settings = run.config.model, run.config.settings
    others = {*SYMBOLS, *SHOWN} - {*run.model.sizes._fields}  # of another model of this kind
    idle = {flag(field): field.name in others for field in fields(model)} | {
        "--decay-from": settings.schedule != "decay",
        "--decay-factor": settings.schedule not in ("decay", "plateau"),
        "--dropout-kind": getattr(model, "dropout", 0) == 0,
    }
    names = [name for name in flags_given(options, run.kind.Model, run.kind.Settings) if idle.get(name)]
    if names:
        words = f"note: no effect of {', '.join(sorted(names))} with the other options as they are"
        print(words, file=sys.stderr)


def given_places(options, kind):
    """{field: place} of the options that say where the data are; whole paths, so that any folder can resume the run."""
    places = {}
    for field in fields(kind.Data):
        if field.metadata["place"] and hasattr(options, field.name):
            place = getattr(options, field.name)
            is_path = place != field.default and Path(place).exists()
            places[field.name] = str(Path(place).resolve()) if is_path else place
    return places


def resume(options, kind):
    """The run to go on with. Raises ValueError for options that would be ignored."""
    places = given_places(options, kind)
    for name in places:
        delattr(options, name)
    changed = {name: vars(options).pop(name, None) for name in ("epochs", "minutes")}
    ignored = flags_given(options, kind.Data, kind.Model, kind.Settings) + ["--out"] * hasattr(options, "out")
    if ignored:
        kept = "a resumed run keeps its options, only --epochs and --minutes may change"
        raise ValueError(f"{kept}; leave out {', '.join(sorted(ignored))}")
    return resume_run(options.resume, **changed, places=places, ranks=ranks())


def describe(run):
    """What is about to be trained on what, in lines of 80 characters or fewer."""
    data, settings = run.data, run.config.settings
    counts = ", ".join(f"{len(data.parts[part]):,} {part}" for part in ("train", "valid", "test"))
    sides = data.vocabulary.items() if isinstance(data.vocabulary, dict) else [("different", data.vocabulary)]
    parts = []  # "D=64", "attention dot", "bidirectional", "dropout 0.3", …
    for name, value in (run.model.sizes._asdict() | vars(settings)).items():
        if name in SYMBOLS:
            parts.append(f"{SYMBOLS[name]}={value}")
        elif name in SHOWN and value:
            parts.append(name.replace("_", " ") if value is True else f"{name} {value}")
    lines = {
        "corpus": f"{data.name}: {counts} {run.kind.items}",
        "tokens": ", ".join(f"{len(known):,} {side} {UNITS[known.level]}s" for side, known in sides),
        "model": ", ".join([run.kind.title(run.config), *parts]),
        "steps": f"{settings.optimizer}, learning rate {settings.learning_rate:g}, {settings.schedule} schedule",
    }
    if run.ranks.size > 1:
        lines["ranks"] = f"{run.ranks.size} processes share the sequences of each batch"
    width, after = min(80, terminal_width()) - 1, {"subsequent_indent": " " * 8, "break_long_words": False}
    shown = [fill(on_one_line(text), width, initial_indent=f"{word:<8}", **after) for word, text in lines.items()]
    return "\n".join([*shown, f"folder  {on_one_line(run.folder)}"])


def finish(run):
    """Measures and reports the best model, and writes summary.json and the learning curve: the Report.

    Raises RunDiverged, after all is written, where its loss on the test data is not finite.
    """
    model = load_checkpoint(run.folder / "best.npz").model
    print("measuring the best model …", file=sys.stderr)
    print()
    report = import_module(run.kind.report).report(run, model)
    write_json(run.folder / "summary.json", common_fields(run, model) | report.fields)
    draw_learning_curve(run, report)
    print(f"\nSaved in {on_one_line(run.folder)}:")
    print_filled(", ".join(sorted(path.name for path in run.folder.iterdir() if not path.name.startswith("."))))
    verb, command = ("Use it", run.kind.command) if run.kind.Use else ("Let it write more", "sample")
    print(f"{verb} with\n  {program()} {command} {quoted(run.folder)}")
    settings = run.config.settings
    check_finite(
        "the best model's loss on the test data", report.loss, run.task.perplexity,
        f" per {run.task.unit}: its state overflows there, although it did not on the validation data. All is saved; "
        f"train again with a smaller --learning-rate (it was {settings.learning_rate:g}) or --clip (it was "
        f"{settings.max_norm:g})",
    )  # fmt: skip
    return report


def common_fields(run, model):
    """The fields of summary.json that every run has; seconds of training, MiB at the peak."""
    progress = run.progress
    return {
        "task": run.kind.name,
        "model": run.config.model.model,
        "parameters": sum(array.size for array in model.parameters().values()),
        "epochs": progress.epoch,
        "steps": progress.step,
        "loss_unit": f"nats per {run.task.unit}",
        "valid_loss": min(progress.valid_losses),
        "tokens_per_second": tokens_per_second(progress),
        "seconds": round(progress.seconds, 2),
        "peak_memory_mib": peak_mib(),
    }


def draw_learning_curve(run, report):
    """Draws learning_curve.png. If it cannot be drawn, we say so, and the run goes on."""
    rows = read_metrics(run.folder / "metrics.csv")
    path, task = run.folder / "learning_curve.png", run.task
    heading = on_one_line(f"{run.kind.title(run.config)} on {cut(run.data.name, 40)}")
    with plots.may_fail(path.name):
        figure = plots.learning_curve(rows, report.reference or {}, heading, task.unit, task.perplexity)
        plots.save(figure, path)
