import numpy as np

text = open("novel.txt").read()
letters = sorted(set(text))
vocab_size, hidden_size, seq_length = len(letters), 100, 25
sigma = lambda a: 1 / (1 + np.exp(-a))
Wf, Wi, Wcc, Wo = [np.random.randn(hidden_size, hidden_size + vocab_size) * 0.01 for _ in range(4)]
bf, bi, bcc, bo = [np.zeros((hidden_size, 1)) for _ in range(4)]
Wy, by = np.random.randn(vocab_size, hidden_size) * 0.01, np.zeros((vocab_size, 1))


def lossFun(inputs, targets, hprev, cprev):
    xs, zs, hs, cs, fs, gi, go, ccs, ps = {}, {}, {-1: hprev.copy()}, {-1: cprev.copy()}, {}, {}, {}, {}, {}
    loss = 0
    for t in range(len(inputs)):
        xs[t] = np.zeros((vocab_size, 1))
        xs[t][inputs[t]] = 1
        zs[t] = np.vstack((hs[t - 1], xs[t]))
        fs[t], gi[t], go[t] = sigma(Wf @ zs[t] + bf), sigma(Wi @ zs[t] + bi), sigma(Wo @ zs[t] + bo)
        ccs[t] = np.tanh(Wcc @ zs[t] + bcc)
        cs[t] = fs[t] * cs[t - 1] + gi[t] * ccs[t]
        hs[t] = go[t] * np.tanh(cs[t])
        e = np.exp(Wy @ hs[t] + by)
        ps[t] = e / e.sum()
        loss += -np.log(ps[t][targets[t], 0])
    dWf, dWi, dWcc, dWo, dWy = [np.zeros_like(W) for W in (Wf, Wi, Wcc, Wo, Wy)]
    dbf, dbi, dbcc, dbo, dby = [np.zeros_like(b) for b in (bf, bi, bcc, bo, by)]
    dhnext, dcnext = np.zeros_like(hs[0]), np.zeros_like(cs[0])
    for t in reversed(range(len(inputs))):
        dy = ps[t].copy()
        dy[targets[t]] -= 1
        dWy += dy @ hs[t].T
        dby += dy
        dh = Wy.T @ dy + dhnext
        tc = np.tanh(cs[t])
        do = dh * tc * go[t] * (1 - go[t])
        dc = dcnext + dh * go[t] * (1 - tc * tc)
        df = dc * cs[t - 1] * fs[t] * (1 - fs[t])
        di = dc * ccs[t] * gi[t] * (1 - gi[t])
        dcc = dc * gi[t] * (1 - ccs[t] ** 2)
        dWf += df @ zs[t].T
        dbf += df
        dWi += di @ zs[t].T
        dbi += di
        dWcc += dcc @ zs[t].T
        dbcc += dcc
        dWo += do @ zs[t].T
        dbo += do
        dz = Wf.T @ df + Wi.T @ di + Wcc.T @ dcc + Wo.T @ do
        dhnext = dz[:hidden_size]
        dcnext = fs[t] * dc
    return loss, dWf, dWi, dWcc, dWo, dbf, dbi, dbcc, dbo, dWy, dby, hs[len(inputs) - 1], cs[len(inputs) - 1]


smooth_loss = -np.log(1.0 / vocab_size) * seq_length
while smooth_loss > 1:
    smooth_loss = 0.999 * smooth_loss + 0.001 * lossFun([0], [1], np.zeros((hidden_size, 1)), None)[0]
