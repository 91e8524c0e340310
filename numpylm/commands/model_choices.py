"""The choices of a recurrent model: its cell, sizes and regularisation. A kind with more choices adds fields."""

from dataclasses import dataclass

from numpylm.base import require
from numpylm.base.choices import OWN, SIZES, choice
from numpylm.dropout import KINDS
from numpylm.model import Sizes
from numpylm.rnn import NONLINEARITIES
from numpylm.stack import CELLS


@dataclass(frozen=True)
class ModelChoices:
    """Raises ValueError for a choice out of range, or of another cell."""

    model: str = choice("lstm", "the recurrent cell", choices=tuple(CELLS))
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
    nonlinearity: str | None = choice(None, "of the rnn", choices=tuple(NONLINEARITIES), shown="tanh", group=OWN)
    forget_bias: float | None = choice(None, "where the lstm's b_f starts", metavar="B", shown="1", group=OWN)

    def __post_init__(self):
        require.one_of("model", self.model, tuple(CELLS))
        if self.uniform_range is not None:
            require.positive_number("uniform_range", self.uniform_range)
        for name, cell in {"nonlinearity": "rnn", "forget_bias": "lstm"}.items():
            if getattr(self, name) is not None and self.model != cell:
                raise ValueError(f"{name} is an option of --model {cell}, not of {self.model}")
        if self.uniform_range is not None and self.forget_bias is not None:
            raise ValueError("uniform_range draws b_f too, like every parameter: leave out --forget-bias, or it")
        CELLS[self.model](**self.cell_options)
        sizes_of(self, Sizes, vocab_size=1).check()
        if self.uniform_range is None or self.model == "rnn":
            for name, value in self.cell_options.items():
                object.__setattr__(self, name, value)

    @property
    def cell_options(self):
        """The arguments of rnn_cell, lstm_cell or gru_cell."""
        if self.model == "rnn":
            return {"nonlinearity": "tanh" if self.nonlinearity is None else self.nonlinearity}
        return {"forget_bias": 1.0 if self.forget_bias is None else self.forget_bias} if self.model == "lstm" else {}


def sizes_of(choices, Sizes, **given):
    """The record of sizes and kind, such as Sizes, that the choices name; given is what they do not."""
    named = vars(choices) | {"cell": choices.model} | given
    return Sizes(**{name: named[name] for name in Sizes._fields})


def constructor_arguments(choices):
    """The arguments of RNNLM, LSTMLM or GRULM that the choices name. The vocabulary's size and the seed are missing."""
    sizes = sizes_of(choices, Sizes, vocab_size=None)._asdict()
    del sizes["vocab_size"]
    return sizes | choices.cell_options
