"""What stands for the names that a failed import in a student's file did not make. It runs in the child process too."""

import builtins
import functools
import math
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
"""
OBJECTS = """
class _Forward:  # of an object, which keeps y, or of its class alone
    def __get__(self, held, kind): return kind.f if held is None else held
class _Slope:  # the same of its derivative
    def __init__(self, of): self.of = of
    def __get__(self, held, kind): return kind.slope if held is None else lambda *state: self.of(held, *state)
class _Kind(type):
    def __getattr__(kind, name):  # such as Tanh.prime
        f = _activation(f"{kind.__name__.lower()}_{name}")
        if f is None:
            raise AttributeError(name)
        return f
class _Activation(metaclass=_Kind):
    forward = _Forward()
    def __setattr__(self, name, value):
        if name != "y":  # another class than this one
            raise NameError(f"name {type(self).__name__!r} is not defined", name=type(self).__name__)
        super().__setattr__(name, value)
    def __getattr__(self, name): return getattr(type(self), name)
    def __call__(self, x):
        self.y = self.f(x)
        return self.y
    derivative = _Slope(lambda self, state=None: self.slope(self.y if state is None else state))
    gradient = _Slope(lambda self, x: self.slope(x))
    def backward(self, dy=1): return dy * self.slope(self.y)
class Softmax(_Activation): f = softmax
class Sigmoid(_Activation): f, slope = sigmoid, sigmoid_slope
class Tanh(_Activation): f, slope = tanh, tanh_slope
"""

FUNCTION = re.compile(r"(?:np|stable)?_?(sigmoid|softmax|tanh|relu)_?(?:fn?|func\w*|act\w*|forward)?")
BEFORE, AFTER = r"(?:d|de|der\w*|grad\w*)_?", r"_?(?:df?n?|der\w*|prime|grad\w*|dash|diff|backward)"
SLOPE = re.compile(rf"{BEFORE}(sigmoid|tanh|relu)|(sigmoid|tanh|relu){AFTER}")
TEXT = "the tea that heat at hat eat\n" * 20  # the text that a script reads: 6 different characters, 7 words
LETTERS = sorted(set(TEXT), reverse=True)  # letters first

MADE = {"sigmoid": set(), "tanh": set(), "relu": set()}  # the numbers that each has returned in this run


def noted(f, made):
    """f, which notes what it returns."""

    def noting(x, *args, **kwargs):
        y = f(x, *args, **kwargs)
        made.update(np.ravel(y).tolist())
        return y

    return noting


def activation(name):
    """What a name of an absent module means: an activation, its derivative, or None for neither."""
    usual, found = usual_names(), SLOPE.fullmatch(name)
    if FUNCTION.fullmatch(name):
        return usual[FUNCTION.fullmatch(name)[1]]
    return found and slope_of(found[1] or found[2], usual, name)


def slope_of(kind, usual, name=""):
    """The derivative of an activation. It takes what that has returned, or else what it is given; behind a gradient
    that it is multiplied by, as in sigmoid_backward(dA, cache). Raises RuntimeError where it may be either."""

    def slope(*values):
        x, made = np.asarray(values[-1]), MADE[kind]
        if not made and kind != "relu" and np.all(abs(x) < 1):  # the file has its own activation
            raise RuntimeError(f"{name} of an absent module may take what {kind} was given, or what it returned")
        y = x if made.issuperset(x.ravel().tolist()) and made else usual[kind](x)
        return math.prod(values[:-1]) * {"sigmoid": y * (1 - y), "tanh": 1 - y**2, "relu": 1.0 * (y > 0)}[kind]

    return slope


class Missing:
    """Stands for what an import should have made: called with sizes it is random numbers, gone through it is a text.

    Called with arrays it computes nothing, as a debugger or a log does not: what it returns is no number (Unmade).
    """

    def __init__(self, name):
        self._name = name

    def __call__(self, *args, **kwargs):
        sizes = args[0] if args and isinstance(args[0], tuple) else args
        sizes = [n for n in sizes if type(n) is int] if all(type(n) in (int, float) for n in sizes) else []
        if sizes:  # xavier((D, H)), uniform(-0.1, 0.1, D, H), zeros(H)
            makers = {"zero": np.zeros, "ones": np.ones, "": np.random.standard_normal}
            return next(make for part, make in makers.items() if part in self._name.lower())(tuple(sizes))
        if re.match("init|ortho", self._name) and len(args) == 1 and isinstance(args[0], np.ndarray):
            return args[0]
        if "clip" in self._name and args:
            return args[0]
        if any(isinstance(value, np.ndarray) for value in (*args, *kwargs.values())):
            return Unmade(self._name)
        if len(args) == 1 and isinstance(args[0], types.FunctionType):
            return args[0]  # as a decorator
        return self

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        if name in ("zeros", "ones", "empty"):  # of sizes, or of a tuple
            return Missing(name)
        known = activation(name) or getattr(np, name, self)  # it may be NumPy under another name
        return self if "load" in name else known

    def __getitem__(self, key):
        return self

    def __or__(self, other):  # in annotations
        return self

    __ror__ = __or__

    def __iter__(self):
        return iter(TEXT)

    def __mro_entries__(self, bases):
        return (MissingBase,)

    def use(self, *_):
        raise NameError(f"name {self._name!r} is not defined", name=self._name)

    __setitem__ = use


class Unmade(Missing):
    """What an absent function would have made of arrays: to use it is a NameError, as if nothing stood for it."""

    use = Missing.use
    __array__ = __float__ = __neg__ = __len__ = __iter__ = __call__ = __getitem__ = use
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = use
    __truediv__ = __rtruediv__ = __pow__ = __matmul__ = __rmatmul__ = use

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        self.use()


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


@functools.cache
def usual_names(axis=0):
    """np, sigmoid, softmax, … by name; vectors lie along this axis."""
    usual = {"axis": axis}
    exec(STAND_INS, usual)
    usual |= {kind: noted(usual[kind], made) for kind, made in MADE.items()}
    held = {f"{kind}_slope": slope_of(kind, usual) for kind in ("sigmoid", "tanh")}
    held |= {kind: usual[kind] for kind in ("sigmoid", "softmax", "tanh")}
    held = {name: staticmethod(f) for name, f in held.items()} | {"_activation": activation}
    exec(OBJECTS, held)
    objects = {name: held[name] for name in ("Sigmoid", "Softmax", "Tanh")}
    given = {"_slope_of_tanh": slope_of("tanh", usual), "_half_squares": lambda y, t: ((y - t) ** 2).sum() / 2}
    return usual | objects | given


def stand_in(module, failed, read):
    """After a failed import, the usual meaning of np, sigmoid, softmax, …, and Missing for the other names it made."""
    usual = usual_names(axis=-1 if "'common'" in failed["error"] else 0)  # the vectors of that book are rows
    names = {*usual, *read} if "*" in failed["names"] else set(failed["names"])
    names -= {*vars(module), *vars(builtins), "__builtins__", "axis"}
    for name in names:
        is_size = name.isupper() and (size_of(name) or name.startswith("N_"))
        number = SIZES.get(size_of(name, True), 3) if is_size else None
        known = usual.get(name) or usual.get(name.title()) or activation(name)
        setattr(module, name, known or number or Missing(name))
    known = {name for name in names if name in usual or activation(name)}
    failed["stand_ins"] = sorted(n for n in known if n != "numpy" and n[0] != "_")
