"""numpylm: RNN, LSTM and GRU language models in pure NumPy, with every gradient derived by hand.

    import numpylm as nlm
    model = nlm.LSTMLM(vocab_size=50, embedding_dim=16, hidden_dim=32)
    out = model.loss_and_gradients(inputs, targets)        # inputs, targets (T, N) integers

One file holds one idea: lstm.py has equations (3) to (8) and their backward pass, loss.py softmax cross-entropy.
README.md maps equations to files. `python -m numpylm --help` lists the commands.
"""

import sys
from importlib import import_module

__version__ = "0.1.0"

PUBLIC = {  # module -> its public names; using one of them imports the module
    "clipping": ["clip_by_global_norm", "clip_by_value"],
    "data.batches": ["cut_streams", "pad_sequences"],
    "masking": ["lengths_to_mask"],
    "model": ["GRULM", "LSTMLM", "RNNLM"],
    "optimizers": ["SGD", "Adagrad", "Adam", "Momentum", "RMSProp"],
    "checkpoint": ["Checkpoint", "CheckpointError", "load_checkpoint", "save_checkpoint"],
    "evaluation": ["evaluate", "perplexity", "surprisals"],
    "generation": ["generate", "generate_batch", "generate_stream"],
    "stepping.html_page": ["show_trace"],
    "proof.gradient_check": ["check_gradients"],
    "proof.numerical": ["central_difference", "complex_step"],
    "data.text": ["Vocabulary", "build_vocabulary", "decode", "encode", "encode_stream"],
    "data.token_file": ["open_token_file"],
    "torch_bridge": ["load_torch_state_dict", "to_torch_state_dict"],
    "training": ["train_step"],
    "translation": ["EncoderDecoder"],
    "beam_search": ["continue_prompt", "translate"],
}

__all__ = sorted(name for names in PUBLIC.values() for name in names)

MOVED = {  # modules that README or notebooks once showed, which had another place then
    "answer_task": "kinds.answer_task",
    "batches": "data.batches",
    "cli": "commands.cli",
    "corpora": "data.corpora",
    "grammar": "data.grammar",
    "language_task": "kinds.language_task",
    "memory": "base.memory",
    "ngrams": "data.ngrams",
    "text": "data.text",
    "transcription_task": "kinds.transcription_task",
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
    """Tell a program that imports a module under its old name where the module is now."""

    @staticmethod
    def find_spec(fullname, path=None, target=None):
        """Python calls this if its own finders find nothing. Raises ModuleNotFoundError for a name of MOVED."""
        place = MOVED.get(fullname.removeprefix("numpylm."))
        if fullname.startswith("numpylm.") and place:
            raise ModuleNotFoundError(f"{fullname} is now numpylm.{place}", name=fullname)


sys.meta_path.append(MovedModules)
