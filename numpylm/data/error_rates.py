"""How far a transcript is from what was said: the fewest changes that turn one into the other.

    changes      substitutions + deletions + insertions
    error rate   changes / labels that were said              it may exceed 1

Source: Levenshtein (1966), by dynamic programming as in Wagner and Fischer (1974).
"""

from typing import NamedTuple


class Errors(NamedTuple):
    """The changes that turn a reference of num_labels labels into the hypothesis. Two Errors add up with plus."""

    substitutions: int
    deletions: int
    insertions: int
    num_labels: int
    wrong_sequences: int = 0
    num_sequences: int = 0

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

    def __add__(self, other):
        return Errors(*[one + two for one, two in zip(self, other, strict=True)])


NO_ERRORS = Errors(0, 0, 0, 0)


def count_errors(reference, hypothesis):
    """The Errors of one hypothesis, both sequences of labels (words, characters, numbers)."""
    # rows[j]: the fewest (changes, substitutions, deletions, insertions) from the reference so far to hypothesis[:j]
    row = [(j, 0, 0, j) for j in range(len(hypothesis) + 1)]
    for i, said in enumerate(reference, start=1):
        above, row = row, [(i, 0, i, 0)]
        for j, heard in enumerate(hypothesis, start=1):
            changes, substitutions, deletions, insertions = above[j - 1]
            differs = int(said != heard)
            kept = (changes + differs, substitutions + differs, deletions, insertions)
            changes, substitutions, deletions, insertions = above[j]
            deleted = (changes + 1, substitutions, deletions + 1, insertions)
            changes, substitutions, deletions, insertions = row[j - 1]
            inserted = (changes + 1, substitutions, deletions, insertions + 1)
            row.append(min(kept, deleted, inserted, key=lambda one: one[0]))
    changes, substitutions, deletions, insertions = row[-1]
    return Errors(substitutions, deletions, insertions, len(reference), int(changes > 0), 1)


def total_errors(references, hypotheses):
    """The Errors of many pairs, added up."""
    return sum(map(count_errors, references, hypotheses), NO_ERRORS)
