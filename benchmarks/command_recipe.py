"""A recipe that is one call of `python -m numpylm train` or `translate` consists of that command's options.

With `--split 0.9 0 0.1` there is no validation text, and train keeps the epoch that is best on the test text. A recipe
must not choose by what it is measured on: without a validation text it measures the model at the end of training.
"""

import dataclasses
import json
import math
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from recipe_results import Measured

from numpylm.checkpoint import load_checkpoint
from numpylm.commands.cli import main as numpylm
from numpylm.commands.run_folder import read_config
from numpylm.commands.train import constructor_arguments
from numpylm.commands.translate import open_data
from numpylm.data.corpora import load_corpus
from numpylm.data.metrics import read_metrics
from numpylm.data.ngrams import baseline_perplexities
from numpylm.data.text import encode_stream
from numpylm.evaluation import evaluate
from numpylm.kinds.translation_task import encode_pairs

KEPT = (
    *("parameters", "seconds", "tokens_per_second", "exact_match", "test_perplexity", "test_unknown_tokens"),
    *("bleu_greedy", "bleu_signature", "vocabularies"),
)


def train(options, data, folder, threads=1):
    """Train a language model with the options in the run's folder, or go on with a run that was stopped there: a
    Measured. Without a validation text its test result is that of last.npz."""
    config, summary, rows = finished_run(("train", "--corpus"), options, data, folder, threads)
    choices = config.data
    if choices.split[1] == 0:
        model, vocabulary, _ = load_checkpoint(folder / "last.npz")
        text = load_corpus(choices.corpus, choices.level, choices.split).test
        test = evaluate(model, encode_stream(vocabulary, text))
        summary |= {"valid_perplexity": None, "test_perplexity": test.perplexity, "test_nats_per_token": test.loss}
    by_words, valid = summary["level"] == "word", summary["valid_perplexity"]
    fields = {
        "configuration": {
            "model": config.model.model,
            "model_options": constructor_arguments(config.model),
            "uniform_range": config.model.uniform_range,
            **vars(choices),
            "corpus": Path(choices.corpus).name,  # no path of this machine
            "corpus_sha256": config.data_sha256,
            "settings": vars(config.settings),
        },
        "epochs": rows[-1]["epoch"],
        "unit": "perplexity" if by_words else "nats per character",
        "valid": valid if by_words or valid is None else math.log(valid),
        "test": summary["test_perplexity"] if by_words else summary["test_nats_per_token"],
        **{name: summary[name] for name in ("parameters", "seconds", "tokens_per_second", "test_perplexity")},
        "baselines": summary["baselines"],
    }
    return Measured(rows, fields)


def translate(options, data, folder, threads=2):
    """The same of an encoder-decoder: BLEU of the test part with beam search, and what stands beside it; among that the
    perplexities of n-gram models of the target sentences alone, which read no source. Raises ValueError without
    sacreBLEU, which measures the result."""
    if find_spec("sacrebleu") is None:
        raise ValueError("BLEU is measured by sacreBLEU, which is not installed: pip install -r requirements-dev.txt")
    config, summary, rows = finished_run(("translate", "--train"), options, data, folder, threads)
    pairs = open_data(config)
    train_tokens, test_tokens = (
        np.concatenate(encode_pairs(pairs.vocabulary, pairs.parts[part]).targets) for part in ("train", "test")
    )
    fields = {
        "configuration": {
            "model": dataclasses.asdict(config.model),
            "settings": dataclasses.asdict(config.settings),
            "data": {**dataclasses.asdict(config.data), "train": Path(config.data.train).name},
            "data_sha256": config.data_sha256,
        },
        "epochs": rows[-1]["epoch"],
        "unit": "BLEU",
        "valid": None,
        "test": summary["bleu"],
        "target_baselines": baseline_perplexities(train_tokens, test_tokens, len(pairs.vocabulary["target"])),
        **{name: summary[name] for name in KEPT},
    }
    return Measured(rows, fields)


def finished_run(command, options, data, folder, threads):
    """(RunConfig, summary, rows of metrics.csv) of the finished run in a folder; command is a command and its option
    for the data, threads are those of the matrix products.

    Raises KeyboardInterrupt if training is stopped, and ValueError if it fails or the folder holds a run of other
    options.
    """
    folder.mkdir(parents=True, exist_ok=True)
    begun = folder / "options.txt"
    if begun.exists() and begun.read_text(encoding="utf-8") != options:
        raise ValueError(f"{folder} holds a run of other options, {begun.read_text(encoding='utf-8')}: remove it first")
    begun.write_text(options, encoding="utf-8")
    if (folder / "summary.json").exists():
        print(f"{folder} holds this recipe's finished run: reading its results (remove it to train again)")
    else:
        new = [command[1], str(data), *options.split(), "--out", str(folder)]
        arguments = ["--resume", str(folder)] if (folder / "last.npz").exists() else new
        status = numpylm([command[0], *arguments, "--threads", str(threads)])
        if status == 130:
            raise KeyboardInterrupt
        if status != 0:
            raise ValueError(f"training ended with exit status {status}")
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    rows = [{name: row[name] for name in row if name != "loss_unit"} for row in read_metrics(folder / "metrics.csv")]
    return read_config(folder), summary, rows
