"""The train command: from its options to a run, and on from a run that was stopped."""

import sys
from argparse import Namespace
from pathlib import Path

from numpylm.commands.console import program, quoted
from numpylm.commands.run import resume_run, start_run
from numpylm.commands.run import train as train_run
from numpylm.commands.run_folder import RunConfig, free_folder
from numpylm.commands.train_options import TRAIN_DEFAULTS
from numpylm.data.corpora import GRAMMAR
from numpylm.data.token_file import is_token_file, open_token_file
from numpylm.optimizers import OPTIMIZERS
from numpylm.training import Settings

DEFAULT_EPOCHS = 3
ADAM_LEARNING_RATE = 0.005  # best for the built-in corpus; the other optimizers' classes have their own
CELL_OPTIONS = {"rnn": ("nonlinearity",), "lstm": ("forget_bias",), "gru": ()}


def train(options):
    """numpylm train"""
    run = resume(options) if "resume" in options else begin(options)
    go_on = f"  {program()} train --resume {quoted(run.folder)}"
    try:
        print(describe(run), flush=True)
        if train_run(run):
            finish(run)
            return 0
        print(f"Stopped after step {run.progress.step}; all is saved in {run.folder / 'last.npz'}. Go on with\n{go_on}")
    except (KeyboardInterrupt, BrokenPipeError) as stop:
        print(f"\ninterrupted; from what was last saved, go on with\n{go_on}", file=sys.stderr)
        if isinstance(stop, BrokenPipeError):
            raise
    return 130


def finish(run):
    """The report at a run's end."""
    from numpylm.commands import run_report

    run_report.finish(run)


def resume(options):
    """The run to go on with. Raises ValueError for options that would be ignored."""
    ignored = vars(options).keys() & TRAIN_DEFAULTS.keys() - {"epochs", "minutes"}
    if ignored:
        raise ValueError(
            "a resumed run keeps its options, only --epochs and --minutes may change; leave out "
            + ", ".join(sorted(map(flag, ignored)))
        )
    return resume_run(options.resume, getattr(options, "epochs", None), getattr(options, "minutes", None))


def flag(name):
    """How an option is typed: batch_size -> --batch-size."""
    return "--" + name.replace("_", "-")


def begin(given):
    """A new run from the options of train that were given."""
    options = Namespace(**TRAIN_DEFAULTS | vars(given))
    if "split" in given and (options.corpus == GRAMMAR or Path(options.corpus).is_dir()):
        raise ValueError(f"--split cuts a corpus that is one file; {options.corpus} has its three parts already")
    if {"uniform_range", "forget_bias"} <= vars(given).keys():
        raise ValueError("--uniform-range draws b_f too, like every parameter: leave out --forget-bias, or it")
    prepared = prepared_level(options.corpus, given)
    settings = Settings(
        batch_size=options.batch_size, num_steps=options.num_steps,
        epochs=DEFAULT_EPOCHS if options.epochs is None and options.minutes is None else options.epochs,
        minutes=options.minutes, optimizer=options.optimizer,
        learning_rate=default_rate(options.optimizer) if options.learning_rate is None else options.learning_rate,
        schedule=options.schedule, restart_probability=options.restart_probability, decay_from=options.decay_from,
        decay_factor=options.decay_factor, max_norm=options.clip, seed=options.seed,
    )  # fmt: skip
    is_text_file = options.corpus != GRAMMAR and Path(options.corpus).is_file()
    config = RunConfig(
        model=options.model, model_options=model_options(options, given), corpus=whole_path(options.corpus),
        level=prepared or options.level or ("char" if is_text_file else "word"),
        min_count=options.min_count, max_vocabulary=options.max_vocabulary, settings=settings, split=options.split,
        uniform_range=options.uniform_range,
    )  # fmt: skip
    return start_run(options.out or free_folder("runs", f"{options.model}-{Path(config.corpus).stem}"), config)


def prepared_level(corpus, given):
    """The level of a token file, None for another corpus. Raises ValueError for options that prepare has settled."""
    if not is_token_file(corpus):
        return None
    settled = [flag(name) for name in ("level", "split", "min_count", "max_vocabulary") if name in given]
    if settled:
        raise ValueError(f"{corpus} is a token file, made with its own {settled[0]}: give that to prepare")
    return open_token_file(corpus).vocabulary.level


def default_rate(optimizer):
    """The learning rate of an optimizer when none is given."""
    return ADAM_LEARNING_RATE if optimizer == "adam" else OPTIMIZERS[optimizer]().learning_rate


def whole_path(corpus):
    """The corpus's path from the root, so that the run can be resumed from anywhere; "grammar" stays as it is."""
    return corpus if corpus == GRAMMAR or not Path(corpus).exists() else str(Path(corpus).resolve())


def model_options(options, given):
    """The model constructor's arguments. Raises ValueError for a given option that this model does not have."""
    for model, names in CELL_OPTIONS.items():
        foreign = [flag(name) for name in names if name in given and model != options.model]
        if foreign:
            raise ValueError(f"{foreign[0]} is an option of --model {model}, not of {options.model}")
    names = ("embedding_dim", "hidden_dim", "num_layers", "dropout", "dropout_kind", "tie_weights")
    return {name: getattr(options, name) for name in names + CELL_OPTIONS[options.model]}


def describe(run):
    """What is about to be trained on what, in lines of 80 characters or fewer."""
    sizes, settings = run.model.sizes, run.config.settings
    counts = ", ".join(f"{len(stream) - 1:,} {part}" for part, stream in run.tokens.items())
    lines = (
        f"corpus  {run.corpus.name}, by {run.config.level}s: {counts}; V = {sizes.vocab_size}",
        f"model   {run.config.model.upper()}, D = {sizes.embedding_dim}, H = {sizes.hidden_dim}, "
        f"{sizes.num_layers} layer{'s' * (sizes.num_layers > 1)}; T = {settings.num_steps}, N = {settings.batch_size}",
        f"steps   {settings.optimizer}, learning rate {settings.learning_rate:g}, {settings.schedule} schedule",
        f"folder  {run.folder}",
    )
    return "\n".join(lines)
