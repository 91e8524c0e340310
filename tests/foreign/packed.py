import numpy as np

class LSTM:
    @staticmethod
    def forward(X, WLSTM, c0 = None, h0 = None):
        n, b, d_in = X.shape
        d = WLSTM.shape[1] / 4
        h, c = np.zeros((b, d)), np.zeros((b, d))
        steps, Hout = [], np.zeros((n, b, d))
        for t in xrange(n):
            hin = np.hstack((np.ones((b, 1)), X[t], h))
            a = hin.dot(WLSTM)
            s, g = 1 / (1 + np.exp(-a[:, :3*d])), np.tanh(a[:, 3*d:])
            old, c = c, s[:, :d] * g + s[:, d:2*d] * c
            h = s[:, 2*d:] * np.tanh(c)
            Hout[t] = h; steps.append((hin, s, g, old, c))
        return Hout, {'WLSTM': WLSTM, 'steps': steps}
    @staticmethod
    def backward(dHout, cache):
        W, steps, d = cache['WLSTM'], cache['steps'], dHout.shape[2]
        d_in = W.shape[0] - d - 1
        dX, dWLSTM, dh, dc = np.zeros(dHout.shape[:2] + (d_in,)), np.zeros_like(W), 0, 0
        for t in reversed(xrange(len(steps))):
            hin, s, g, old, c = steps[t]
            i, f, o = s[:, :d], s[:, d:2*d], s[:, 2*d:]
            dh = dHout[t] + dh
            dc = dc + dh * o * (1 - np.tanh(c) ** 2)
            da = np.hstack((dc * g * i * (1 - i), dc * old * f * (1 - f), dh * np.tanh(c) * o * (1 - o), dc * i * (1 - g ** 2)))
            dWLSTM += hin.T.dot(da)
            dhin = da.dot(W.T)
            dX[t], dh, dc = dhin[:, 1:d_in + 1], dhin[:, d_in + 1:], dc * f
        return dX, dWLSTM

if __name__ == "__main__":
    print 'checked %s of %d' % ("all",
                                3)
