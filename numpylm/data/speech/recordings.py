r"""Recordings with transcripts: a folder of .wav files and transcripts.tsv, whose lines are

    FILE \t TEXT          or          FILE \t TEXT \t PART

FILE is relative to the folder. PART is train, valid or test; where no line says it, the seed draws a tenth of the
recordings for valid and a tenth for test.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from numpylm.data.text_files import read_text

TRANSCRIPTS = "transcripts.tsv"
PARTS = ("train", "valid", "test")


class Recording(NamedTuple):
    """A .wav file, what is said in it, and its part; None where the list does not say."""

    path: Path
    text: str
    part: str | None


def read_recordings(folder):
    """The Recordings of a folder. Raises FileNotFoundError, or ValueError with the line that is wrong."""
    path = Path(folder) / TRANSCRIPTS
    if not path.is_file():
        raise FileNotFoundError(f"{folder} has no {TRANSCRIPTS}: its lines are a .wav file, a tab and what is said")
    lines = read_text(path).removesuffix("\n").split("\n")
    return [read_line(Path(folder), line, f"{path}, line {k}") for k, line in enumerate(lines, start=1)]


def read_line(folder, line, where):
    """The Recording of one line."""
    name, *rest = line.split("\t")
    if len(rest) not in (1, 2):
        raise ValueError(f"{where}: expected a file, a tab and what is said (and a tab and its part); got {line!r:.80}")
    text, part = " ".join(rest[0].split()), rest[1].strip() if len(rest) == 2 else None
    if not text:
        raise ValueError(f"{where}: the transcript of {name} is empty")
    if part not in (None, *PARTS):
        raise ValueError(f"{where}: the part is {', '.join(PARTS)}; got {part!r}")
    if not (folder / name).is_file():
        raise ValueError(f"{where}: there is no file {folder / name}")
    return Recording(folder / name, text, part)


def split_recordings(recordings, seed=0):
    """{part: Recordings}. Raises ValueError where a part would be empty."""
    parts = [one.part for one in recordings]
    if not any(parts):
        tenth = max(1, len(recordings) // 10)
        parts = ["valid"] * tenth + ["test"] * tenth + ["train"] * (len(recordings) - 2 * tenth)
        parts = np.random.default_rng(seed).permutation(parts).tolist()
    split = {name: [one for one, part in zip(recordings, parts, strict=True) if part == name] for name in PARTS}
    for name, found in split.items():
        if not found:
            raise ValueError(f"no recording is of the part {name}; each of {', '.join(PARTS)} needs one or more")
    return split
