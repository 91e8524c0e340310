"""Settings that all tests share.

Their matrix products are small: on one thread they are faster, and as fast on a busy machine. Hypothesis tries sixty
examples where a test does not say how many, and no example is too slow for a machine that has other work to do.
"""

import os

from hypothesis import settings

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
settings.register_profile("numpylm", max_examples=60, deadline=None)
settings.load_profile("numpylm")
