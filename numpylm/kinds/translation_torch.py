"""The encoder-decoder as a PyTorch module. This file needs torch alone: copy it, and load what `export` has written.

network = Translator(**config)                      # the config beside the exported weights
network.load_state_dict(torch.load("weights.pt"))
logits = network(source, lengths, inputs)           # (T_x, N), (N,), (T_y, N) -> (T_y, N, V_y)
"""

import torch
from torch import nn

LAYERS = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}


class Translator(nn.Module):
    """Time comes first. The equations are those of numpylm's attention.py and translation.py."""

    def __init__(
        self, source_vocab_size, target_vocab_size, embedding_dim, hidden_dim, num_layers=1, cell="lstm",
        attention="dot", bidirectional=True, dropout=0.0, tie_weights=False,
    ):  # fmt: skip
        super().__init__()
        D, H = embedding_dim, hidden_dim
        self.attention, self.dropout = attention, nn.Dropout(dropout)
        between = dropout if num_layers > 1 else 0.0
        self.source_embedding = nn.Embedding(source_vocab_size, D)
        self.target_embedding = nn.Embedding(target_vocab_size, D)
        units = H // 2 if bidirectional else H
        self.encoder = LAYERS[cell](D, units, num_layers, bidirectional=bidirectional, dropout=between)
        self.decoder = LAYERS[cell](D, H, num_layers, dropout=between)
        if attention == "additive":
            self.score_state = nn.Linear(H, H, bias=False)
            self.score_source = nn.Linear(H, H)
            self.score = nn.Linear(H, 1, bias=False)
        if attention != "none":
            self.from_context = nn.Linear(H, D)
            self.from_state = nn.Linear(H, D, bias=False)
        self.fc = nn.Linear(H if attention == "none" else D, target_vocab_size)
        if tie_weights:
            self.fc.weight = self.target_embedding.weight

    def forward(self, source, lengths, inputs):
        """logits (T_y, N, V_y) for source (T_x, N), its sentences' lengths (N,) on the CPU, and inputs (T_y, N)."""
        x = nn.utils.rnn.pack_padded_sequence(
            self.dropout(self.source_embedding(source)), lengths, enforce_sorted=False
        )
        packed_h, state = self.encoder(x)
        h, _ = nn.utils.rnn.pad_packed_sequence(packed_h)  # (T_x, N, H)
        s_0 = tuple(map(self.joined, state)) if isinstance(state, tuple) else self.joined(state)
        s, _ = self.decoder(self.dropout(self.target_embedding(inputs)), s_0)  # (T_y, N, H)
        return self.fc(self.dropout(s if self.attention == "none" else self.attend(s, h, lengths)))

    def joined(self, state):
        """A part of the decoder's first state: of each layer, the two directions' last states side by side."""
        return torch.cat((state[0::2], state[1::2]), dim=-1) if self.encoder.bidirectional else state

    def attend(self, s, h, lengths):
        """s̃ (T_y, N, D) of equation (22)."""
        s, h = s.transpose(0, 1), h.transpose(0, 1)  # (N, T_y, H), (N, T_x, H)
        if self.attention == "dot":
            e = s @ h.transpose(1, 2)  # (17)
        else:
            e = self.score(torch.tanh(self.score_state(s)[:, :, None] + self.score_source(h)[:, None]))[..., 0]  # (18)
        padding = torch.arange(h.shape[1]) >= lengths[:, None]  # (N, T_x)
        alpha = e.masked_fill(padding[:, None], float("-inf")).softmax(dim=-1)  # (19)
        ctx = alpha @ h  # (20)
        return torch.tanh(self.from_context(ctx) + self.from_state(s)).transpose(0, 1)  # (22)
