"""info and export: what a checkpoint holds, and its weights in PyTorch's hands."""

import re
import sys

import numpy as np
import pytest
from processes import run_numpylm

import numpylm as nlm
from numpylm.commands.cli import main

TEXT = "the cat sees the dog .\nthe dog sees the cat .\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with checkpoints of several models."""
    folder = tmp_path_factory.mktemp("checkpoints")
    words, chars = nlm.build_vocabulary(TEXT, "word"), nlm.build_vocabulary(TEXT, "char")
    nlm.save_checkpoint(folder / "lstm.npz", nlm.LSTMLM(len(words), 5, 5, num_layers=2, tie_weights=True), words)
    nlm.save_checkpoint(folder / "rnn.npz", nlm.RNNLM(len(chars), 3, 4, nonlinearity="relu"), chars)
    nlm.save_checkpoint(folder / "gru.npz", nlm.GRULM(len(words), 3, 4), words)
    nlm.save_checkpoint(folder / "bare.npz", nlm.GRULM(9, 3, 4))
    return folder


def refused(capsys, *arguments):
    """The one line on standard error with which main refused."""
    assert main(list(map(str, arguments))) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.startswith(f"numpylm {arguments[0]}: error: ") and err.count("\n") == 1
    return err


def test_info_lists_sizes_parameters_and_vocabulary_as_a_process(folder):
    status, out, err = run_numpylm("info", "lstm.npz", folder=folder)
    assert (status, err) == (0, "")
    assert out.startswith("lstm.npz: LSTM language model, float32\n")
    parameters = nlm.load_checkpoint(folder / "lstm.npz").model.parameters()
    for name, array in parameters.items():
        assert re.search(rf"^  {re.escape(name)} +{re.escape(str(array.shape))} +{array.size}$", out, re.MULTILINE)
    assert re.search(rf"together +{sum(array.size for array in parameters.values())}\n", out)
    assert "  8 words, the most frequent first\n  <unk> <eos> the . cat dog sees\n".replace("8", "7") in out
    assert "training" not in out and max(map(len, out.splitlines())) < 80


def test_info_of_characters_shows_what_cannot_be_seen(folder, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "30")
    assert main(["info", str(folder / "rnn.npz")]) == 0
    out = capsys.readouterr().out
    assert "nonlinearity    relu\n" in out
    vocabulary = out.splitlines()[-1]
    assert vocabulary.startswith("  <unk> ' ' e t ") and vocabulary.endswith("…") and len(vocabulary) < 30


def test_info_of_a_run_tells_how_far_it_is(tmp_path, capsys):
    model, vocabulary = nlm.GRULM(7, 3, 4), nlm.build_vocabulary(TEXT, "word")
    fields = {"step": 12, "epoch": 6, "valid_losses": [3.0, 2.5, 2.0, 1.5, 1.25, 1.0]}
    nlm.save_checkpoint(tmp_path / "last.npz", model, vocabulary, nlm.checkpoint.TrainingRecord({}, fields))
    for _ in range(2):
        assert main(["info", str(tmp_path)]) == 0
        out = capsys.readouterr().out
        assert "step 12, 6 whole epochs\n  validation losses: … 2.5000, 2.0000, 1.5000, 1.2500, 1.0000\n" in out
        nlm.save_checkpoint(tmp_path / "best.npz", model, vocabulary)
    assert out.startswith(str(tmp_path / "best.npz"))


def test_info_of_a_model_alone(folder, capsys):
    assert main(["info", str(folder / "bare.npz")]) == 0
    out = capsys.readouterr().out
    assert "vocabulary" not in out and "training" not in out and "hidden_dim      4" in out


def test_export_writes_what_the_bridge_gives_as_a_process(folder):
    status, out, err = run_numpylm("export", "gru.npz", "--to", "weights.npz", folder=folder)
    assert (status, err) == (0, "")
    assert "wrote 7 arrays to weights.npz" in out and "gru = nn.GRU(3, 4)\n" in out
    expected = nlm.to_torch_state_dict(nlm.load_checkpoint(folder / "gru.npz").model)
    with np.load(folder / "weights.npz") as written:
        assert list(written) == list(expected)
        for name, array in expected.items():
            np.testing.assert_array_equal(written[name], array)


@pytest.mark.parametrize("kind", ["rnn", "lstm", "gru"])
@pytest.mark.parametrize("suffix", [".npz", ".pt"])
def test_the_lines_that_export_prints_load_the_weights_into_pytorch(folder, tmp_path, capsys, kind, suffix):
    torch = pytest.importorskip("torch")
    target = tmp_path / f"weights{suffix}"
    assert main(["export", str(folder / f"{kind}.npz"), "--to", str(target)]) == 0
    out = capsys.readouterr().out
    module = torch.nn.Module()
    for line in re.findall(r"^  (\w+ = nn\..*)$", out, re.MULTILINE):
        name, _, call = line.partition(" = ")
        setattr(module, name, eval(call, {"nn": torch.nn}))
    (loading,) = re.findall(r"^  (module\.load_state_dict.*)$", out, re.MULTILINE)
    eval(loading, {"torch": torch, "np": np, "module": module})
    tokens = np.arange(6).reshape(6, 1) % 5
    expected = nlm.load_checkpoint(folder / f"{kind}.npz").model.forward(tokens).logits
    hidden, _ = getattr(module, kind)(module.embedding(torch.from_numpy(tokens)))
    np.testing.assert_allclose(module.fc(hidden).detach().numpy(), expected, rtol=1e-4, atol=1e-6)


def test_export_never_writes_over_a_file_and_needs_a_known_suffix(folder, tmp_path, capsys):
    target = tmp_path / "weights.npz"
    target.write_text("precious")
    assert "exists already" in refused(capsys, "export", folder / "gru.npz", "--to", target)
    assert target.read_text() == "precious"
    assert "must end in .npz or .pt" in refused(capsys, "export", folder / "gru.npz", "--to", tmp_path / "weights.txt")
    assert "there is no folder" in refused(capsys, "export", folder / "gru.npz", "--to", tmp_path / "no" / "w.pt")
    assert "no run or checkpoint" in refused(capsys, "export", tmp_path / "none.npz", "--to", tmp_path / "w.npz")
    assert "not a numpylm checkpoint" in refused(capsys, "export", target, "--to", tmp_path / "w.npz")
    assert list(tmp_path.iterdir()) == [target]


def test_without_pytorch_a_pt_file_is_refused(folder, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    assert "needs PyTorch" in refused(capsys, "export", folder / "gru.npz", "--to", tmp_path / "weights.pt")


def test_info_refuses_what_is_no_checkpoint(tmp_path, capsys):
    (tmp_path / "text.npz").write_text("text")
    np.savez(tmp_path / "foreign.npz", a=np.zeros(3))
    assert "not an .npz file" in refused(capsys, "info", tmp_path / "text.npz")
    assert "not a numpylm checkpoint" in refused(capsys, "info", tmp_path / "foreign.npz")
    assert "there is no run" in refused(capsys, "info", tmp_path / "nowhere")
    assert "neither best.npz nor last.npz" in refused(capsys, "info", tmp_path)
