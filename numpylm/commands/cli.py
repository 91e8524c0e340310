"""The command line: python -m numpylm train | prepare | sample | evaluate | score | info | export | …"""

import argparse
import os
import sys
from importlib import import_module

from numpylm.commands.train_options import add_train_options

DESCRIPTION = "RNN, LSTM and GRU language models in pure NumPy, gradients derived by hand."
EPILOG = """\
start here:
  python -m numpylm train                      an LSTM on the built-in grammar
  python -m numpylm train --corpus book.txt    any UTF-8 text, by characters
  python -m numpylm sample runs/lstm-grammar   let it write
  python -m numpylm step                       one pass, line by line

Symbols: T time steps, N sequences in a batch, D embedding size, H hidden size,
V vocabulary size. Every command has a --help of its own.
"""


class Parser(argparse.ArgumentParser):
    """argparse's parser, with errors of one line."""

    def error(self, message):
        """Exits with status 2."""
        self.exit(2, f"{self.prog.removeprefix('python -m ')}: error: {message} ({self.prog} --help explains)\n")


def main(arguments=None):
    """Runs one command; returns the exit status: 0 done, 1 training diverged, 2 wrong input, 130 interrupted."""
    from numpylm.commands.console import blas_threads
    from numpylm.commands.run import RunDiverged
    from numpylm.commands.run_folder import RunError
    from numpylm.data.atomic import FileError

    replace_unprintable()
    parser = build_parser()
    options = parser.parse_args(arguments)
    if options.command is None:
        parser.print_help()
        return 2
    try:
        with blas_threads(options.threads):
            status = options.run(options) or 0
        sys.stdout.flush()
        return status
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader, such as head, has gone
        return 0
    except (RunError, FileError, ValueError, TypeError, OSError, MemoryError) as error:
        if os.environ.get("NUMPYLM_TRACEBACK"):
            raise
        print(f"numpylm {options.command}: error: {explain(error)}", file=sys.stderr)
        return 1 if isinstance(error, RunDiverged) else 2


def replace_unprintable():
    """Makes a terminal that cannot show a character show a question mark."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def explain(error):
    """An error in a line, as a person would say it."""
    if isinstance(error, OSError) and error.strerror and error.filename:
        return f"{error.filename}: {error.strerror}"
    if isinstance(error, MemoryError):
        return f"not enough memory; choose smaller sizes ({error})"
    return str(error)


def build_parser():
    """The parser of all commands."""
    parser = Parser(
        prog="python -m numpylm",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=help_format,
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    add_train(commands)
    add_prepare(commands)
    add_sample(commands)
    add_evaluate(commands)
    add_score(commands)
    add_info(commands)
    add_export(commands)
    add_gradcheck(commands)
    add_check(commands)
    add_figures(commands)
    add_bench(commands)
    add_doctor(commands)
    add_step(commands)
    return parser


def help_format(prog):
    """How --help is laid out: descriptions as they are written, options in a column of 28 characters."""
    return argparse.RawDescriptionHelpFormatter(prog, max_help_position=28)


def command(commands, module, name, summary, description, handler=None, **parser_options):
    """A sub-command's parser, whose handler is the function of that name in a module, imported when it is called."""

    def run(options):
        return getattr(import_module(f"numpylm.{module}"), handler or name)(options)

    parser = commands.add_parser(
        name,
        help=summary,
        description=description,
        formatter_class=help_format,
        **parser_options,
    )
    parser.add_argument("--threads", type=int, default=1, metavar="K", help="of the matrix products (1)")
    parser.set_defaults(run=run)
    return parser


def add_train(commands):
    """train"""
    parser = command(
        commands, "commands.train", "train", "train a language model",
        "Train a language model, then measure it on the test text beside the baselines.\n"
        "Without arguments: an LSTM on the built-in English grammar, by words, in under\n"
        "two minutes. Ctrl-C stops it safely; --resume goes on.",
        argument_default=argparse.SUPPRESS,
        usage="python -m numpylm train [options]",
    )  # fmt: skip
    add_train_options(parser)


