"""The tests' matrix products are small: on one thread they are faster, and as fast on a busy machine."""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
