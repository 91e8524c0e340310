"""numpylm: RNN, LSTM and GRU language models in pure NumPy, with every gradient derived by hand.

    import numpylm as nlm
    model = nlm.LSTMLM(vocab_size=50, embedding_dim=16, hidden_dim=32)
    out = model.loss_and_gradients(inputs, targets)        # inputs, targets (T, N) integers

One file holds one idea: lstm.py equations (3) to (8) and their backward pass, loss.py softmax cross-entropy, and so on;
README.md maps equations to files. `python -m numpylm --help` lists the commands.
"""

from numpylm.batches import cut_streams, pad_sequences
from numpylm.checkpoint import Checkpoint, CheckpointError, load_checkpoint, save_checkpoint
from numpylm.clipping import clip_by_global_norm, clip_by_value
from numpylm.evaluation import evaluate, perplexity, surprisals
from numpylm.generation import generate, generate_stream
from numpylm.gradient_check import check_gradients
from numpylm.masking import lengths_to_mask
from numpylm.model import GRULM, LSTMLM, RNNLM
from numpylm.numerical import central_difference, complex_step
from numpylm.optimizers import SGD, Adagrad, Adam, Momentum, RMSProp
from numpylm.text import Vocabulary, build_vocabulary, decode, encode, encode_stream
from numpylm.torch_bridge import load_torch_state_dict, to_torch_state_dict
from numpylm.training import train_step

__version__ = "0.1.0"

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
    "pad_sequences",
    "perplexity",
    "save_checkpoint",
    "surprisals",
    "to_torch_state_dict",
    "train_step",
]
