"""One thing to prove, and the sizes that all cases share."""

from collections.abc import Callable
from typing import Any, NamedTuple

T, N, D, H, V = 4, 3, 2, 5, 7


class Case(NamedTuple):
    """One function to prove: f(**arguments), its claimed gradients, and cotangents if f returns arrays."""

    name: str
    f: Callable
    arguments: dict
    gradients: dict
    cotangents: Any = None
