"""What `gradcheck` proves: a file for each family of functions, and a line for each file in FAMILIES.

Each file has a function cases(rng) that yields one Case for each function.
"""

from numpylm.proof.cases import answers, cells, functions, models, records, transcription, translation

FAMILIES = (functions, cells, records, models, translation, transcription, answers)


def cases(rng):
    """The Cases of all families, with arrays from rng."""
    for family in FAMILIES:
        yield from family.cases(rng)
