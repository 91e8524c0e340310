"""info and export: what a checkpoint holds, and its weights in PyTorch's hands."""

import re
import sys

import numpy as np
import pytest
from processes import run_numpylm
from run_examples import start, train, write_corpus

import numpylm as nlm

TEXT = "the cat sees the dog .\nthe dog sees the cat .\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with checkpoints of several models."""
    folder = tmp_path_factory.mktemp("checkpoints")
    words, chars = nlm.build_vocabulary(TEXT, "word"), nlm.build_vocabulary(TEXT + "\x1b", "char")
    nlm.save_checkpoint(folder / "lstm.npz", nlm.LSTMLM(len(words), 5, 5, num_layers=2, tie_weights=True), words)
    nlm.save_checkpoint(folder / "rnn.npz", nlm.RNNLM(len(chars), 3, 4, nonlinearity="relu"), chars)
    nlm.save_checkpoint(folder / "gru.npz", nlm.GRULM(len(words), 3, 4), words)
    nlm.save_checkpoint(folder / "bare.npz", nlm.GRULM(9, 3, 4))
    (folder / "text.npz").write_text("text")
    np.savez(folder / "foreign.npz", a=np.zeros(3))
    return folder


def test_info_lists_sizes_parameters_and_vocabulary_as_a_process(folder):
    status, out, err = run_numpylm("info", "lstm.npz", folder=folder)
    assert (status, err) == (0, "")
    assert out.startswith("lstm.npz: LSTM language model, float32\n")
    parameters = nlm.load_checkpoint(folder / "lstm.npz").model.parameters()
    for name, array in parameters.items():
        assert re.search(rf"^  {re.escape(name)} +{re.escape(str(array.shape))} +{array.size}$", out, re.MULTILINE)
    assert re.search(rf"together +{sum(array.size for array in parameters.values())}\n", out)
    assert "  7 words, in the order of their ids\n  <unk> <eos> the . cat dog sees\n" in out
    assert "training" not in out and max(map(len, out.splitlines())) < 80


def test_info_of_characters_shows_what_cannot_be_seen_and_sends_no_control_character(call, monkeypatch):
    assert r"'\x1b'" in call("info", "rnn.npz")[1]
    monkeypatch.setenv("COLUMNS", "30")
    status, out, _ = call("info", "rnn.npz")
    assert status == 0 and "nonlinearity      relu\n" in out and "\x1b" not in out
    vocabulary = out.splitlines()[-1]
    assert vocabulary.startswith("  <unk> ' ' e t ") and vocabulary.endswith("…") and len(vocabulary) < 30


def test_info_of_a_run_tells_how_far_it_is_and_of_a_model_alone_nothing_more(tmp_path, call, monkeypatch):
    run = start(tmp_path / "run", write_corpus(tmp_path), epochs=6)
    assert "step 0, 0 whole epochs\n  validation losses: none yet\n" in call("info", run.folder)[1]
    assert train(run)
    out = call("info", run.folder)[1]
    losses = ", ".join(f"{loss:.4f}" for loss in run.progress.valid_losses[1:])
    assert f"step {run.progress.step}, 6 whole epochs\n  validation losses: … {losses}\n" in out
    assert out.startswith(str(run.folder / "best.npz"))
    out = call("info", "bare.npz")[1]
    assert "vocabulary" not in out and "training" not in out and "hidden_dim        4" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("info text.npz", "not a numpylm file"),
        ("info foreign.npz", "not a numpylm file"),
        ("export gru.npz --to text.npz", "exists already"),
        ("export gru.npz --to new.txt", "must end in .npz or .pt"),
        ("export gru.npz --to no/w.npz", "there is no folder"),
    ],
)
def test_refusals_are_one_line_and_write_nothing(call, folder, arguments, message):
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert message in call(*arguments.split()).refused()
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before


@pytest.mark.parametrize("kind", ["rnn", "lstm", "gru"])
@pytest.mark.parametrize("suffix", [".npz", ".pt"])
def test_the_lines_that_export_prints_load_the_weights_into_pytorch(folder, tmp_path, call, kind, suffix):
    torch = pytest.importorskip("torch")
    status, out, _ = call("export", f"{kind}.npz", "--to", tmp_path / f"weights{suffix}")
    assert status == 0
    module = torch.nn.Module()
    for line in re.findall(r"^  (\w+ = nn\..*)$", out, re.MULTILINE):
        name, _, made = line.partition(" = ")
        setattr(module, name, eval(made, {"nn": torch.nn}))
    (loading,) = re.findall(r"^  (module\.load_state_dict.*)$", out, re.MULTILINE)
    eval(loading, {"torch": torch, "np": np, "module": module})
    tokens = np.arange(6).reshape(6, 1) % 5
    expected = nlm.load_checkpoint(folder / f"{kind}.npz").model.forward(tokens).logits
    hidden, _ = getattr(module, kind)(module.embedding(torch.from_numpy(tokens)))
    np.testing.assert_allclose(module.fc(hidden).detach().numpy(), expected, rtol=1e-4, atol=1e-6)


def test_a_full_disk_leaves_no_stub_of_an_export_so_that_it_can_be_tried_again(tmp_path, call, monkeypatch):
    target = tmp_path / "weights.npz"

    def full(descriptor):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        message = call("export", "gru.npz", "--to", target).refused()
    assert "weights.npz: No space left on device; nothing was written" in message
    assert list(tmp_path.iterdir()) == []
    assert call("export", "gru.npz", "--to", target)[0] == 0


def test_without_pytorch_a_pt_file_is_refused(tmp_path, call, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    assert "needs PyTorch" in call("export", "gru.npz", "--to", tmp_path / "weights.pt").refused()
