import numpy as np


def sigmoid(a, slope=False):
    return a * (1 - a) if slope else 1 / (1 + np.exp(-a))


class Forecast:
    """Goes up the slope: it is given target - y, and what its forward has put side by side."""

    def __init__(self, input_size, hidden_size, output_size, learning_rate):
        self.rate, self.hidden_size = learning_rate, hidden_size
        self.params = [np.random.randn(hidden_size, hidden_size + input_size), np.zeros((hidden_size, 1))]
        self.wy, self.by = np.random.randn(output_size, hidden_size), np.zeros((output_size, 1))

    def forward(self, inputs):
        W, b = self.params
        self.h, self.sides = {-1: np.zeros((self.hidden_size, 1))}, {}
        for t, x in enumerate(inputs):
            self.sides[t] = np.concatenate((self.h[t - 1], x))
            self.h[t] = np.tanh(W @ self.sides[t] + b)
        return [self.wy @ self.h[t] + self.by for t in range(len(inputs))]

    def backward(self, errors, sides):
        W, b = self.params
        d_W, d_b, d_wy, d_by, d_h = 0, 0, 0, 0, 0
        for t in reversed(range(len(sides))):
            d_wy += errors[t] @ self.h[t].T
            d_by += errors[t]
            d_a = (self.wy.T @ errors[t] + d_h) * (1 - self.h[t] ** 2)
            d_W += d_a @ sides[t].T
            d_b += d_a
            d_h = (W.T @ d_a)[: self.hidden_size]
        self.params = [W + self.rate * d_W, b + self.rate * d_b]
        self.wy, self.by = self.wy + self.rate * d_wy, self.by + self.rate * d_by

    def train(self, inputs, targets):
        y = self.forward(inputs)
        self.backward([target - y[t] for t, target in enumerate(targets)], self.sides)
