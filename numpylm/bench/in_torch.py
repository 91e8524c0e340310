"""The same language model in PyTorch: nn.RNN, nn.LSTM or nn.GRU, clip_grad_norm_ and optim.SGD. Sampling uses the
operators of single cells, which are faster there than the modules. Only imported where torch is installed."""

import os

import torch
from torch import nn

from numpylm.bench.in_numpylm import MAX_NORM, stream_reader
from numpylm.kinds.translation_torch import Translator
from numpylm.torch_bridge import to_torch_state_dict

torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS") or "1"))

LAYERS = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}
OPERATORS = {"rnn": torch.rnn_tanh_cell, "lstm": torch.lstm_cell, "gru": torch.gru_cell}


class TorchLanguageModel(nn.Module):
    """Embedding, recurrent layers (the attribute rnn, lstm or gru) and fc; time comes first: tokens are (T, N)."""

    def __init__(self, model):
        super().__init__()
        V, D, H, L = model.sizes[:4]
        self.kind = model.cell.name
        self.embedding = nn.Embedding(V, D)
        self.add_module(self.kind, LAYERS[self.kind](D, H, L))
        self.fc = nn.Linear(H, V)
        self.load_state_dict({name: torch.from_numpy(array) for name, array in to_torch_state_dict(model).items()})

    def forward(self, tokens, state=None):
        """(logits (T, N, V), state)"""
        h, state = self.get_submodule(self.kind)(self.embedding(tokens), state)
        return self.fc(h), state


def train(model, batch, learning_rate):
    """A training step. The tokens are tensors before the clock starts."""
    network = TorchLanguageModel(model)
    inputs, targets = map(torch.tensor, batch)
    return step(network, lambda: network(inputs)[0], targets.flatten(), learning_rate)


def step(network, logits, targets, learning_rate):
    """A function that trains a step, from the logits (T, N, V) that a function returns."""
    parameters = list(network.parameters())
    optimizer = torch.optim.SGD(parameters, lr=learning_rate)

    def run():
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(logits().flatten(0, 1), targets)
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, MAX_NORM)
        optimizer.step()
        return loss.item()

    return run


def sample(model, num_tokens, greedy=False):
    """Generation of one sequence; the tokens stay tensors until the end."""
    network = TorchLanguageModel(model).requires_grad_(False)
    layer = network.get_submodule(network.kind)
    weights = (layer.weight_ih_l0, layer.weight_hh_l0, layer.bias_ih_l0, layer.bias_hh_l0)
    operator, E, fc = OPERATORS[network.kind], network.embedding.weight, network.fc
    zeros = torch.zeros(1, layer.hidden_size)
    torch.manual_seed(0)

    @torch.inference_mode()
    def run():
        state = (zeros, zeros) if network.kind == "lstm" else zeros
        token, tokens = torch.zeros(1, dtype=torch.long), []
        for _ in range(num_tokens):
            state = operator(E.index_select(0, token), state, *weights)
            h = state[0] if network.kind == "lstm" else state
            logits = torch.addmm(fc.bias, h, fc.weight.t())
            token = logits.argmax(dim=1) if greedy else draw(logits.softmax(dim=1))
            tokens.append(token)
        return torch.cat(tokens).tolist()

    return run


def draw(y):
    """A token from the probabilities y (1, V). Like torch.multinomial, in fewer operations: of exponential waiting
    times with the rates y, the shortest one wins."""
    return (y / torch.empty_like(y).exponential_()).argmax(dim=1)


def evaluate(model, tokens, batch_size):
    """Evaluation of a stream."""
    network = TorchLanguageModel(model)

    @torch.inference_mode()
    def loss_of(inputs, targets, state):
        logits, state = network(inputs, state)
        return nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten()), state

    return stream_reader(model, tokens, batch_size, torch.tensor, loss_of, None)


def ctc(logits, labels):
    """CTC's loss and its gradient, by torch.nn.functional.ctc_loss."""
    logits, targets = torch.tensor(logits, requires_grad=True), torch.tensor(labels.T.copy())
    T, N, _ = logits.shape
    lengths = torch.full((N,), T), torch.full((N,), len(labels))

    def run():
        logits.grad = None
        summed = nn.functional.ctc_loss(logits.log_softmax(dim=2), targets, *lengths, reduction="sum")
        loss = summed / labels.size
        loss.backward()
        return loss.item(), logits.grad.numpy()

    return run


def translate(model, batch, learning_rate):
    """A training step of a Translator with copies of an encoder-decoder's weights. All sources have the same length."""
    network = Translator(**model.config)
    network.load_state_dict({name: torch.tensor(array) for name, array in to_torch_state_dict(model).items()})
    source, inputs, targets = (torch.tensor(tokens) for tokens in batch)
    lengths = torch.full((source.shape[1],), len(source))
    return step(network, lambda: network(source, lengths, inputs), targets.flatten(), learning_rate)
