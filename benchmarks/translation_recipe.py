"""A recipe that is one call of `python -m numpylm translate` consists of that command's options."""

import dataclasses
import json
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from recipe_results import Measured
from train_recipe import train

from numpylm.commands.run_config import read_config
from numpylm.commands.translate import open_data
from numpylm.data.metrics import read_metrics
from numpylm.data.ngrams import baseline_perplexities
from numpylm.translation_task import encode_pairs

KEPT = (
    *("parameters", "seconds", "tokens_per_second", "exact_match", "test_perplexity", "test_unknown_tokens"),
    *("bleu_greedy", "bleu_signature", "vocabularies"),
)


def translate(options, data, folder, threads=2):
    """Train with the options in the run's folder, or go on with a run that was stopped there: a Measured.

    Raises ValueError without sacreBLEU, which measures the result.
    """
    if find_spec("sacrebleu") is None:
        raise ValueError("BLEU is measured by sacreBLEU, which is not installed: pip install -r requirements-dev.txt")
    return train(options, data, folder, threads, ("translate", "--train"), measured)


def measured(folder):
    """The results in a finished run's folder: BLEU of the test part with beam search, and what stands beside it."""
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    rows = [{name: row[name] for name in row if name != "loss_unit"} for row in read_metrics(folder / "metrics.csv")]
    fields = {
        "configuration": configuration(folder),
        "epochs": rows[-1]["epoch"],
        "unit": "BLEU",
        "valid": None,
        "test": summary["bleu"],
        "target_baselines": target_baselines(folder),
        **{name: summary[name] for name in KEPT},
    }
    return Measured(rows, fields)


def target_baselines(folder):
    """Perplexities of n-gram models of the target sentences alone, which read no source."""
    data = open_data(read_config(folder))
    train_tokens, test_tokens = (
        np.concatenate(encode_pairs(data.vocabulary, data.parts[part]).targets) for part in ("train", "test")
    )
    return baseline_perplexities(train_tokens, test_tokens, len(data.vocabulary["target"]))


def configuration(folder):
    """Every choice of the run, from its config.json; of the data's path only the name."""
    config = read_config(folder)
    return {
        "model": dataclasses.asdict(config.model),
        "settings": dataclasses.asdict(config.settings),
        "data": {**dataclasses.asdict(config.data), "train": Path(config.data.train).name},
        "data_sha256": config.data_sha256,
    }
