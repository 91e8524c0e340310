"""Checks of arguments: each returns its argument ready for use, or says what was given and what was expected.

T time steps · N sequences in a batch · H hidden size · V vocabulary size
"""

import math
import reprlib

import numpy as np

MAX_LAYERS = 1000


def expect(name, value, fits, expected):
    """value, if it fits. Raises ValueError that says what was expected, and what was given."""
    if not fits:
        raise ValueError(f"{name} must be {expected}; got {reprlib.repr(value)}")  # shortened, if it is long
    return value


def instance(name, value, kinds, expected):
    """value, if it is of one of these kinds. Raises TypeError that says what was expected, and what was given."""
    if not isinstance(value, kinds):
        raise TypeError(f"{name} must be {expected}; got {described(value)}")
    return value


def described(given):
    """A value of the wrong kind in a few words: its type, and a sequence's length."""
    return f"{type(given).__name__} of {len(given)}" if isinstance(given, tuple | list) else type(given).__name__


def is_integer(value):
    """Whether value is an integer: Python's or NumPy's, but neither True nor False."""
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def is_number(value):
    """Whether value is a real number: Python's or NumPy's, but neither True nor False."""
    return is_integer(value) or isinstance(value, float | np.floating)


def is_finite_number(value):
    """Whether value is a number that a float can hold: no infinity, no NaN, and no integer of a thousand digits."""
    try:
        return is_number(value) and math.isfinite(value)
    except OverflowError:
        return False


def must_be(expected, fits):
    """A check: a function (name, value) that returns the value if it fits, and raises ValueError if not."""
    return lambda name, value: expect(name, value, fits(value), expected)


positive_integer = must_be("a positive integer", lambda value: is_integer(value) and value >= 1)
depth = must_be(  # how many layers or hops
    f"a positive integer, {MAX_LAYERS} or less", lambda value: is_integer(value) and 1 <= value <= MAX_LAYERS
)
count = must_be("an integer, 0 or above", lambda value: is_integer(value) and value >= 0)
finite_number = must_be("a finite number", is_finite_number)
positive_number = must_be("a finite number above 0", lambda value: is_finite_number(value) and value > 0)
non_negative_number = must_be("a finite number, 0 or above", lambda value: is_finite_number(value) and value >= 0)
fraction = must_be("a number from 0 to below 1", lambda value: is_number(value) and 0 <= value < 1)
boolean = must_be("True or False", lambda value: isinstance(value, bool | np.bool_))


def positive_integers(record, *names):
    """Raise ValueError unless each of these fields of a record is a positive integer."""
    for name in names:
        positive_integer(name, getattr(record, name))


def one_of(name, value, choices):
    """value, if it is one of the choices."""
    return expect(name, value, isinstance(value, str) and value in choices, f"one of {', '.join(choices)}")


def float_dtype(dtype):
    """dtype as a numpy.dtype, if it is float32, float64 or complex128: what a checkpoint can hold."""
    dtype = np.dtype(dtype)
    if dtype not in (np.float32, np.float64, np.complex128):
        raise ValueError(f"dtype must be float32 to train, float64 or complex128 to check gradients; got {dtype}")
    return dtype


def model(given, attribute="parameters", kind="a model such as nlm.LSTMLM(50, 16, 32)"):
    """given, if it has the attribute that the models of a kind have: no path of a run, no Checkpoint, no class."""
    if isinstance(given, type) or not hasattr(given, attribute):
        raise TypeError(f"model must be {kind}; got {described(given)}")
    return given


def language_model(given):
    """given, if it is a language model."""
    return model(given, "layer_parameters", "a language model such as nlm.LSTMLM(50, 16, 32)")


def token(name, value, vocab_size):
    """value, if it is the id of a token, in 0..V-1."""
    return expect(name, value, is_integer(value) and 0 <= value < vocab_size, f"a token id in 0..{vocab_size - 1}")


def sequence(name, values):
    """values as a list, if they are a list, a tuple or an array of one dimension or more."""
    if not isinstance(values, list | tuple | np.ndarray) or getattr(values, "ndim", 1) == 0:
        raise TypeError(f"{name} must be a list; got {described(values)}")
    return list(array(name, values) if isinstance(values, np.ndarray) else values)


def generator(rng):
    """rng, if it is None or a numpy.random.Generator."""
    return instance("rng", rng, np.random.Generator | None, "a numpy.random.Generator or None")


def array(name, values):
    """values as an array. A masked array is refused: its mask would be lost."""
    if isinstance(values, np.ma.MaskedArray):
        raise TypeError(f"{name} must be a plain array; got a masked array, whose mask would be ignored")
    return np.asarray(values)


