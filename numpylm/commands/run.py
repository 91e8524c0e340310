"""A training run: what `python -m numpylm train` does in the run's folder (run_folder.py).

A run can be stopped at any step and resumed: it goes on bit for bit as if it had never stopped. best.npz is written
before last.npz, and a row of metrics.csv before the last.npz that counts it, so that this holds for a killed run too.
"""

import math
import time
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from numpylm.checkpoint import TrainingRecord, load_checkpoint, read_contents, save_checkpoint
from numpylm.commands.console import Interrupts, ProgressBar, byte_bar
from numpylm.commands.metrics import MetricsFile, RunningMean, read_metrics
from numpylm.commands.run_folder import RunConfig, RunError, check_free, fingerprint, read_config, write_config
from numpylm.data.batches import cut_streams, num_windows
from numpylm.data.corpora import Corpus, load_corpus
from numpylm.data.ngrams import BASELINE_ORDERS
from numpylm.data.text import Vocabulary, build_vocabulary, encode_stream, stream_start
from numpylm.data.token_file import TokenFile, is_token_file, open_token_file, verify
from numpylm.data.token_header import PARTS
from numpylm.evaluation import safe_exp
from numpylm.initialization import redraw_uniform
from numpylm.model import MODELS, LanguageModel
from numpylm.optimizers import Optimizer
from numpylm.training import EpochReport, Progress, TrainingDiverged, make_optimizer, out_of_time, training

SAVE_SECONDS = 60


class Run(NamedTuple):
    """A run in memory: its folder and choices, the data as token streams, and all that training changes."""

    folder: Path
    config: RunConfig
    corpus: Corpus | TokenFile
    vocabulary: Vocabulary
    tokens: dict  # "train", "valid", "test" -> (S,)
    model: LanguageModel
    optimizer: Optimizer
    progress: Progress
    running: RunningMean


class RunDiverged(RunError):
    """A run whose loss became NaN or infinite."""


def start_run(folder, config):
    """A new Run in a folder that holds none yet. Raises RunError if it does, ValueError where a text is too small."""
    folder = Path(folder)
    check_free(folder)
    corpus = open_corpus(config)
    vocabulary, tokens = encoded(corpus, config)
    check_lengths(tokens, config.settings.batch_size)
    model = MODELS[config.model](vocab_size=len(vocabulary), seed=config.settings.seed, **config.model_options)
    if config.uniform_range is not None:
        redraw_uniform(np.random.default_rng([config.settings.seed, 3]), model.parameters(), config.uniform_range)
    progress = Progress(np.random.default_rng([config.settings.seed, 1]))
    config = replace(config, corpus_sha256=fingerprint(corpus))
    optimizer = make_optimizer(config.settings)
    run = Run(folder, config, corpus, vocabulary, tokens, model, optimizer, progress, RunningMean())
    folder.mkdir(parents=True, exist_ok=True)
    check_free(folder)  # again: another run may have begun there in the meantime
    write_config(run.folder, run.config)
    save(run)
    return run


def check_lengths(tokens, batch_size):
    """Raises ValueError where a part of the corpus is too short to train, validate, or measure the baselines on."""
    cut_streams(tokens["train"], batch_size)
    for part, least in (("train", max(BASELINE_ORDERS.values())), ("valid", 2), ("test", 2)):
        if len(tokens[part]) < least:
            raise ValueError(
                f"the {part} part of the corpus is {len(tokens[part])} tokens long, where {least} are needed: "
                "give a longer text"
            )


def resume_run(folder, epochs=None, minutes=None):
    """The Run in a folder as it stood at its last checkpoint; epochs and minutes given here replace the run's own.

    Raises RunError where there is no run, where its corpus has changed, and for epochs fewer than it has done.
    """
    folder = Path(folder)
    config = read_config(folder)
    if not (folder / "last.npz").exists():
        raise RunError(f"{folder} holds no last.npz to resume from: begin again in another folder")
    if epochs is not None or minutes is not None:
        config = replace(config, settings=replace(config.settings, epochs=epochs, minutes=minutes))
    corpus = open_corpus(config)
    if fingerprint(corpus) != config.corpus_sha256:
        raise RunError(f"the corpus {config.corpus} is not what it was when the run started: it cannot be resumed")
    model, vocabulary, record = load_checkpoint(folder / "last.npz")
    if vocabulary is None or record is None:
        raise RunError(f"{folder / 'last.npz'} holds a model but no training to go on with")
    optimizer, progress, running = restore(record, config.settings, model)
    check_epochs(epochs, progress)
    _, tokens = encoded(corpus, config, vocabulary)
    run = Run(folder, config, corpus, vocabulary, tokens, model, optimizer, progress, running)
    write_config(run.folder, run.config)
    return run


def check_epochs(epochs, progress):
    """Raises RunError when a run is told to end before the point where it is."""
    begun = progress.epoch + (progress.window > 0)
    if epochs is not None and epochs < begun:
        raise RunError(
            f"the run is in epoch {begun} already, and --epochs counts from the run's beginning; got --epochs {epochs}"
        )


def open_corpus(config):
    """The Corpus of texts, or the TokenFile that was prepared from one."""
    if is_token_file(config.corpus):
        return open_verified(config.corpus)
    return load_corpus(config.corpus, config.level, config.split)


def open_verified(path):
    """The TokenFile at path, with every byte of it checked."""
    with byte_bar("checking", Path(path).stat().st_size) as on_bytes:
        verify(path, on_bytes)
    return open_token_file(path)


