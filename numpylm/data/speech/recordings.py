r"""Files about recordings: their transcripts, and lists of candidates from this program or another one.

    transcripts.tsv, in a folder of .wav files    FILE \t TEXT    or    FILE \t TEXT \t PART
    a list of candidates                          UTTERANCE \t SCORE \t TEXT

FILE is relative to the folder. PART is train, valid or test; if no line says it, the seed draws a tenth of the
recordings for valid and a tenth for test. SCORE is a number, higher for better ones, best a log-probability in nats
without a language model; we rank by SCORE + alpha log p(TEXT) + beta · labels. An utterance's lines may stand anywhere.
"""

from pathlib import Path

import numpy as np

from numpylm.base import require
from numpylm.data.text_files import read_rows

TRANSCRIPTS = "transcripts.tsv"
PARTS = ("train", "valid", "test")


def read_recordings(folder):
    """[(a .wav file, what is said in it, its part, "" if that is open), …] of a folder. Raises FileNotFoundError, or
    ValueError with the line that is wrong."""
    path = Path(folder) / TRANSCRIPTS
    if not path.is_file():
        raise FileNotFoundError(f"{folder} has no {TRANSCRIPTS}: its lines are a .wav file, a tab and what is said")
    recordings = []
    for where, (name, *said) in read_rows(path, "a file, a tab and what is said (and a tab and its part)", 2, 3):
        text, part = (" ".join(field.split()) for field in (*said, "")[:2])
        file = Path(folder) / name
        require.expect(f"{where}: what is said", text, text, "some words")
        require.expect(f"{where}: the part", part, part in ("", *PARTS), " or ".join(PARTS))
        require.expect(f"{where}: the recording", str(file), file.is_file(), "a file")
        recordings.append((file, text, part))
    return recordings


def split_recordings(recordings, seed=0):
    """{part: its recordings}. Raises ValueError where a part would be empty, or only some recordings name theirs."""
    parts = [part for _, _, part in recordings]
    if any(parts) and "" in parts:
        raise ValueError(f"{recordings[parts.index('')][0]} has no part, and others have: name the part of all")
    if not any(parts):
        tenth = max(1, len(parts) // 10)
        parts = ["valid"] * tenth + ["test"] * tenth + ["train"] * (len(parts) - 2 * tenth)
        parts = np.random.default_rng(seed).permutation(parts)
    split = {name: [one for one, part in zip(recordings, parts, strict=False) if part == name] for name in PARTS}
    if not all(split.values()):
        counts = ", ".join(f"{len(found)} {name}" for name, found in split.items())
        raise ValueError(f"each part needs a recording or more; got {counts}")
    return split


def read_lists(path):
    """{utterance: [(score, text), …]} of a list of candidates. Raises ValueError with the line that is wrong."""
    lists = {}
    for where, (utterance, score, text) in read_rows(path, "an utterance, a tab, a score, a tab and a text", 3, 3):
        try:
            number = require.finite_number("the score", float(score))
        except ValueError:
            raise ValueError(f"{where}: the score must be a number; got {score!r}") from None
        lists.setdefault(utterance, []).append((number, text))
    return lists


def read_said(path, utterances):
    r"""What was said in each utterance, from lines UTTERANCE \t TEXT. Raises ValueError for one that is missing."""
    said = dict(fields for _, fields in read_rows(path, "an utterance, a tab and what was said", 2, 2))
    if missing := [utterance for utterance in utterances if utterance not in said]:
        raise ValueError(f"{path} does not say what was said in {missing[0]!r}")
    return [said[utterance] for utterance in utterances]
