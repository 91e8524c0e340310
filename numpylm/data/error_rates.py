"""How far a transcript is from what was said: the fewest changes that turn one into the other.

    changes      substitutions + deletions + insertions
    error rate   changes / labels that were said              it may exceed 1

Source: Levenshtein (1966), by dynamic programming as in Wagner and Fischer (1974).
"""

from typing import NamedTuple


class Errors(NamedTuple):
    """The changes that turn references of num_labels labels into hypotheses."""

    substitutions: int
    deletions: int
    insertions: int
    num_labels: int

    @property
    def total(self):
        """All changes."""
        return self.substitutions + self.deletions + self.insertions

    @property
    def rate(self):
        """Changes per label that was said; NaN where none was."""
        return self.total / self.num_labels if self.num_labels else float("nan")


# One number counts four things, as its digits in base MOST: changes, and of them deletions, insertions, substitutions.
# So the smallest number has the fewest changes. MOST is larger than a sequence's number of labels.
MOST = 10**6
SUBSTITUTION, INSERTION, DELETION, CHANGE = (MOST**k for k in range(4))


def count_errors(reference, hypothesis):
    """The Errors of one hypothesis, both sequences of labels (words, characters, numbers)."""
    deleted, inserted, substituted = CHANGE + DELETION, CHANGE + INSERTION, CHANGE + SUBSTITUTION
    row = [j * inserted for j in range(len(hypothesis) + 1)]  # row[j]: from the reference so far to hypothesis[:j]
    for said in reference:
        above, row = row, [row[0] + deleted]
        for j, heard in enumerate(hypothesis):
            kept = above[j] + (substituted if said != heard else 0)
            row.append(min(kept, above[j + 1] + deleted, row[j] + inserted))
    substitutions, insertions, deletions = (row[-1] // MOST**k % MOST for k in range(3))
    return Errors(substitutions, deletions, insertions, len(reference))


def total_errors(references, hypotheses):
    """The Errors of many pairs, added up."""
    counted = [Errors(0, 0, 0, 0), *map(count_errors, references, hypotheses)]
    return Errors(*map(sum, zip(*counted, strict=True)))
