"""The model of the recipe `digits` in numpylm and in PyTorch: do both learn the same?

    OMP_NUM_THREADS=1 python benchmarks/speech_in_torch.py fsdd.npz benchmarks/results/digits-torch.json

PyTorch's nn.GRU and ctc_loss start from our weights. Both get the same batches, dropout masks and learning rates, clip
at the same norm and use Adam. Rounding lets the weights drift apart: only losses and error rates can be compared.
PyTorch's second bias of r_t and z_t, which the equations lack, stays zero.
"""

import sys
from pathlib import Path

import numpy as np
import torch
from recipe_list import LARGER
from speech_recipe import SPEAKERS, TEST, joined_task, new_model, read_recordings, strings
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from numpylm.commands.run_folder import write_json
from numpylm.ctc_decoding import best_path
from numpylm.dropout import optional_masks
from numpylm.kinds.transcription_task import total_errors
from numpylm.schedules import cosine
from numpylm.stack import stack_parameters
from numpylm.torch_bridge import cell_state_dict
from numpylm.training import make_optimizer, update


class Recogniser(torch.nn.Module):
    """Bidirectional GRU layers and an affine map, with the weights of an AcousticModel."""

    def __init__(self, model):
        super().__init__()
        sizes, parameters = model.sizes, model.parameters()
        wide = [sizes.num_features] + [sizes.hidden_dim] * (sizes.num_layers - 1)
        self.layers = torch.nn.ModuleList([torch.nn.GRU(D, sizes.hidden_dim // 2, bidirectional=True) for D in wide])
        self.fc = torch.nn.Linear(sizes.hidden_dim, sizes.num_labels + 1)
        for layer, record in zip(self.layers, stack_parameters(model.stack, parameters), strict=True):
            for direction, form in zip(record.directions, ("{}_l0", "{}_l0_reverse"), strict=True):
                arrays = cell_state_dict("gru", direction, form)
                layer.load_state_dict({name: torch.from_numpy(q) for name, q in arrays.items()}, strict=False)
            for bias in (layer.bias_hh_l0, layer.bias_hh_l0_reverse):  # of r and z it stays zero
                is_n = torch.arange(len(bias)) >= 2 * len(bias) // 3
                bias.register_hook(lambda gradient, is_n=is_n: gradient * is_n)
        self.fc.weight.data.copy_(torch.from_numpy(parameters["W_hy"].T))
        self.fc.bias.data.copy_(torch.from_numpy(parameters["b_y"]))

    def forward(self, h, lengths, masks=(1, 1)):
        """log y (T, N, V + 1) of features (T, N, B); the masks, of dropout, follow the layers."""
        for layer, mask in zip(self.layers, masks, strict=True):
            packed = pack_padded_sequence(h, lengths, enforce_sorted=False)
            h = mask * pad_packed_sequence(layer(packed)[0], total_length=len(h))[0]
        return torch.log_softmax(self.fc(h), dim=2)


def torch_step(module, optimizer, batch, rng, max_norm):
    """One step of PyTorch; its loss, in nats per label."""
    sizes = [module.fc.in_features] * len(module.layers)
    features, labels, mask = batch
    masks = map(torch.from_numpy, optional_masks(rng, LARGER["dropout"], mask.shape, sizes, np.float32))
    lengths, counts = torch.tensor(mask.sum(axis=0)), torch.tensor((labels > 0).sum(axis=0))
    log_y = module(torch.from_numpy(features), lengths, masks)
    labels = torch.tensor(np.maximum(labels, 0).T)
    loss = torch.nn.functional.ctc_loss(log_y, labels, lengths, counts, reduction="sum") / counts.sum()
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(module.parameters(), max_norm)
    optimizer.step()
    return loss.item()


def train_epoch(ours, theirs, task, epoch, settings):
    """The losses of both models in each step of an epoch; ours and theirs are (model, optimizer)."""
    losses = []
    for k, batch in enumerate(task.batches(epoch, 0)):
        rate = cosine(settings.learning_rate, (epoch + k / task.num_batches) / settings.epochs)
        ours[1].learning_rate = theirs[1].param_groups[0]["lr"] = rate
        out = task.loss_and_gradients(ours[0], batch, None, np.random.default_rng([epoch, k]))
        update(*ours, out, settings.max_norm)
        losses.append((out.loss, torch_step(*theirs, batch, np.random.default_rng([epoch, k]), settings.max_norm)))
    return losses


def errors(scores, utterances):
    """Per cent of the digits that each best path has wrong; scores map features (T, 1, B) to (T, 1, V + 1)."""
    said = [one.labels for one in utterances]
    heard = [[best_path(score(one.features[:, None])[:, 0]) for one in utterances] for score in scores]
    return [round(100 * total_errors(said, found).rate, 3) for found in heard]


def main(data, results):
    """Trains both, prints a line for each epoch, and writes the JSON."""
    recordings, rows = read_recordings(data), []
    task, settings, valid = joined_task(recordings, SPEAKERS, LARGER)
    model = new_model(valid, LARGER)
    module = Recogniser(model)
    scores = lambda q: model.forward(q).logits, lambda q: module(torch.from_numpy(q), [len(q)]).detach().numpy()
    ours, theirs = (model, make_optimizer(settings)), (module, torch.optim.Adam(module.parameters()))
    for epoch in range(settings.epochs):
        losses = train_epoch(ours, theirs, task, epoch, settings)
        means = np.mean(losses, axis=0).round(4).tolist()
        rows.append({"first_losses": losses[0], "train_loss": means, "valid_error": errors(scores, valid)})
        print(f"epoch {epoch + 1}: {rows[-1]}", flush=True)
    test = errors(scores, strings(recordings, recordings.index < 5, TEST, [0, 3], LARGER))
    found = {"of_each_pair": ["numpylm", "torch"], "unit": "% of the digits wrong", "test_error": test}
    print(found)
    write_json(results, {**found, "epochs": rows})


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
