r"""Lists of candidate transcripts, from this program or another one: lines UTTERANCE \t SCORE \t TEXT.

SCORE is a number, higher for better ones, best a log-probability in nats without a language model. The lines of an
utterance need not stand together.
"""

import math

from numpylm.data.text_files import read_text


def read_lists(path):
    """{utterance: [(score, text), …]} in the file's order. Raises ValueError with the line that is wrong."""
    lists = {}
    for number, line in enumerate(read_text(path).removesuffix("\n").split("\n"), start=1):
        fields = line.split("\t")
        if len(fields) != 3:
            raise ValueError(f"{path}, line {number}: expected an utterance, a tab, a score, a tab and a text")
        lists.setdefault(fields[0], []).append((number_of(fields[1], f"{path}, line {number}"), fields[2]))
    return lists


def number_of(text, where):
    """A finite number that a line holds."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"{where}: the score must be a number; got {text!r}")
    return number
