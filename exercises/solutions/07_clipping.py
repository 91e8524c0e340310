"""A solution of exercise 7: gradient clipping."""

import numpy as np


def clip_by_global_norm(gradients, max_norm):
    norm = np.sqrt(sum((g**2).sum() for g in gradients.values()))
    factor = min(1, max_norm / norm)
    return {name: g * factor for name, g in gradients.items()}, norm


def clip_by_value(gradients, limit):
    return {name: np.clip(g, -limit, limit) for name, g in gradients.items()}