def named_arrays(name, values):
    """values, if they are a dict of NumPy arrays, such as model.parameters() or out.gradients."""
    for key, value in instance(name, values, dict, "a dict, name -> array").items():
        array(f"{name}[{key!r}]", instance(f"{name}[{key!r}]", value, np.ndarray | np.generic, "a NumPy array"))
    return values


def integer_array(name, values):
    """values as an array of integers; floats are refused, even whole ones."""
    values = array(name, values)
    if values.dtype.kind not in "iu":
        raise TypeError(f"{name} must be integers; got an array of {values.dtype}")
    return values


def one_dimensional(name, values):
    """values, if they are an array of one dimension."""
    if values.ndim != 1:
        raise ValueError(f"{name} must be of shape (number of tokens,); got shape {values.shape}")
    return values


def tokens(values, vocab_size, ndim=2, expected="of shape (T, N), time first, with T, N >= 1"):
    """Token ids (T, N) in 0..V-1."""
    values = integer_array("tokens", values)
    if values.ndim != ndim or values.size == 0:
        raise ValueError(f"tokens must be {expected}; got shape {values.shape}")
    return in_range("tokens", values, 0, vocab_size)


def token_stream(values, vocab_size):
    """A stream of at least one token id in 0..V-1, one-dimensional."""
    return tokens(values, vocab_size, 1, "a stream of shape (number of tokens,), not empty")


def targets(values, shape, vocab_size):
    """Targets (T, N) in -1..V-1, where -1 means: not predicted."""
    values = integer_array("targets", values)
    if values.shape != shape:
        raise ValueError(f"targets must have the shape of the inputs, (T, N) = {shape}; got {values.shape}")
    return in_range("targets", values, -1, vocab_size)


def in_range(name, values, lowest, vocab_size):
    """values, if all lie in lowest..V-1."""
    if values.min() < lowest or values.max() >= vocab_size:
        raise ValueError(
            f"{name} must lie in {lowest}..{vocab_size - 1} for a vocabulary of V = {vocab_size}; "
            f"got values in {values.min()}..{values.max()}"
        )
    return values


def story_and_question(story, question, vocab_size):
    """story (I, N, J) and question (N, J) as arrays. Raises ValueError or TypeError for words outside -1..V-1, an empty
    story or question, and padding that does not come last."""
    story, question = integer_array("story", story), integer_array("question", question)
    if story.ndim != 3 or question.ndim != 2 or story.shape[1] != len(question) or not story.size:
        shapes = f"got {story.shape} and {question.shape}"
        raise ValueError(f"story must be of shape (I, N, J), sentences, stories, words, and question (N, J); {shapes}")
    real = in_range("story", story, -1, vocab_size) >= 0
    asked = in_range("question", question, -1, vocab_size) >= 0
    gaps = any((words[..., 1:] > words[..., :-1]).any() for words in (real, asked, real[..., 0].T))
    if gaps or not real[0, :, 0].all() or not asked[:, 0].all():
        raise ValueError("each story needs a sentence, each question a word, and padding, -1, must come after them")
    return story, question


def mask(values, shape):
    """A mask (T, N) of booleans, or None."""
    if values is None:
        return None
    values = array("mask", values)
    if values.dtype != bool or values.shape != shape:
        raise ValueError(
            f"mask must be booleans of the tokens' shape (T, N) = {shape}; got {values.dtype} {values.shape}"
        )
    return values


def state(given, expected):
    """A state of the kind, shapes and dtype of expected (the zeros of initial_state)."""
    if not isinstance(given, tuple) or len(given) != len(expected):
        raise ValueError(
            f"state must be a tuple of L = {len(expected)} layers' states, as out.state is; got {described(given)}"
        )
    return tuple(layer_state(layer, *pair) for layer, pair in enumerate(zip(given, expected, strict=True)))


def layer_state(layer, given, expected):
    """One layer's state: the arrays of expected's names, each (N, H)."""
    if type(given) is not type(expected):
        raise ValueError(f"state[{layer}] must be a {type(expected).__name__}; got a {type(given).__name__}")
    for name, values, zeros in zip(expected._fields, given, expected, strict=True):
        values = array(f"state[{layer}].{name}", values)
        if values.shape != zeros.shape:
            raise ValueError(f"state[{layer}].{name} must be of shape (N, H) = {zeros.shape}; got {values.shape}")
        if not np.can_cast(values.dtype, zeros.dtype):
            raise ValueError(f"state[{layer}].{name} must be of the model's dtype {zeros.dtype}; got {values.dtype}")
    return type(expected)(*[np.asarray(values, zeros.dtype) for values, zeros in zip(given, expected, strict=True)])
