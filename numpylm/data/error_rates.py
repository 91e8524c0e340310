"""How far a transcript is from what was said: the fewest changes that turn one into the other.

    changes      substitutions + deletions + insertions
    error rate   changes / labels that were said              it may exceed 1

Source: Levenshtein (1966), by dynamic programming as in Wagner and Fischer (1974).
"""

from typing import NamedTuple


class Errors(NamedTuple):
    """The changes that turn references of num_labels labels into hypotheses, and how many sequences have any."""

    substitutions: int
    deletions: int
    insertions: int
    num_labels: int
    wrong_sequences: int
    num_sequences: int

    @property
    def total(self):
        """All changes."""
        return self.substitutions + self.deletions + self.insertions

    @property
    def rate(self):
        """Changes per label that was said; NaN where none was."""
        return self.total / self.num_labels if self.num_labels else float("nan")

    @property
    def sequence_rate(self):
        """The share of sequences with a change."""
        return self.wrong_sequences / self.num_sequences if self.num_sequences else float("nan")


MOST = 10**6  # of a sequence's labels
SUBSTITUTION, INSERTION, DELETION, CHANGE = (MOST**k for k in range(4))  # one number counts all four, as its digits


def count_errors(reference, hypothesis):
    """The Errors of one hypothesis, both sequences of labels (words, characters, numbers)."""
    row = [j * (CHANGE + INSERTION) for j in range(len(hypothesis) + 1)]  # from the reference so far to hypothesis[:j]
    for said in reference:
        above, row = row, [row[0] + CHANGE + DELETION]
        for j, heard in enumerate(hypothesis):
            kept = above[j] + (CHANGE + SUBSTITUTION if said != heard else 0)
            row.append(min(kept, above[j + 1] + CHANGE + DELETION, row[j] + CHANGE + INSERTION))
    substitutions, insertions, deletions, changes = (row[-1] // MOST**k % MOST for k in range(4))
    return Errors(substitutions, deletions, insertions, len(reference), int(changes > 0), 1)


def total_errors(references, hypotheses):
    """The Errors of many pairs, added up."""
    counted = map(count_errors, references, hypotheses)
    return Errors(*map(sum, zip((0,) * len(Errors._fields), *counted, strict=True)))
