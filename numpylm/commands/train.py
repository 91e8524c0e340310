"""The train command: trains a language model."""

from numpylm.commands.language import KIND
from numpylm.commands.task_command import add_task_options, run_task

DESCRIPTION = (
    "Train a language model, then measure it on the test text beside the baselines. "
    "Without arguments: an LSTM on the built-in English grammar, by words, in under "
    "two minutes. Ctrl-C stops it safely; --resume goes on."
)
USAGE = "python -m numpylm train [options]"


def add_options(parser):
    """All of training's."""
    add_task_options(parser, KIND)


def run(options):
    """numpylm train"""
    return run_task(options, KIND)
