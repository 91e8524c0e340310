"""What the commands share that use a trained model: its checkpoint, its kind, and the text that they are given."""

import io
import sys
from contextlib import suppress
from pathlib import Path

from numpylm.checkpoint import load_checkpoint, read_contents
from numpylm.commands.run_folder import CHECKPOINTS, RunError, find_kind, read_config
from numpylm.data import text
from numpylm.data.archive import CheckpointError
from numpylm.data.text_files import TextFile, read_pieces, read_text

MODELS = {  # what a checkpoint says of its model -> the name of its Kind; of any other model it is "language"
    "encoder-decoder": "translation",
    "acoustic": "speech",
    "memory-network": "answers",
    "reader": "answers",
}


def add_run_argument(parser):
    parser.add_argument("trained", metavar="RUN", help="a run's folder (its best.npz), or a checkpoint file")


def checkpoint_path(path):
    """best.npz of a run's folder (last.npz before the first validation), or the file itself. RunError for neither."""
    path = Path(path)
    for found in [path / "best.npz", path / "last.npz"] if path.is_dir() else [path]:
        if found.exists():
            return found
    if path.exists():
        raise RunError(f"the folder {path} holds no run: neither best.npz nor last.npz is in it")
    raise RunError(f"there is no run or checkpoint {path}")


def kind_of(path):
    """The Kind of a run's folder, or of a checkpoint, by its model. Raises RunError if config.json says another."""
    file, path = checkpoint_path(path), Path(path)
    name = task = MODELS.get(read_contents(file)[0]["kind"], "language")
    if path.is_dir() or path.name in CHECKPOINTS:
        with suppress(RunError):  # without a good config.json, a good checkpoint can still be used
            task = read_config(file.parent).task
    if task != name:
        kinds = find_kind(name).command, find_kind(task).command
        raise RunError("{} is of a run of `{}`, but config.json beside it of `{}`".format(file, *kinds))
    return find_kind(name)


def load_trained(path, kind="language", real=False):
    """The Checkpoint of a run's folder or of a checkpoint file, with its vocabulary.

    Raises RunError for a run of another kind, and says which command it is for; and ValueError, if the model must be
    real, for one of complex numbers, none of which is the larger.
    """
    found = kind_of(path)
    if found.name != kind:
        fitting = found.command if found.Use else "sample"  # `train` only trains
        raise RunError(f"{path} holds a run of `{found.command}`: use it with `{fitting} {path}`")
    checkpoint = load_checkpoint(checkpoint_path(path))
    if checkpoint.vocabulary is None:
        missing = "it holds a model without a vocabulary"
        raise CheckpointError(checkpoint_path(path), missing, "save it with its vocabulary")
    if real and checkpoint.model.dtype.kind == "c":
        raise ValueError(f"{path} holds a model of {checkpoint.model.dtype}; this command needs real numbers")
    return checkpoint


def own_data(folder, vocabulary):
    """The ReadData of a run's own data, after a note if they are not what they were when the run started."""
    config = read_config(folder)
    data = find_kind(config.task).open_data(config, vocabulary)
    if data.fingerprint != config.data_sha256:
        print(f"note: {data.name} is not what it was when the run started", file=sys.stderr)
    return data


# Text


def read_file_or_stdin(name):
    """The text of a file, or of standard input for -."""
    if name != "-":
        return read_text(name)
    invite_typing()
    content = "".join(read_pieces([TextFile("standard input", io.BytesIO(sys.stdin.buffer.read()))]))
    if not content.strip():
        raise ValueError("standard input holds no text")
    return content


def invite_typing():
    """Says how a text that is typed ends, where standard input is a terminal. ValueError where it is closed."""
    if sys.stdin is None:
        raise ValueError("standard input is closed: name a text file")
    if sys.stdin.isatty():
        print("type or paste the text; end it with Ctrl-D (Windows: Ctrl-Z, Enter)", file=sys.stderr)


def read_lines(name):
    """The lines of a file, or of standard input for -."""
    return read_file_or_stdin(name).removesuffix("\n").split("\n")


def typed_lines(hint):
    """Prints the hint. Then yields the lines that a person types at the terminal, one by one: each gets its answer."""
    print(f"{hint}; Ctrl-D (Windows: Ctrl-Z, Enter) ends.", file=sys.stderr)
    with suppress(EOFError):
        while True:
            yield input("> ")
    print()


def ended(vocabulary, content):
    """The text with a line end at its end: added if it lacks one, and if line ends are tokens of the vocabulary."""
    has_ends = text.stream_start(vocabulary) is not None
    return content + "\n" if has_ends and not content.endswith("\n") else content


def unknown_tokens(vocabulary, content):
    """The different tokens of a text that the vocabulary lacks."""
    known = set(vocabulary.tokens)
    tokens = content if vocabulary.level == "char" else text.split_words(content)
    return [token for token in dict.fromkeys(tokens) if token not in known]


def note_unknown(tokens):
    """Says that the model does not know these tokens, if there are any, on standard error."""
    if tokens:
        shown = ", ".join(map(repr, tokens[:5])) + (", …" if len(tokens) > 5 else "")
        print(f"note: the model does not know {shown} and reads {text.UNKNOWN} there", file=sys.stderr)
