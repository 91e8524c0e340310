"""The choices of a recurrent model: its cell, sizes and regularisation. A kind with more choices adds fields."""

from dataclasses import dataclass

from numpylm import require
from numpylm.choices import OWN, SIZES, choice
from numpylm.dropout import KINDS


@dataclass(frozen=True)
class ModelChoices:
    """Raises ValueError for a choice out of range, or of another cell."""

    model: str = choice("lstm", "the recurrent cell", choices=("rnn", "lstm", "gru"))
    embedding_dim: int = choice(64, "of each token's vector", "-D", metavar="D", group=SIZES)
    hidden_dim: int = choice(128, "of the recurrent state", "-H", metavar="H", group=SIZES)
    num_layers: int = choice(1, "recurrent layers", "-L", metavar="L", group=SIZES)
    dropout: float = choice(0.0, "probability that a value is dropped", metavar="P", group=OWN)
    dropout_kind: str = choice(
        "standard", "standard: new masks at each step; variational: the same for all steps of a batch",
        choices=KINDS, metavar="KIND", group=OWN,
    )  # fmt: skip
    tie_weights: bool = choice(False, "W_hy is the transpose of E; needs D = H", group=OWN)
    uniform_range: float | None = choice(
        None, "every parameter, biases too, starts uniform in plus or minus R", metavar="R",
        shown="by its kind: initialization.py", group=OWN,
    )  # fmt: skip
    nonlinearity: str | None = choice(None, "of the rnn", choices=("tanh", "relu"), shown="tanh", group=OWN)
    forget_bias: float | None = choice(None, "where the lstm's b_f starts", metavar="B", shown="1", group=OWN)

    def __post_init__(self):
        require.one_of("model", self.model, ("rnn", "lstm", "gru"))
        require.positive_integers(self, "embedding_dim", "hidden_dim", "num_layers")
        require.fraction("dropout", self.dropout)
        require.one_of("dropout_kind", self.dropout_kind, KINDS)
        require.boolean("tie_weights", self.tie_weights)
        if self.uniform_range is not None:
            require.positive_number("uniform_range", self.uniform_range)
        self._check_own()
        if self.model == "rnn" and self.nonlinearity is None:
            object.__setattr__(self, "nonlinearity", "tanh")
        if self.model == "lstm" and self.forget_bias is None and self.uniform_range is None:
            object.__setattr__(self, "forget_bias", 1.0)

    def _check_own(self):
        """Raises ValueError for a choice that only another cell has, or that uniform_range makes void."""
        if self.nonlinearity is not None:
            require.one_of("nonlinearity", self.nonlinearity, ("tanh", "relu"))
            if self.model != "rnn":
                raise ValueError(f"nonlinearity is an option of --model rnn, not of {self.model}")
        if self.forget_bias is not None:
            require.finite_number("forget_bias", self.forget_bias)
            if self.model != "lstm":
                raise ValueError(f"forget_bias is an option of --model lstm, not of {self.model}")
            if self.uniform_range is not None:
                raise ValueError("uniform_range draws b_f too, like every parameter: leave out --forget-bias, or it")


def sizes_of(choices, Sizes, **given):
    """The record of sizes and kind, such as Sizes, that the choices name; given is what they do not."""
    named = vars(choices) | {"cell": choices.model} | given
    return Sizes(**{name: named[name] for name in Sizes._fields})


def constructor_arguments(choices):
    """The arguments of RNNLM, LSTMLM or GRULM that the choices name. The vocabulary's size and the seed are missing."""
    names = ("embedding_dim", "hidden_dim", "num_layers", "dropout", "dropout_kind", "tie_weights")
    own = {
        "rnn": {"nonlinearity": choices.nonlinearity},
        "lstm": {"forget_bias": 1.0 if choices.forget_bias is None else choices.forget_bias},
        "gru": {},
    }
    return {name: getattr(choices, name) for name in names} | own[choices.model]
