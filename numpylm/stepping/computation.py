"""One window's forward and backward pass: every quantity on the way, and the loss's derivative with respect to each.

The derivative is numerical and asks nothing of the backward pass: i ε times a direction is added to the quantity where
it stands, the rest of the forward pass runs, and the loss's imaginary part over ε is the derivative along the direction
(the complex step of Squire and Trapp, 1998: exact to rounding).
"""

from collections import Counter
from typing import NamedTuple

import numpy as np

from numpylm.proof.numerical import COMPLEX_STEP, complex_value
from numpylm.stepping.taps import sources_of, tapped_model

PARAMETER = "parameter"
RELATIVE, ABSOLUTE = 1e-9, 1e-14  # how far a gradient may lie from its numerical value
MOST_ENTRIES = 60  # of an array of which each is moved alone; of a larger one those that are shown


class Place(NamedTuple):
    """Where a quantity stands: the names of a function and of a quantity in it, how many times it is met there before,
    and which part of it is meant (all of it). For a whole parameter the function is PARAMETER."""

    function: str
    name: str
    time: int = 0
    part: tuple = (...,)


class Check(NamedTuple):
    """numeric, of the gradient's shape: each entry's numerical derivative, NaN where it was not moved alone; error, the
    largest difference, and along, the difference along one random direction (None where every entry was moved)."""

    numeric: np.ndarray
    error: float
    along: float | None
    ok: bool


class LossKnown(Exception):
    """Ends a run before its backward pass, of which a derivative asks nothing. Its argument is the loss."""


class Computation:
    """One run of model.loss_and_gradients(inputs, targets), with T steps of N sequences.

    values: (function, name) -> the arrays that it was, in the order of the run; loss and gradients as the model gives
    them; cell, the model's, as it ran. sources, if given, are run in place of the package's own (taps.sources_of).
    """

    def __init__(self, model, inputs, targets, sources=None):
        self.model, self.inputs, self.targets = model, inputs, targets
        self.values = {}
        sources = sources or sources_of(model.cell)
        real = tapped_model(model, self._record, sources)
        self.cell = real.cell
        self._recording = True
        self.loss, self.gradients, _ = real.loss_and_gradients(inputs, targets)
        self._recording = False
        self._complex = tapped_model(model.astype(np.complex128), self._move, sources)
        self._place, self._added, self._met = None, None, Counter()

    def _record(self, function, name, value):
        if self._recording and isinstance(value, np.ndarray):
            self.values.setdefault((function, name), []).append(value.copy())
        return value

    def _move(self, function, name, value):
        key = (function, name)
        if key == ("cross_entropy_forward", "return"):
            raise LossKnown(value[0])
        if not isinstance(value, np.ndarray) or self._place is None or key != self._place[:2]:
            return value
        self._met[key] += 1
        if self._met[key] != self._place.time + 1:
            return value
        moved = value.copy()
        moved[self._place.part] += self._added
        return moved

    def value(self, place):
        """What stood at a Place."""
        return self.values[place.function, place.name][place.time][place.part]

    def derivative(self, place, direction):
        """Σ ∂loss/∂q[k] direction[k] over the entries of the quantity at a Place (or of a parameter: PARAMETER)."""
        added = 1j * COMPLEX_STEP * direction
        if place.function == PARAMETER:
            array = self._complex.parameters()[place.name]
            entries = array.copy()
            array += added
        self._place, self._added = place, added
        self._met.clear()
        try:
            return complex_value(self._loss).imag / COMPLEX_STEP
        finally:
            self._place = None
            if place.function == PARAMETER:
                array[...] = entries

    def _loss(self):
        try:
            return self._complex.loss_and_gradients(self.inputs, self.targets).loss
        except LossKnown as stop:
            return stop.args[0]

    def check(self, gradient, place, shown):
        """The Check of a gradient with respect to what stands at a Place; shown are the indices that must be moved
        alone: all of them where there are few, and else one random direction proves the rest."""
        # A direction that is random in n entries adds up their roundings, about √n of them.
        few = gradient.size <= MOST_ENTRIES
        numeric = np.full(gradient.shape, np.nan)
        for index in np.ndindex(gradient.shape) if few else shown:
            direction = np.zeros(gradient.shape)
            direction[index] = 1
            numeric[index] = self.derivative(place, direction)
        error, along = float(np.nanmax(np.abs(gradient - numeric))), None
        if not few:
            direction = np.random.default_rng(0).standard_normal(gradient.shape)
            along = abs(float((gradient * direction).sum()) - self.derivative(place, direction))
        allowed = RELATIVE * np.abs(gradient).max() + ABSOLUTE
        return Check(numeric, error, along, bool(max(error, (along or 0) / gradient.size**0.5) <= allowed))
