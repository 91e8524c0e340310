"""One pass over a text, character by character, as Karpathy's min-char-rnn reads it: the loss on text not yet learned.

There is one stream, read in windows of T characters. The state is carried from each window to the next, gradients are
clipped entry by entry, and the optimizer is Adagrad. No character is seen twice, so that the training loss is an honest
measure. As in min-char-rnn it is shown smoothed, from log V at the beginning:

    smoothed <- 0.999 smoothed + 0.001 loss

min-char-rnn sums the loss over the T steps of a window, and we take the mean: its limit of 5 is 5 / T here. Adagrad
divides by the gradients' own size, so that its learning rate stays the same.
"""

import math
import time

from recipe_results import measured

import numpylm as nlm
from numpylm.data.batches import num_windows, window
from numpylm.data.text_files import read_text
from numpylm.model import MODELS

ROW_STEPS = 200  # steps from one row of the CSV to the next


def one_pass(options, data, folder):
    """Read the text once; options are a dict of model, embedding_dim, hidden_dim, num_steps, learning_rate, limit,
    seed. Nothing is kept in the folder."""
    text = read_text(data)
    sizes = (options["embedding_dim"], options["hidden_dim"])
    vocabulary = nlm.build_vocabulary(text, "char")
    model = MODELS[options["model"]](len(vocabulary), *sizes, seed=options["seed"])
    streams = nlm.cut_streams(nlm.text.encode(vocabulary, text), batch_size=1)
    started = time.perf_counter()
    rows = list(read(model, nlm.Adagrad(options["learning_rate"]), streams, options["num_steps"], options["limit"]))
    seconds, test = time.perf_counter() - started, rows[-1]["smoothed_loss"]
    return measured(rows, options, model, seconds, "nats per character", test, len(streams.inputs), epochs=1)


def read(model, optimizer, streams, num_steps, limit):
    """Learn from one window after another; yield a row of the CSV after every ROW_STEPS, and after the last."""
    state = None
    smoothed = math.log(model.sizes.vocab_size)
    num = num_windows(streams, num_steps)
    for k in range(num):
        inputs, targets = window(streams, num_steps, k)
        out = model.loss_and_gradients(inputs, targets, state)
        state = out.state
        optimizer.step(model.parameters(), nlm.clip_by_value(out.gradients, limit))
        smoothed = 0.999 * smoothed + 0.001 * out.loss
        if (k + 1) % ROW_STEPS == 0 or k + 1 == num:
            yield {"step": k + 1, "characters": k * num_steps + len(inputs), "smoothed_loss": smoothed}
