"""The train command: trains a language model."""

from functools import partial

from numpylm.commands.language import KIND
from numpylm.commands.task_command import add_task_options, run_task

DESCRIPTION = (
    "Train a language model, then measure it on the test text beside the baselines. "
    "Without arguments: an LSTM on the built-in English grammar, by words, in under "
    "two minutes. Ctrl-C stops it safely; --resume goes on."
)
USAGE = "python -m numpylm train [options]"
add_options, run = partial(add_task_options, kind=KIND), partial(run_task, kind=KIND)
