"""The pictures that README.md and the notebooks show, each made by one file here: python -m numpylm figures.

figures/rnn_unrolled.png comes from rnn_unrolled.py, whose draw() returns a matplotlib Figure. For a new picture, write
a new file and put its name into FIGURES.
"""

FIGURES = (
    "rnn_unrolled",
    "bptt_backward",
    "lstm_cell",
    "lstm_backward_paths",
    "gru_cell",
    "encoder_decoder",
    "attention",
    "lstm_gates",
    "gradient_flow",
    "spectral_radius",
    "clipping",
    "secants",
    "truncation",
    "step_size",
    "softmax_gradient",
    "streams",
    "schedules",
    "sampling",
    "learning_curve",
    "ctc_lattice",
    "memory_hops",
)