def add_prepare(commands):
    """prepare"""
    parser = command(
        commands, "commands.prepare", "prepare", "make a token file of a large text",
        "Turn texts of any size into a token file, in little memory. train --corpus FILE and\n"
        "evaluate RUN FILE then stream from it.",
    )  # fmt: skip
    parser.add_argument(
        "texts", nargs="+", metavar="TEXT",
        help="UTF-8 files, taken as one text, or - for standard input; or a folder with train, valid and test",
    )  # fmt: skip
    parser.add_argument("--out", metavar="FILE", help="a new file (the text's name, with .tokens for its suffix)")
    parser.add_argument("--level", choices=("char", "word"), help="tokens (char for a text, word for a folder)")
    parser.add_argument("--min-count", type=int, default=1, metavar="K", help="rarer tokens become <unk> (1)")
    parser.add_argument("--max-vocabulary", type=int, metavar="V", help="the most frequent tokens only (all)")
    parser.add_argument(
        "--split", nargs=3, type=float, metavar=("TRAIN", "VALID", "TEST"),
        help="shares of the text, in order; with 0 for validation the test part is used for both (0.8 0.1 0.1). "
        "Of a large text a small share is enough to validate and test on: 0.998 0.001 0.001",
    )  # fmt: skip
    parser.add_argument(
        "--vocabulary", metavar="RUN",
        help="the vocabulary of a run, a checkpoint or a token file in place of a new one; with --split 0 0 1 the "
        "whole text is there to evaluate on",
    )  # fmt: skip


def add_sample(commands):
    """sample"""
    parser = command(
        commands, "commands.use_commands", "sample", "let a trained model write",
        "Write text with a trained model, token by token.",
    )  # fmt: skip
    add_run_argument(parser)
    parser.add_argument("--prompt", default="", metavar="TEXT", help="what to go on from (the beginning of a line)")
    parser.add_argument("--length", type=int, metavar="K", help="how many tokens (60 words or 400 characters)")
    parser.add_argument(
        "--temperature", type=float, default=1.0, metavar="X", help="below 1 bolder, above 1 more varied (1)"
    )
    parser.add_argument("--top-k", type=int, metavar="K", help="draw from the K most probable tokens only")
    parser.add_argument("--top-p", type=float, metavar="P", help="draw from the fewest tokens of joint probability P")
    parser.add_argument("--greedy", action="store_true", help="always the most probable token (temperature 0)")
    parser.add_argument("--seed", type=int, help="the same seed writes the same text (a new one each time)")


def add_evaluate(commands):
    """evaluate"""
    parser = command(
        commands, "commands.use_commands", "evaluate", "measure a trained model on a text",
        "Perplexity, bits per character and accuracy of a trained model on a text.",
    )  # fmt: skip
    add_run_argument(parser)
    parser.add_argument(
        "text",
        nargs="?",
        metavar="TEXT",
        help="a UTF-8 file, a token file's test part, or - for standard input (the run's own test text)",
    )
    parser.add_argument("--json", action="store_true", help="print the numbers as JSON")


def add_score(commands):
    """score"""
    parser = command(
        commands, "commands.use_commands", "score", "log-probability of each line",
        "The log-probability of each line of a text in nats, and each token's surprisal.\n"
        "Every line is taken by itself, as if it began the text.",
    )  # fmt: skip
    add_run_argument(parser)
    parser.add_argument(
        "text", nargs="?", default="-", metavar="TEXT", help="a UTF-8 file, or - for standard input (-)"
    )
    parser.add_argument("--rank", action="store_true", help="the most probable line first, without the tokens")
    parser.add_argument(
        "--per-token", action="store_true", help="the mean per token in place of the sum, so that length does not count"
    )


def add_info(commands):
    """info"""
    parser = command(
        commands, "commands.checkpoint_commands", "info", "what is in a checkpoint",
        "What is in a checkpoint: model, sizes, parameters, vocabulary, training.",
    )  # fmt: skip
    add_run_argument(parser)


