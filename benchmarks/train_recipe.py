"""A recipe that is one call of `python -m numpylm train` consists of that command's options.

With `--split 0.9 0 0.1` there is no validation text, and train keeps the epoch that is best on the test text. A recipe
must not choose by what it is measured on: without a validation text it measures the model at the end of training.
"""

import json
import math
from pathlib import Path

from recipe_results import Measured

from numpylm.checkpoint import load_checkpoint
from numpylm.commands.cli import main as numpylm
from numpylm.commands.model_choices import constructor_arguments
from numpylm.commands.run_config import read_config
from numpylm.data.corpora import load_corpus
from numpylm.data.metrics import read_metrics
from numpylm.data.text import encode_stream
from numpylm.evaluation import evaluate


def train(options, data, folder, threads=1, command=("train", "--corpus"), measure=None):
    """Train with the options in the run's folder, or go on with a run that was stopped there: a Measured.

    threads are those of the matrix products; command is a training command and its option for the data; measure reads
    the results in the run's folder. Raises KeyboardInterrupt if training is stopped, and ValueError if it fails or the
    folder holds a run of other options.
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
    return (measure or measured)(folder)


def measured(folder):
    """The results in a finished run's folder."""
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    config = read_config(folder)
    if config.data.split[1] == 0:
        summary |= at_the_end(folder, config.data)
    by_words, valid = summary["level"] == "word", summary["valid_perplexity"]
    rows = [{name: row[name] for name in row if name != "loss_unit"} for row in read_metrics(folder / "metrics.csv")]
    fields = {
        "configuration": configuration(config),
        "parameters": summary["parameters"],
        "epochs": rows[-1]["epoch"],
        "seconds": summary["seconds"],
        "tokens_per_second": summary["tokens_per_second"],
        "unit": "perplexity" if by_words else "nats per character",
        "valid": valid if by_words or valid is None else math.log(valid),
        "test": summary["test_perplexity"] if by_words else summary["test_nats_per_token"],
        "test_perplexity": summary["test_perplexity"],
        "baselines": summary["baselines"],
    }
    return Measured(rows, fields)


def at_the_end(folder, data):
    """The test results of last.npz, in place of those in the summary, and no validation."""
    model, vocabulary, _ = load_checkpoint(folder / "last.npz")
    test = evaluate(model, encode_stream(vocabulary, load_corpus(data.corpus, data.level, data.split).test))
    return {"valid_perplexity": None, "test_perplexity": test.perplexity, "test_nats_per_token": test.loss}


def configuration(config):
    """Every choice of a run; of the corpus's path only the name."""
    return {
        "model": config.model.model,
        "model_options": constructor_arguments(config.model),
        "uniform_range": config.model.uniform_range,
        **vars(config.data),
        "corpus": Path(config.data.corpus).name,
        "corpus_sha256": config.data_sha256,
        "settings": vars(config.settings),
    }
