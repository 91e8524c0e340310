"""What `gradcheck` proves: a file for each family of functions, and a line for each file in FAMILIES.

Each file has a function cases(rng) that yields one Case for each function.
"""

from numpylm.proof.cases import answers, applications, cells, functions, models, records

FAMILIES = (functions, cells, records, models, applications, answers)


def cases(rng):
    """The Cases of all families, with arrays from rng."""
    for family in FAMILIES:
        yield from family.cases(rng)
