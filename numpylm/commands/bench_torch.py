"""The same training step in PyTorch: its nn.RNN, nn.LSTM or nn.GRU, clip_grad_norm_ and optim.SGD, on one thread."""

import torch
from torch import nn

from numpylm.commands.bench_implementations import MAX_NORM, Step
from numpylm.torch_bridge import to_torch_state_dict

torch.set_num_threads(1)
LAYERS = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}


class TorchLanguageModel(nn.Module):
    """Embedding, one recurrent layer (an attribute rnn, lstm or gru) and fc; time comes first: tokens are (T, N)."""

    def __init__(self, model):
        super().__init__()
        V, D, H = model.sizes[:3]
        self.embedding = nn.Embedding(V, D)
        self.cell_name = model.cell.name
        self.add_module(self.cell_name, LAYERS[self.cell_name](D, H))
        self.fc = nn.Linear(H, V)
        self.load_state_dict({name: torch.from_numpy(array) for name, array in to_torch_state_dict(model).items()})

    def forward(self, tokens, state=None):
        """(logits (T, N, V), state)"""
        h, state = self.get_submodule(self.cell_name)(self.embedding(tokens), state)
        return self.fc(h), state


def torch_step(model, batch, learning_rate):
    """PyTorch's training step; the tokens are tensors before the clock starts."""
    network = TorchLanguageModel(model)
    parameters = list(network.parameters())
    optimizer = torch.optim.SGD(parameters, lr=learning_rate)
    inputs, targets = torch.from_numpy(batch.inputs), torch.from_numpy(batch.targets).reshape(-1)

    def run():
        optimizer.zero_grad()
        logits, _ = network(inputs)
        loss = nn.functional.cross_entropy(logits.reshape(len(targets), -1), targets)
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, MAX_NORM)
        optimizer.step()
        return loss.item()

    return Step(run, lambda: {name: tensor.numpy().copy() for name, tensor in network.state_dict().items()})
