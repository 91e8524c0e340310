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
    the results in the run's folder. Raises KeyboardInterrupt if training is stopped, and ValueError if it
    fails or the folder holds a run of other options.
    """
    measure = measure or measured
    check_options(options, folder)
    if (folder / "summary.json").exists():
        print(f"{folder} holds this recipe's finished run: reading its results (remove it to train again)")
        return measure(folder)
    if (folder / "last.npz").exists():
        arguments = ["--resume", str(folder)]
    else:
        arguments = [command[1], str(data), *options.split(), "--out", str(folder)]
    status = numpylm([command[0], *arguments, "--threads", str(threads)])
    if status == 130:
        raise KeyboardInterrupt
    if status != 0:
        raise ValueError(f"training ended with exit status {status}")
    return measure(folder)


def check_options(options, folder):
    """Write the options into a new folder; raise ValueError if an old one was begun with others."""
    path = folder / "options.txt"
    if path.exists() and path.read_text(encoding="utf-8") != options:
        raise ValueError(f"{folder} holds a run of other options, {path.read_text(encoding='utf-8')}: remove it first")
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(options, encoding="utf-8")


def measured(folder):
    """The results in a finished run's folder."""
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    if read_config(folder).data.split[1] == 0:
        summary |= at_the_end(folder)
    by_words, valid = summary["level"] == "word", summary["valid_perplexity"]
    rows = [{name: row[name] for name in row if name != "loss_unit"} for row in read_metrics(folder / "metrics.csv")]
    fields = {
        "configuration": configuration(folder),
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


def at_the_end(folder):
    """The test results of last.npz, in place of those in the summary, and no validation."""
    data = read_config(folder).data
    model, vocabulary, _ = load_checkpoint(folder / "last.npz")
    test = evaluate(model, encode_stream(vocabulary, load_corpus(data.corpus, data.level, data.split).test))
    return {"valid_perplexity": None, "test_perplexity": test.perplexity, "test_nats_per_token": test.loss}


def configuration(folder):
    """Every choice of the run, from its config.json; of the corpus's path only the name."""
    config = read_config(folder)
    return {
        "model": config.model.model,
        "model_options": constructor_arguments(config.model),
        "uniform_range": config.model.uniform_range,
        **vars(config.data),
        "corpus": Path(config.data.corpus).name,
        "corpus_sha256": config.data_sha256,
        "settings": vars(config.settings),
    }