def encoded(corpus, config, vocabulary=None):
    """(vocabulary, the three parts as token streams); of texts, with the vocabulary given, or else a new one."""
    if isinstance(corpus, TokenFile):
        return corpus.vocabulary, corpus.tokens
    if vocabulary is None:
        vocabulary = build_vocabulary(corpus.train, config.level, config.min_count, config.max_vocabulary)
    return vocabulary, {part: encode_stream(vocabulary, getattr(corpus, part)) for part in PARTS}


def train(run, show_progress=True):
    """Trains to the end of the settings; False if it was interrupted. Saves at each epoch's end, every minute, and when
    it is interrupted. Raises RunDiverged when the loss becomes NaN or infinite."""
    settings = run.config.settings
    streams = cut_streams(run.tokens["train"], settings.batch_size)
    num = num_windows(streams, settings.num_steps)
    metrics = MetricsFile(run.folder / "metrics.csv", run.running, num)
    if is_finished(run):
        return True
    with quiet_overflow(), Interrupts() as interrupts, ProgressBar(settings, run.progress, num, show_progress) as bar:
        saved_at = time.monotonic()
        for report in reports(run, streams):
            metrics.take(run.progress, report)
            validated, interrupted = isinstance(report, EpochReport), interrupts.requested
            if validated or interrupted or time.monotonic() - saved_at > SAVE_SECONDS:
                save(run, is_best=validated and report.is_best)
                saved_at = time.monotonic()
            bar.show(run.progress, report)
            if interrupted:
                return False
    return True


def is_finished(run):
    """Whether nothing is left of a resumed run: its epochs are done, or its minutes, and the validation after them."""
    settings, progress = run.config.settings, run.progress
    if settings.epochs is not None and progress.epoch >= settings.epochs:
        return True
    rows = read_metrics(run.folder / "metrics.csv")
    validated = rows and rows[-1]["step"] == progress.step and rows[-1]["valid_loss"] is not None
    return out_of_time(settings, progress) and bool(validated)


def quiet_overflow():
    """While this context lasts, NumPy does not warn of overflow: a loss that diverges is reported once, in words."""
    return np.errstate(over="ignore", invalid="ignore", divide="ignore")


def reports(run, streams):
    """training's reports; a divergence becomes a RunDiverged that says what was kept and what to try."""
    norm = None
    try:
        for report in training(
            run.model, run.optimizer, streams, run.tokens["valid"], run.config.settings, run.progress,
            stream_start(run.vocabulary),
        ):  # fmt: skip
            if not isinstance(report, EpochReport):
                norm = report.norm
            elif safe_exp(report.valid_loss) == math.inf:  # finite still, but its perplexity is not
                loss = f"{report.valid_loss:.3g} nats per token of the validation text"
                raise TrainingDiverged(run.progress.step, loss, norm)
            yield report
    except TrainingDiverged as error:
        raise RunDiverged(what_to_try(run, error)) from None


def what_to_try(run, error):
    """The message of a training that diverged: where, what was kept, and what may help."""
    last, settings = run.folder / "last.npz", run.config.settings
    saved_step = read_contents(last)[0]["training"]["step"]
    other_model = "" if run.config.model == "lstm" else ", or --model lstm"
    return (
        f"training diverged at {error}.\n"
        f"The last good checkpoint is {last}, of step {saved_step}.\n"
        f"Begin again in another folder with a smaller --learning-rate (it was {settings.learning_rate:g}), "
        f"a smaller --clip (it was {settings.max_norm:g}){other_model}."
    )


def save(run, is_best=False):
    """Writes last.npz, after best.npz when it is the best: killed in between, a resumed run writes the same again."""
    if is_best:
        save_checkpoint(run.folder / "best.npz", run.model, run.vocabulary)
    record = record_of(run.optimizer, run.progress, run.running)
    save_checkpoint(run.folder / "last.npz", run.model, run.vocabulary, record)


def record_of(optimizer, progress, running):
    """All that training depends on beside the parameters, as a TrainingRecord."""
    arrays = {
        f"optimizer.{slot}.{name}": array
        for slot, by_name in optimizer.memory.items()
        for name, array in by_name.items()
    }
    for layer, state in enumerate(progress.carried or ()):
        arrays.update({f"carried.{layer}.{name}": array for name, array in state._asdict().items()})
    fields = {name: value for name, value in vars(progress).items() if name not in ("rng", "carried")} | {
        "rng": progress.rng.bit_generator.state,
        "optimizer_steps": optimizer.num_steps,
        "running": vars(running),
    }
    return TrainingRecord(arrays, fields)


def restore(record, settings, model):
    """The optimizer, Progress and RunningMean that record_of wrote down. Raises RunError if they are incomplete."""
    fields = dict(record.fields)
    optimizer = make_optimizer(settings)
    rng = np.random.default_rng()
    try:
        optimizer.num_steps = fields.pop("optimizer_steps")
        rng.bit_generator.state = fields.pop("rng")
        running = RunningMean(**fields.pop("running"))
        progress = Progress(rng, **fields, carried=restore_carried(record, model))
        for name, array in record.arrays.items():
            kind, place, field = name.split(".", 2)
            if kind == "optimizer":
                optimizer.memory[place][field] = array
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise RunError(f"the checkpoint's record of its training is incomplete or damaged ({error!r})") from None
    return optimizer, progress, running


def restore_carried(record, model):
    """The state after the last window, a tuple with each layer's; None at an epoch's beginning."""
    if not any(name.startswith("carried.") for name in record.arrays):
        return None
    State = model.cell.State
    return tuple(
        State(*[record.arrays[f"carried.{layer}.{name}"] for name in State._fields])
        for layer in range(model.sizes.num_layers)
    )
