"""In how many symbols what someone wrote differs from the right line: of several explanations the nearest is likeliest.

A gradient taken for another, a factor left out, a term too many, a derivative's form: each is one change.
"""

import re


def changes_of(formula, right, line, names):
    """How many symbols of a line must be changed for a formula to stand there: one at least, for it is wrong.

    right is the right value in the same notation, or None; names are what may stand in the line.
    """
    if formula.changes is not None:
        return formula.changes
    ours = symbols(right.text if right else line.source.partition("=")[2], names)
    theirs = symbols(formula.text, names)
    changed = max(len(ours - theirs), len(theirs - ours))
    if right and len(ours) == len(theirs) and form(formula.text, names) != form(right.text, names):
        changed += 1
    return max(1, changed)


def symbols(text, names):
    """The names in a formula, or in a line of source, that stand for arrays."""
    return {word for word in words(text) if word in names}


def form(text, names):
    """A formula with a mark in place of every name: which operations it has."""
    text = text.partition(":")[0]
    for word in sorted(symbols(text, names), key=len, reverse=True):
        text = text.replace(word, "·")
    return text


def words(text):
    """The identifiers in a text, dh[t] being one."""
    return re.findall(r"[^\W\d]\w*(?:\[t\])?", text.replace("ᵀ", " ").partition(":")[0].partition("  #")[0])
