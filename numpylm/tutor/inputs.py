"""The arrays that a forward is given: ours in some layout, or random ones in the file's own shapes."""

import numpy as np

from numpylm.tutor.layouts import theirs
from numpylm.tutor.scopes import SIZES, size_slots

NUMBERS = {"ids", "array", "row"}  # styles of tokens that are numbers
STYLES = tuple(  # of inputs and targets
    (one, other)
    for one in ("ids", "columns", "matrix", "array", "three", "batch", "first", "vectors")
    for other in dict.fromkeys((one, "ids", "array", "row"))
)


def our_inputs(unit, ours, layout, style, rng):
    """Slot -> array, in one layout; tokens as numbers or as one-hot vectors. None where the file has other shapes."""
    found = size_slots()
    for slot, role in unit.roles.items():
        is_extra = role is None or (not style and role in ("W_y", "b_y") and slot in unit.shapes)  # or an output's
        if not is_extra and role.partition(":")[0] not in {*ours.arrays, "W", "W1"}:
            return None
        try:
            found[slot] = (
                0.5 * rng.standard_normal(unit.shapes[slot]) if is_extra else theirs(role, ours.arrays, layout)
            )
        except KeyError:  # a gate of another cell
            return None
        if unit.shapes.get(slot, found[slot].shape) != found[slot].shape:
            return None
    tokens = {slot: tokens_in(ours.arrays[slot], how) for slot, how in zip(("inputs", "targets"), style, strict=False)}
    return found | tokens


def own_inputs(unit, ours, style, columns, rng):
    """(slot -> random array, goal (T, V)), in the file's own shapes. None for a style without sense.

    A goal of several numbers is one-hot, which suits squared errors as well.
    """
    (D, V), H = sizes_of(unit), (SIZES["H"], 1) if columns else (1, SIZES["H"])
    tokens = [ours.arrays["inputs"] % max(D, 2), ours.arrays["targets"] % V]
    found = size_slots() | {slot: 0.5 * rng.standard_normal(unit.shapes.get(slot, H)) for slot in unit.roles}
    rows = [rng.standard_normal((SIZES["T"], size)) for size in (D, V)]
    rows = [np.eye(D)[tokens[0]] if SIZES["V"] == D else rows[0], np.eye(V)[tokens[1]] if V > 1 else rows[1]]
    if style[1] in NUMBERS and V == 1:
        return None
    for slot, how, whole, dense in zip(("inputs", "targets"), style, tokens, rows, strict=True):
        found[slot] = tokens_in(whole, how) if how in NUMBERS else in_style(dense, how)
    return found, rows[1]


def sizes_of(unit):
    """(inputs, outputs) of a network, by the shapes of its weights."""
    H, D, V = SIZES["H"], SIZES["H"], SIZES["H"]
    for slot, shape in unit.shapes.items():
        part = str(unit.roles[slot]).partition(":")[0]
        other = next((n for n in shape if n != H), H)
        D = other - H * (part == "W") if part in ("W_x", "W") and len(shape) == 2 else D
        V = other if part == "W_y" else V
    return D, V


def tokens_in(tokens, style):
    """Tokens (T,) as numbers or as one-hot vectors."""
    whole = {"ids": tokens.tolist(), "array": tokens, "row": tokens[None]}
    return whole[style] if style in NUMBERS else in_style(np.eye(SIZES["V"])[tokens], style)


def target_styles(goal):
    """The rows of a goal in every style, as numbers too if it is one-hot; of all steps, or of the last."""
    tokens = goal.argmax(axis=1) if goal.shape[1] > 1 else None
    for part in (slice(None), slice(-1, None)):
        for style in dict.fromkeys(style for pair in STYLES for style in pair):
            if style not in NUMBERS:
                yield in_style(goal[part], style)
            elif tokens is not None:
                yield tokens_in(tokens[part], style)
    yield from (goal[-1][:, None], goal[-1], *([] if tokens is None else [int(tokens[-1])]))


def in_style(rows, style):
    """The rows of a matrix (T, V) as a list of columns, as a matrix, and so on."""
    return {"columns": list(rows[:, :, None]), "matrix": rows, "three": rows[:, :, None], "batch": rows[:, None],
            "first": rows[None], "vectors": list(rows)}[style]  # fmt: skip
