"""A run's folder, which one run has to itself:

config.json          every choice that was made
last.npz, best.npz   checkpoints: where training stands, and the lowest validation loss so far
metrics.csv          one row for each part of an epoch (metrics.py)
learning_curve.png   drawn from it
summary.json         what came out
"""

import hashlib
import json
import math
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from numpylm.data.token_file import TokenFile
from numpylm.training import Settings

FILES = ("config.json", "last.npz", "best.npz", "metrics.csv", "learning_curve.png", "summary.json")


@dataclass(frozen=True)
class RunConfig:
    """Every choice of a run. corpus is "grammar", a file (of text or of tokens) or a folder; the model's options are
    its constructor's."""

    model: str
    model_options: dict
    corpus: str
    level: str
    min_count: int
    max_vocabulary: int | None
    settings: Settings
    corpus_sha256: str = ""
    split: tuple = (0.8, 0.1, 0.1)  # of a corpus that is one file: shares of train, validation and test
    uniform_range: float | None = None  # every parameter starts uniform in plus or minus this; None: initialization.py


class RunError(Exception):
    """A run that cannot start, resume or go on, with what to do about it."""


def check_free(folder):
    """Raises RunError if the folder holds a file that a new run would overwrite, or is none."""
    if folder.exists() and not folder.is_dir():
        raise RunError(f"{folder} is a file; name a folder for the run (--out)")
    taken = [name for name in FILES if (folder / name).exists()]
    if taken:
        raise RunError(
            f"{folder} already holds a run ({', '.join(taken)}); "
            f"go on with it (--resume {folder}) or name another folder (--out)"
        )


def free_folder(parent, name):
    """parent/name, or parent/name-2, -3, …: the first that does not exist yet."""
    candidates = (Path(parent) / (name if k == 1 else f"{name}-{k}") for k in range(1, 10_000))
    return next(folder for folder in candidates if not folder.exists())


def fingerprint(corpus):
    """A digest of the corpus, to notice when it changes between a run and its resumption: of its three texts, or the
    one that a token file's header holds."""
    if isinstance(corpus, TokenFile):
        return corpus.sha256
    digest = hashlib.sha256()
    for part in (corpus.train, corpus.valid, corpus.test):
        digest.update(part.encode("utf-8", "surrogatepass") + b"\0")
    return digest.hexdigest()


def write_config(folder, config):
    """Writes a RunConfig as config.json."""
    write_json(Path(folder) / "config.json", asdict(config))


def read_config(folder):
    """The RunConfig of a folder. Raises RunError if there is none, or it is damaged."""
    path = Path(folder) / "config.json"
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
        records = {"settings": Settings(**fields["settings"]), "split": tuple(fields["split"])}
        return RunConfig(**{**fields, **records})
    except (FileNotFoundError, NotADirectoryError):
        raise RunError(f"{folder} holds no run: there is no {path}") from None
    except (ValueError, TypeError, KeyError) as error:
        raise RunError(f"{path} is damaged: {error}") from None


def write_json(path, fields):
    """Writes fields as JSON, by way of a temporary file, so that a broken write leaves the old file."""
    temporary = Path(path).with_suffix(".json.tmp")
    temporary.write_text(json.dumps(fields, indent=2, allow_nan=False) + "\n", encoding="utf-8")
    os.replace(temporary, path)


def finite_or_none(value):
    """value, or None where it is not finite: JSON has no infinity."""
    return value if value is not None and math.isfinite(value) else None
