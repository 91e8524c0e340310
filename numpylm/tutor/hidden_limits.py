"""Is a function right for larger inputs too? There a limit that is hidden in it shows.

A backward is linear in the gradients that come in: with dh_t a thousand times as large, all that it returns is a
thousand times as large, unless something is clipped inside it. With larger weights and states the gates are near 0 or 1,
and tanh near -1 or 1, as in a trained network: a value that is kept away from there shows.
"""

FACTORS = (1e3, 1e-3)  # how much larger the incoming gradients are
SATURATED = 4.0  # how much larger the weights and the states are


def larger_gradients(values, factor):
    """name -> value, with every gradient (dh_t, dc_next, dstate_T, dy, and all right answers) times a factor."""
    return {name: larger(value, factor) if name.startswith("d") else value for name, value in values.items()}


def larger(value, factor):
    """A gradient, or a record of gradients, times a factor."""
    return type(value)(*[factor * array for array in value]) if isinstance(value, tuple) else factor * value


def not_linear(incoming, factor):
    """What to say of a backward that is wrong for incoming gradients factor times as large alone."""
    first = f"with {incoming} {factor:g} times as large, what it returns is not {factor:g} times as large: your "
    if factor < 1:
        return f"{first}backward is not linear in {incoming}. Are small gradients dropped, or kept above a limit?"
    return f"{first}backward is not linear in {incoming}: something is clipped inside it; clip in the training loop"


def wrong_when_large(is_backward):
    """What to say of a function that is right for moderate inputs only."""
    kept = "such as np.maximum(1 - h_t**2, 0.01)" if is_backward else "such as np.clip(a, -10, 10)"
    return (
        f"with weights and states {SATURATED:g} times as large it is wrong, and with smaller ones right: is something "
        f"in it clipped, or kept away from 0 or 1, {kept}?"
    )
