"""One step of a network that is given its targets and the gradient of the next state; NumPy has another name."""

from arrays_of_mine import backend as xp


class StepNetwork:
    def __init__(self, input_size, hidden_size, output_size):
        self.Wx = xp.random.randn(hidden_size, input_size)
        self.Wh = xp.random.randn(hidden_size, hidden_size)
        self.Wy = xp.random.randn(output_size, hidden_size)
        self.bh = xp.zeros((hidden_size, 1))

    def forward(self, x, h_prev):
        h = xp.tanh(self.Wx @ x + self.Wh @ h_prev + self.bh)
        return self.Wy @ h, h, (x, h_prev, h)

    def compute_loss(self, y_hat, target):
        self.error = y_hat - target
        return 0.5 * (self.error**2).sum()

    def backward(self, target, cache, dh_next):
        x, h_prev, h = cache
        da = (self.Wy.T @ self.error + dh_next) * (1 - h**2)
        return {
            "dWx": da @ x.T,
            "dWh": da @ h_prev.T,
            "dWy": self.error @ h.T,
            "dbh": da,
            "dh_prev": self.Wh.T @ da,
        }
