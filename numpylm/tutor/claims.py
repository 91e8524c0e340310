"""Which input each of a backward's gradients belongs to: by its name, else by its place."""

import numpy as np

from numpylm.tutor.conventions import plain, role_of
from numpylm.tutor.stop import Stop


def gradient_name(unit, slot):
    """The user's name of a gradient."""
    text = next((t for t in unit.texts if plain(t) == plain(f"d{slot}")), None)
    return text if text and text.isidentifier() else f"d{slot}"


def matched_claims(unit, returned):
    """Slot -> gradient, by the names of what the backward returns, else by the order of the forward's parameters."""
    if isinstance(returned, tuple | list):
        returned, texts = spread(list(returned), list(unit.texts))
        unit = unit._replace(texts=tuple(texts))
    if not isinstance(returned, dict):
        values = list(returned) if isinstance(returned, tuple | list) else [returned]
        texts = unit.texts if len(unit.texts) == len(values) else [""] * len(values)
        slots = [slot for slot, role in unit.roles.items() if role not in ("inputs", "targets")]
        found = [slot_of(unit, text) for text in texts]
        rest = iter([slot for slot in slots if slot not in found])
        found = [slot or next(rest) for slot in found] if len(values) == len(slots) else found
        return {slot: value for slot, value in reversed(list(zip(found, values, strict=True))) if slot}
    found = {slot_of(unit, str(name)): value for name, value in reversed(list(returned.items()))}
    return {slot: value for slot, value in found.items() if slot}


def spread(values, texts):
    """The values that a backward returned, and their names, with those of an inner list or dict among them."""
    texts = texts if len(texts) == len(values) else [""] * len(values)
    found = []
    for value, text in zip(values, texts, strict=True):
        names = [name.strip() for name in text.strip("[]()").split(",")]
        if isinstance(value, dict):
            found += [(item, key if str(key)[:1] in "dg" else f"d{key}") for key, item in value.items()]
        elif isinstance(value, list | tuple) and len(names) == len(value) > 1:
            found += list(zip(value, names, strict=True))
        else:
            found.append((value, text))
    return [value for value, _ in found], [str(text) for _, text in found]


def slot_of(unit, text):
    """Which input a gradient's name belongs to; None for none."""
    name = plain(text.removeprefix("self.").split("[")[0])
    for head in ("dldd", "dld", "d", "grad", "g"):
        rest = name.removeprefix(head)
        exact = [slot for slot in unit.roles if plain(slot.removeprefix("self.")) == rest]
        role = role_of(rest, unit.cell)
        alike = [slot for slot, other in unit.roles.items() if role and other == role]
        if rest != name and (exact or alike):
            return (exact or alike)[0]
    return None


def steps_of_descent(fit, after):
    """Slot -> old - new, the gradient of a backward that updates its weights at a learning rate of 1. Raises Stop."""
    claims = {slot: fit.inputs[slot] - value for slot, value in after.items() if value.shape == fit.inputs[slot].shape}
    claims = claims if any(claim.any() for claim in claims.values()) else {}
    if any(claim.any() and claim.size > 2 and np.ptp(np.abs(claim[claim != 0])) < 1e-6 for claim in claims.values()):
        raise Stop(
            "not checked", "it returns no gradient, and it does not update its weights by plain gradient descent"
        )
    return claims
