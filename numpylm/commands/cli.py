"""The command line: python -m numpylm COMMAND. Each command is a module of this folder with DESCRIPTION,
add_options(parser) and run(options) -> exit status; it is imported when it is called."""

import argparse
import os
import re
import sys
from importlib import import_module

from numpylm.commands import RANK_VARIABLES

COMMANDS = {
    "train": "train a language model",
    "translate": "train a translator, or translate",
    "transcribe": "train a speech recogniser, or transcribe",
    "answer": "train on stories, or answer questions about one",
    "prepare": "make a token file of a large text",
    "sample": "let a trained model write",
    "evaluate": "measure a trained model on a text",
    "score": "log-probability of each line",
    "info": "what is in a checkpoint",
    "export": "hand the weights to PyTorch",
    "gradcheck": "prove the package's own gradients",
    "check": "check a student's own functions",
    "figures": "draw the pictures of README and notebooks",
    "bench": "measure speed beside the matrix products",
    "doctor": "versions, and the fastest BLAS kernel",
    "step": "every line of one pass, with its numbers",
    "look": "what a trained model has learned",
}
PROGRAM = "python -m numpylm"
THREADS = "threads of the matrix products (1; on a free machine 2 are faster, on a busy one slower)"
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
    """Runs one command; returns the exit status: 0 done, 1 a number that means nothing (training diverged), 2 wrong
    input, 128 + the signal's number for a command that a signal ended (130 after Ctrl-C)."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    if any(name in os.environ for name in RANK_VARIABLES):
        from numpylm.commands.mpi import run_as_rank

        return run_as_rank(run_alone, arguments)
    return run_alone(arguments)


def run_alone(arguments):
    """main in one process, or in one of several that mpiexec started."""
    try:
        from numpylm.commands.process import handled_signals, prepared_streams

        with prepared_streams(), handled_signals():
            if arguments and arguments[0] in COMMANDS:
                return run_command(*arguments)
            build_parser(()).parse_args(arguments)
            build_parser(()).print_help()
            return 2
    except KeyboardInterrupt as stop:
        print(f"\n{stop}" if str(stop) else "\ninterrupted", file=sys.stderr)
        return 128 + getattr(stop, "number", 2)


def run_command(name, *arguments):
    """Parses a command's arguments and runs it, with every expected failure told in a line: the exit status."""
    from numpylm.base.memory import keep_freed_memory
    from numpylm.commands.console import blas_threads
    from numpylm.commands.run_folder import RunError
    from numpylm.data.atomic import FileError
    from numpylm.data.printable import printable

    keep_freed_memory()
    parser = build_parser((name,)).command_parsers[name]
    options = parser.parse_intermixed_args(arguments)  # options may stand before, between and after the arguments
    for action in parser._actions:  # "$OUT" is empty where the variable is not set
        if getattr(options, action.dest, None) == "" and action.dest not in ("prompt", "text"):
            parser.error(f"{(action.option_strings or [action.metavar])[-1]} is empty")
    try:
        with blas_threads(options.threads):
            status = import_module(f"numpylm.commands.{name}").run(options) or 0
        sys.stdout.flush()
        return status
    except BrokenPipeError:  # the reader, such as head, has what it wants
        return 0
    except (RunError, FileError, ValueError, TypeError, OSError, MemoryError) as error:
        if os.environ.get("NUMPYLM_TRACEBACK"):
            raise
        told = with_flags(str(error), parser)
        if isinstance(error, OSError) and error.strerror:
            told = f"{error.filename or 'the output'}: {error.strerror}"
        if isinstance(error, MemoryError):
            told = f"not enough memory; choose smaller sizes ({error})"
        print(f"numpylm {name}: error: {printable(told)}", file=sys.stderr)
        return getattr(error, "status", 2)


def with_flags(message, parser):
    """A message that begins with the name of an option's value (max_norm must be …) with the option (--clip must be …),
    as with names that are no ordinary words wherever they stand."""
    for action in parser._actions:
        if action.option_strings:
            place = rf"\b{action.dest}\b" if "_" in action.dest else rf"^{action.dest}\b(?= must| is )"
            message = re.sub(place, action.option_strings[-1], message)
    return message


def build_parser(names=tuple(COMMANDS)):
    """The parser of all commands, of which those named have their options too; command_parsers holds each one's."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = Parser(prog=PROGRAM, description=DESCRIPTION, epilog=EPILOG, formatter_class=raw)
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    parser.command_parsers = {}
    for name, summary in COMMANDS.items():
        module = import_module(f"numpylm.commands.{name}") if name in names else None
        command = subparsers.add_parser(
            name, help=summary, description=module and module.DESCRIPTION, usage=getattr(module, "USAGE", None),
            formatter_class=lambda prog: argparse.HelpFormatter(prog, max_help_position=28),
        )  # fmt: skip
        command.add_argument("--threads", type=int, default=1, metavar="K", help=THREADS)
        if module:
            module.add_options(command)
        parser.command_parsers[name] = command
    return parser
