"""numpylm: RNN, LSTM and GRU language models in pure NumPy, with every gradient derived by hand.

    import numpylm as nlm
    model = nlm.LSTMLM(vocab_size=50, embedding_dim=16, hidden_dim=32)
    out = model.loss_and_gradients(inputs, targets)        # inputs, targets (T, N) integers

One file holds one idea: lstm.py equations (3) to (8) and their backward pass, loss.py softmax cross-entropy, and so on;
README.md maps equations to files. `python -m numpylm --help` lists the commands.
"""

import sys
from importlib import import_module
from pathlib import PurePath

RUN_AS_PROGRAM = PurePath((sys.argv or [""])[0]).stem in ("-m", "numpylm")  # then a command imports what it needs

if not RUN_AS_PROGRAM:
    from numpylm.clipping import clip_by_global_norm, clip_by_value
    from numpylm.data.batches import cut_streams, pad_sequences
    from numpylm.masking import lengths_to_mask
    from numpylm.model import GRULM, LSTMLM, RNNLM
    from numpylm.optimizers import SGD, Adagrad, Adam, Momentum, RMSProp

__version__ = "0.1.0"

PUBLIC = {  # module -> its public names; each module is imported when one of its names is first used
    "clipping": ["clip_by_global_norm", "clip_by_value"],
    "data.batches": ["cut_streams", "pad_sequences"],
    "masking": ["lengths_to_mask"],
    "model": ["GRULM", "LSTMLM", "RNNLM"],
    "optimizers": ["SGD", "Adagrad", "Adam", "Momentum", "RMSProp"],
    "checkpoint": ["Checkpoint", "CheckpointError", "load_checkpoint", "save_checkpoint"],
    "evaluation": ["evaluate", "perplexity", "surprisals"],
    "generation": ["generate", "generate_stream"],
    "proof.gradient_check": ["check_gradients"],
    "proof.numerical": ["central_difference", "complex_step"],
    "data.text": ["Vocabulary", "build_vocabulary", "decode", "encode", "encode_stream"],
    "data.token_file": ["open_token_file"],
    "torch_bridge": ["load_torch_state_dict", "to_torch_state_dict"],
    "training": ["train_step"],
}

__all__ = [
    "GRULM",
    "LSTMLM",
    "RNNLM",
    "SGD",
    "Adagrad",
    "Adam",
    "Checkpoint",
    "CheckpointError",
    "Momentum",
    "RMSProp",
    "Vocabulary",
    "build_vocabulary",
    "central_difference",
    "check_gradients",
    "clip_by_global_norm",
    "clip_by_value",
    "complex_step",
    "cut_streams",
    "decode",
    "encode",
    "encode_stream",
    "evaluate",
    "generate",
    "generate_stream",
    "lengths_to_mask",
    "load_checkpoint",
    "load_torch_state_dict",
    "open_token_file",
    "pad_sequences",
    "perplexity",
    "save_checkpoint",
    "surprisals",
    "to_torch_state_dict",
    "train_step",
]


MOVED = {  # modules that had another place in older versions
    "batches": "data.batches",
    "cli": "commands.cli",
    "corpora": "data.corpora",
    "grammar": "data.grammar",
    "ngrams": "data.ngrams",
    "tasks": "data.tasks",
    "text": "data.text",
    "token_file": "data.token_file",
}


def __getattr__(name):
    """Import a public name, or a submodule such as numpylm.lstm, when it is first used (PEP 562)."""
    for module, names in PUBLIC.items():
        if name in names:
            return getattr(import_module(f"numpylm.{module}"), name)
    try:
        return import_module(f"numpylm.{MOVED.get(name, name)}")
    except ModuleNotFoundError:
        raise AttributeError(f"module 'numpylm' has no attribute {name!r}") from None


def __dir__():
    return sorted([*globals(), *__all__])


class MovedModules:
    """Says where a module of an older version is now, when somebody imports it under its old name."""

    @staticmethod
    def find_spec(fullname, path=None, target=None):
        """Python asks this after its own finders. Raises ModuleNotFoundError for a name of MOVED."""
        place = MOVED.get(fullname.removeprefix("numpylm."))
        if fullname.startswith("numpylm.") and place:
            raise ModuleNotFoundError(f"{fullname} is now numpylm.{place}", name=fullname)


sys.meta_path.append(MovedModules)
