"""What stands for the names that a failed import in a student's file did not make. It runs in the child process too."""

import builtins
import re
import sys
import types

import numpy as np

from numpylm.tutor.process.sizes import SIZES, size_of

STAND_INS = """
import numpy
np = numpy
def sigmoid(x): return 1 / (1 + np.exp(-x))
def softmax(x):
    e = np.exp(x - np.max(x, axis=axis, keepdims=True))
    return e / np.sum(e, axis=axis, keepdims=True)
def relu(x): return np.maximum(x, 0)
def tanh(x): return np.tanh(x)
class _Forward:  # of an object, which keeps y, or of its class alone
    def __get__(self, held, kind): return kind.f if held is None else held
class _Activation:
    forward = _Forward()
    def __setattr__(self, name, value):
        if name != "y":  # another class than this one
            raise NameError(f"name {type(self).__name__!r} is not defined", name=type(self).__name__)
        super().__setattr__(name, value)
    def __call__(self, x):
        self.y = self.f(x)
        return self.y
    def derivative(self, state=None):
        self.y = self.y if state is None else state
        return self.slope()
    def backward(self, dy=1): return dy * self.slope()
    def gradient(self, x):
        self.forward(x)
        return self.slope()
class Sigmoid(_Activation):
    f = staticmethod(sigmoid)
    def slope(self): return self.y * (1 - self.y)
class Tanh(_Activation):
    f = staticmethod(tanh)
    def slope(self): return 1 - self.y**2
"""

TEXT = "the tea that heat at hat eat\n" * 20  # the text that a script reads: 6 different characters, 7 words
LETTERS = sorted(set(TEXT))


class Missing:
    """Stands for what an import should have made: called with sizes it is random numbers, gone through it is a text.

    It does not compute: called with arrays it is a NameError, as if nothing stood for it.
    """

    def __init__(self, name):
        self._name = name

    def __call__(self, *args, **kwargs):
        if any(isinstance(value, np.ndarray) for value in (*args, *kwargs.values())):
            raise NameError(f"name {self._name!r} is not defined", name=self._name)
        if len(args) == 1 and isinstance(args[0], types.FunctionType):
            return args[0]  # as a decorator
        return np.random.standard_normal(args) if args and all(type(n) is int for n in args) else self

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return self if "load" in name else getattr(np, name, self)  # it may be NumPy under another name

    def __getitem__(self, key):
        return self

    def __or__(self, other):  # in annotations
        return self

    __ror__ = __or__

    def __iter__(self):
        return iter(TEXT)

    def __mro_entries__(self, bases):
        return (MissingBase,)


class Empty(dict):
    """An empty dict, which may become a list."""

    def __iadd__(self, other):
        return list(other)


class MissingBase:
    """Stands for a class that is not there. It keeps what the constructor of its subclass was given."""

    def __init__(self, *args, **kwargs):
        self.params, self.grads = Empty(), Empty()
        frame = sys._getframe(1)
        given = frame.f_locals if frame.f_code.co_name == "__init__" else {}
        vars(self).update({name: value for name, value in given.items() if value is not self and name[0] != "_"})

    def __getattr__(self, name):  # self.add_param("W", array) makes self.W
        if not re.match("add|register|set", name):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return lambda key, value: vars(self).__setitem__(key, value)


def usual_names(axis=0):
    """np, sigmoid, softmax, … by name; vectors lie along this axis."""
    usual = {"axis": axis}
    exec(STAND_INS, usual)
    return usual


def stand_in(module, failed, read):
    """After a failed import, the usual meaning of np, sigmoid, softmax, …, and Missing for the other names it made."""
    usual = usual_names(axis=-1 if "'common'" in failed["error"] else 0)  # the vectors of that book are rows
    names = {*usual, *read} if "*" in failed["names"] else set(failed["names"])
    names -= {*vars(module), *vars(builtins), "__builtins__", "axis"}
    for name in names:
        is_size = name.isupper() and (size_of(name) or name.startswith("N_"))
        number = SIZES.get(size_of(name, True), 3) if is_size else None
        setattr(module, name, usual.get(name) or usual.get(name.title()) or number or Missing(name))
    failed["stand_ins"] = sorted(n for n in names & {*usual} if n != "numpy" and n[0] != "_")
