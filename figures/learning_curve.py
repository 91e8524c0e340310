"""The default run's learning curve, from what `python -m numpylm train` measured: benchmarks/results/lstm_grammar."""

import json
from pathlib import Path

from numpylm.data.metrics import read_metrics
from numpylm.plots import learning_curve

RUN = Path(__file__).parents[1] / "benchmarks" / "results" / "lstm_grammar"


def draw():
    """The picture, as a Figure."""
    summary = json.loads((RUN / "summary.json").read_text(encoding="utf-8"))
    reference = {"floor": summary["floor_perplexity"], **summary["baselines"]}
    return learning_curve(read_metrics(RUN / "metrics.csv"), reference, "LSTM on the built-in grammar, by words")
