import numpy as np
import pytest
from gradient_proofs import assert_same
from models import every_model, random_model

import numpylm as nlm

V, D, H, T, N = 7, 4, 5, 6, 3


def reference_module(torch, model):
    """nn.Embedding -> nn.RNN / nn.LSTM / nn.GRU -> nn.Linear, with the model's weights, in float64."""
    kind, sizes = model.cell.name, model.sizes
    options = {"nonlinearity": model.cell.options["nonlinearity"]} if kind == "rnn" else {}
    recurrent = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}[kind]
    module = torch.nn.Module()
    module.embedding = torch.nn.Embedding(sizes.vocab_size, sizes.embedding_dim)
    layers = recurrent(sizes.embedding_dim, sizes.hidden_dim, sizes.num_layers, batch_first=True, **options)
    setattr(module, kind, layers)
    module.fc = torch.nn.Linear(sizes.hidden_dim, sizes.vocab_size)
    state_dict = nlm.to_torch_state_dict(model)
    module.double().load_state_dict({name: torch.from_numpy(array) for name, array in state_dict.items()})
    return module


@every_model
@pytest.mark.parametrize("num_layers", [1, 2])
def test_logits_loss_state_and_every_gradient_agree_with_pytorch(kind, num_layers):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: see requirements-dev.txt")
    model = random_model(kind, V, D, H, num_layers=num_layers)
    module = reference_module(torch, model)
    rng = np.random.default_rng(1)
    inputs, targets = rng.integers(0, V, (T, N)), rng.integers(-1, V, (T, N))
    assert (targets == -1).any()

    h, state = getattr(module, model.cell.name)(module.embedding(torch.from_numpy(inputs.T)))
    logits = module.fc(h)  # (N, T, V)
    np.testing.assert_allclose(model.forward(inputs).logits, logits.detach().transpose(0, 1), rtol=0, atol=1e-10)
    targets_of_torch = torch.from_numpy(targets.T.reshape(-1))
    loss = torch.nn.functional.cross_entropy(logits.reshape(-1, V), targets_of_torch, ignore_index=-1)
    loss.backward()

    out = model.loss_and_gradients(inputs, targets)
    assert out.loss == pytest.approx(loss.item(), abs=1e-10)
    their_state = state if model.cell.name == "lstm" else (state,)
    for ours, theirs in zip(zip(*out.state, strict=True), their_state, strict=True):
        np.testing.assert_allclose(ours, theirs.detach(), rtol=0, atol=1e-10)
    ours = as_torch_gradients(model, out.gradients)
    for name, parameter in module.named_parameters():
        np.testing.assert_allclose(ours[name], parameter.grad, rtol=0, atol=1e-10, err_msg=name)


def as_torch_gradients(model, gradients):
    """Our gradients under PyTorch's names: a state dict of them, where both of two added biases get the one's."""
    holder = model.astype(np.float64)
    for name, array in holder.parameters().items():
        array[...] = gradients[name]
    state_dict = nlm.to_torch_state_dict(holder)
    for layer in range(model.sizes.num_layers):
        bias_ih, bias_hh = (f"{model.cell.name}.bias_{which}_l{layer}" for which in ("ih", "hh"))
        shared = 2 * H if model.cell.name == "gru" else None  # the GRU's b_n and b_hn are two
        state_dict[bias_hh][:shared] = state_dict[bias_ih][:shared]
    return state_dict


@every_model
def test_weights_that_pytorch_drew_are_read(kind):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: see requirements-dev.txt")
    torch.manual_seed(0)
    model = random_model(kind, V, D, H, num_layers=2)
    module = reference_module(torch, model)
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter)  # both biases differ from zero
    nlm.load_torch_state_dict(model, module.state_dict())
    inputs = np.random.default_rng(2).integers(0, V, (T, N))
    h, _ = getattr(module, model.cell.name)(module.embedding(torch.from_numpy(inputs.T)))
    theirs = module.fc(h).detach().transpose(0, 1)
    np.testing.assert_allclose(model.forward(inputs).logits, theirs, rtol=0, atol=1e-10)


def test_names_and_shapes_are_pytorchs():
    state_dict = nlm.to_torch_state_dict(nlm.LSTMLM(V, D, H, num_layers=2))
    assert {name: array.shape for name, array in state_dict.items()} == {
        "embedding.weight": (V, D),
        "lstm.weight_ih_l0": (4 * H, D),
        "lstm.weight_hh_l0": (4 * H, H),
        "lstm.bias_ih_l0": (4 * H,),
        "lstm.bias_hh_l0": (4 * H,),
        "lstm.weight_ih_l1": (4 * H, H),
        "lstm.weight_hh_l1": (4 * H, H),
        "lstm.bias_ih_l1": (4 * H,),
        "lstm.bias_hh_l1": (4 * H,),
        "fc.weight": (V, H),
        "fc.bias": (V,),
    }
    bias = state_dict["lstm.bias_ih_l0"]
    np.testing.assert_array_equal(bias, np.repeat([0, 1, 0, 0], H))  # i, f, g, o: the forget bias is second
    np.testing.assert_array_equal(state_dict["lstm.bias_hh_l0"], 0)


def test_tied_weights():
    model = random_model("lstm", V, H, H, tie_weights=True)
    state_dict = nlm.to_torch_state_dict(model)
    np.testing.assert_array_equal(state_dict["embedding.weight"], state_dict["fc.weight"])
    nlm.load_torch_state_dict(model, state_dict)
    state_dict["fc.weight"] = state_dict["fc.weight"] + 1
    with pytest.raises(ValueError, match=r"ties its weights, but embedding.weight and fc.weight differ"):
        nlm.load_torch_state_dict(model, state_dict)


def test_what_does_not_fit_is_refused_before_anything_changes():
    model = random_model("lstm", V, D, H)
    before = {name: array.copy() for name, array in model.parameters().items()}
    good = {name: array + 1 for name, array in nlm.to_torch_state_dict(model).items()}
    missing = {name: array for name, array in good.items() if name != "fc.bias"}
    with pytest.raises(ValueError, match=r"missing: \['fc.bias'\], unknown: \[\]"):
        nlm.load_torch_state_dict(model, missing)
    with pytest.raises(ValueError, match=r"unknown: \['extra'\]"):
        nlm.load_torch_state_dict(model, {**good, "extra": np.zeros(1)})
    with pytest.raises(ValueError, match=r"lstm.weight_hh_l0 must be of shape \(20, 5\); got \(5, 20\)"):
        nlm.load_torch_state_dict(model, {**good, "lstm.weight_hh_l0": good["lstm.weight_hh_l0"].T})
    with pytest.raises(TypeError, match="the state dict must be a dict, name -> array; got NoneType"):
        nlm.load_torch_state_dict(model, None)
    assert_same(model.parameters(), before)