def add_export(commands):
    """export"""
    parser = command(
        commands, "commands.checkpoint_commands", "export", "hand the weights to PyTorch",
        "Write a model's weights as a PyTorch state dict: FILE.npz with NumPy alone, or\n"
        "FILE.pt where PyTorch is installed.",
    )  # fmt: skip
    add_run_argument(parser)
    parser.add_argument("--to", required=True, metavar="FILE", help="a new file, ending in .npz or .pt")


def add_gradcheck(commands):
    """gradcheck"""
    parser = command(
        commands, "proof.self_proof", "gradcheck", "prove the package's own gradients",
        "Prove every gradient of the package, of every function, cell and model and every\n"
        "argument, by central differences, the complex step and random projection.",
    )  # fmt: skip
    parser.add_argument("--seed", type=int, default=0, metavar="K", help="of weights and cotangents (0)")


def add_check(commands):
    """check"""
    from numpylm.commands.check import add_arguments

    parser = command(
        commands, "commands.check", "check", "check a student's own functions",
        "Check functions of known names in a Python file, such as lstm_step_backward,\n"
        "and say what is likely wrong. The exit status is 0 if all are right.",
        handler="main",
    )  # fmt: skip
    add_arguments(parser)


def add_figures(commands):
    """figures"""
    parser = command(
        commands, "commands.figures", "figures", "draw the pictures of README and notebooks",
        "Draw every picture that README.md and the notebooks show, or those named.",
    )  # fmt: skip
    parser.add_argument("names", nargs="*", metavar="NAME", help="such as lstm_cell (all)")
    parser.add_argument("--out", default="figures", metavar="DIR", help="the folder to write to (figures)")


def add_bench(commands):
    """bench"""
    from numpylm.commands.bench import add_arguments

    parser = command(
        commands, "commands.bench", "bench", "measure speed beside the matrix products",
        "Time training steps, sampling and evaluation beside the matrix products that a\n"
        "step cannot avoid and, where they are installed, PyTorch and JAX: all in turn, in\n"
        "a process with one BLAS thread. About five minutes; one with --quick.",
        handler="main",
    )  # fmt: skip
    add_arguments(parser)


def add_step(commands):
    """step"""
    parser = command(
        commands, "commands.step", "step", "every line of one pass, with its numbers",
        "One forward and backward pass over a few tokens, line by line: each equation's\n"
        "line of the source, its numbers, and for each gradient its proof beside it.\n"
        "--pdb runs the same pass in Python's debugger.",
    )  # fmt: skip
    parser.add_argument("--cell", choices=("rnn", "lstm", "gru"), help="the recurrent cell (lstm, or the run's)")
    parser.add_argument("--text", metavar="TEXT", help="T + 1 tokens to read and predict (look)")
    parser.add_argument("--run", dest="trained", metavar="RUN", help="a run's folder or a checkpoint (a small model)")
    parser.add_argument("--at", type=int, metavar="t", help="the one time step to show, from 0 (all)")
    parser.add_argument("--layer", type=int, metavar="l", help="the one layer to show, from 0 (all)")
    parser.add_argument("--forward", action="store_true", help="the forward pass alone")
    parser.add_argument("--backward", action="store_true", help="the backward pass alone")
    parser.add_argument("--pdb", action="store_true", help="stop inside the step functions, at --at (0)")
    parser.add_argument("--seed", type=int, metavar="K", help="of the small model's weights (0)")


def add_doctor(commands):
    """doctor"""
    command(
        commands, "commands.doctor", "doctor", "versions, and the fastest BLAS kernel",
        "Versions, processor and BLAS; how fast each OpenBLAS kernel is that this processor\n"
        "can run; and the line to set for the fastest. Nothing is changed.",
        handler="main",
    )  # fmt: skip


def add_run_argument(parser):
    """RUN"""
    parser.add_argument("trained", metavar="RUN", help="a run's folder (its best.npz), or a checkpoint file")
