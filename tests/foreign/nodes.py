import numpy as np

def sigmoid(a):
    return 1 / (1 + np.exp(-a))

class Param:
    def __init__(self, mem_cell_ct, x_dim):
        self.x_dim, n = x_dim, x_dim + mem_cell_ct
        self.wg, self.wi, self.wf, self.wo = [np.random.rand(mem_cell_ct, n) for _ in range(4)]
        self.bg, self.bi, self.bf, self.bo = [np.random.rand(mem_cell_ct) for _ in range(4)]
        self.wg_diff, self.wi_diff, self.wf_diff, self.wo_diff = [np.zeros_like(self.wg) for _ in range(4)]
        self.bg_diff, self.bi_diff, self.bf_diff, self.bo_diff = [np.zeros_like(self.bg) for _ in range(4)]

class State:
    def __init__(self, mem_cell_ct):
        self.s, self.h = np.zeros(mem_cell_ct), np.zeros(mem_cell_ct)

class Node:
    def __init__(self, param, state):
        self.param, self.state = param, state
    def bottom_data_is(self, x, s_prev, h_prev):
        p, self.xc, self.s_prev = self.param, np.hstack((x, h_prev)), s_prev
        self.g = np.tanh(p.wg @ self.xc + p.bg)
        self.i, self.f, self.o = sigmoid(p.wi @ self.xc + p.bi), sigmoid(p.wf @ self.xc + p.bf), sigmoid(p.wo @ self.xc + p.bo)
        self.state.s = self.g * self.i + s_prev * self.f
        self.state.h = self.state.s * self.o
    def top_diff_is(self, top_diff_h, top_diff_s):
        p, ds = self.param, self.o * top_diff_h + top_diff_s
        do, di = self.state.s * top_diff_h * self.o * (1 - self.o), self.g * ds * self.i * (1 - self.i)
        dg, df = self.i * ds * (1 - self.g ** 2), self.s_prev * ds * self.f * (1 - self.f)
        p.wi_diff += np.outer(di, self.xc); p.wf_diff += np.outer(df, self.xc); p.wo_diff += np.outer(do, self.xc); p.wg_diff += np.outer(dg, self.xc)
        p.bi_diff += di; p.bf_diff += df; p.bo_diff += do; p.bg_diff += dg
        self.state.bottom_diff_s = ds * self.f
