"""Initial values of the parameters.

    W_x, W_hy   uniform in ±√(6 / (A + B)) for a matrix (A, B)              Glorot and Bengio (2010), equation 16
    W_h         a random orthogonal matrix for each gate                    Saxe, McClelland and Ganguli (2014)
                the identity, for an RNN with ReLU                          Le, Jaitly and Hinton (2015)
    b           zero; b_f of the LSTM is forget_bias, 1 unless given        Gers et al. (2000), Jozefowicz et al. (2015)
    E           normal with standard deviation 1                            the default of PyTorch's nn.Embedding
                1 / √D where E is also the output matrix, so that the logits start of order one
    all         uniform in ±r, biases too, if `redraw_uniform` is called    Zaremba et al. (2014): r = 0.1

We draw all values in float64, and the model converts them to its dtype: one seed gives the same model in every dtype.
"""

import numpy as np

from numpylm.base import require


def glorot_uniform(rng, A, B):
    """A matrix (A, B) that, on average, keeps the variance of activations and gradients."""
    limit = np.sqrt(6 / (A + B))
    return rng.uniform(-limit, limit, (A, B))


def orthogonal(rng, H):
    """A random orthogonal matrix (H, H): it keeps every vector's length, so repeated products do not vanish."""
    Q, R = np.linalg.qr(rng.standard_normal((H, H)))
    return Q * np.sign(np.diagonal(R))  # with these signs, every orthogonal matrix is equally likely


def embedding_table(rng, V, D, tied):
    """The table E (V, D), one row for each token. tied: E is the output matrix too."""
    scale = 1 / np.sqrt(D) if tied else 1.0
    return scale * rng.standard_normal((V, D))


def redraw_uniform(rng, parameters, uniform_range):
    """Replace every entry of parameters (name -> array), biases too, in place: uniform in ±uniform_range.

    Raises ValueError unless uniform_range is a number above 0.
    """
    require.positive_number("uniform_range", uniform_range)
    for array in parameters.values():
        array[...] = rng.uniform(-uniform_range, uniform_range, array.shape)
