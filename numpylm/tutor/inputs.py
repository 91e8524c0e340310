"""The arrays that a forward is given: ours in some layout, or random ones in the file's own shapes."""

from numpylm.tutor.layouts import theirs
from numpylm.tutor.scopes import size_slots

NUMBERS = {"ids", "array", "row"}  # styles of tokens that are numbers
STYLES = tuple(  # of inputs and targets
    (one, other)
    for one in ("ids", "columns", "matrix", "array", "three", "batch", "first", "vectors", "scalars", "across", "last")
    for other in dict.fromkeys((one, "ids", "array", "row"))
)


def inputs_for(unit, ours, layout, style, rng, is_strict):
    """Slot -> array, in one layout; inputs and targets in a style. None where the file has other shapes.

    Not is_strict: an array of another shape is random. An array without a role is random too.
    """
    found = size_slots(unit.sizes)
    for slot, role in unit.roles.items():
        shape = unit.shapes.get(slot)
        is_extra = role is None or (not style and role in ("W_y", "b_y") and shape is not None)  # or an output's
        try:
            array = None if is_extra else theirs(role, ours.arrays, layout)
        except KeyError:  # a gate of another cell, or what is no array of this problem
            array = None
        if array is None or array.shape != (shape or array.shape):
            if shape is None or not (is_extra or not is_strict):
                return None
            array = 0.5 * rng.standard_normal(shape)
        found[slot] = array
    return found | in_styles(ours, style)


def in_styles(ours, style):
    """The inputs and targets of a loss in a style."""
    if not style:
        return {}
    x, arrays = ours.problem.symbols["x"][:, 0], ours.arrays
    return {
        slot: tokens_in(arrays[slot], how) if how in NUMBERS else in_style(rows, how)
        for slot, how, rows in zip(("inputs", "targets"), style, (x, arrays["goal"]), strict=True)
    }


def tokens_in(tokens, style):
    """Tokens (T,) as a list, an array, or an array with one row."""
    return {"ids": tokens.tolist(), "array": tokens, "row": tokens[None]}[style]


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
    return {
        "columns": list(rows[:, :, None]), "matrix": rows, "three": rows[:, :, None], "batch": rows[:, None],
        "first": rows[None], "vectors": list(rows), "scalars": rows[:, 0].tolist(), "across": rows.T,
        "last": rows.T[:, None],
    }[style]  # fmt: skip


def random_input(rng, shape):
    """Random numbers of a shape; ("tokens", V, T, N) are numbers below V."""
    if shape[:1] == ("tokens",):
        return rng.integers(shape[1], size=shape[2:])
    return rng.standard_normal(shape) if shape else float(rng.standard_normal())
