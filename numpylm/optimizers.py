"""Optimizers: from gradients to new parameters. α is the learning rate, θ a parameter, g its gradient.

    SGD        θ <- θ - α g                                                  Robbins and Monro (1951)
    Momentum   v <- μ v + g;  θ <- θ - α v                                   Polyak (1964), in PyTorch's form
    Adagrad    s <- s + g²;  θ <- θ - α g / (√s + ε)                         Duchi, Hazan and Singer (2011)
    RMSProp    s <- ρ s + (1 - ρ) g²;  θ <- θ - α g / (√s + ε)               Tieleman and Hinton (2012)
    Adam       m <- β₁ m + (1 - β₁) g;  v <- β₂ v + (1 - β₂) g²;
               θ <- θ - α m̂ / (√v̂ + ε),  m̂ = m / (1 - β₁ᵏ),  v̂ = v / (1 - β₂ᵏ) at the k-th step     Kingma and Ba (2015)

optimizer.step(parameters, gradients) changes the parameters in place and does not change the gradients.
optimizer.memory holds v, s or m, an array of each parameter's shape, so that a checkpoint can save it.
"""

import numpy as np

from numpylm.base import require


class Optimizer:
    """What all optimizers have: a learning rate (a schedule may change this attribute), a step count, and a memory."""

    slots = ()  # the equations' symbols that are kept for each parameter

    def __init__(self, learning_rate):
        self.learning_rate = require.positive_number("learning_rate", learning_rate)
        self.num_steps = 0
        self.memory = {slot: {} for slot in self.slots}  # slot -> parameter's name -> array

    def step(self, parameters, gradients):
        """Update every array of parameters (name -> array) in place from gradients of the same names and shapes.

        Raises TypeError or ValueError, before anything changes, if a gradient does not fit its parameter.
        """
        check_fit(parameters, gradients, self.memory)
        self.num_steps += 1
        for name, parameter in parameters.items():
            self.update(parameter, gradients[name], *self._remembered(name, parameter))

    def _remembered(self, name, parameter):
        """The slots' arrays of one parameter; zeros at its first step."""
        for slot in self.slots:
            if name not in self.memory[slot]:
                self.memory[slot][name] = np.zeros_like(parameter)
        return [self.memory[slot][name] for slot in self.slots]

    def update(self, parameter, gradient, *remembered):
        """One parameter's step, in place. The slots' arrays, `remembered`, are updated in place too."""
        raise NotImplementedError


class SGD(Optimizer):
    """Stochastic gradient descent: θ <- θ - α g."""

    def __init__(self, learning_rate=1.0):
        super().__init__(learning_rate)

    def update(self, parameter, gradient):
        parameter -= self.learning_rate * gradient


class Momentum(Optimizer):
    """Gradient descent with a velocity: v <- μ v + g, θ <- θ - α v."""

    slots = ("v",)

    def __init__(self, learning_rate=0.1, momentum=0.9):
        super().__init__(learning_rate)
        self.momentum = require.fraction("momentum", momentum)

    def update(self, parameter, gradient, v):
        v *= self.momentum
        v += gradient
        parameter -= self.learning_rate * v


class Adagrad(Optimizer):
    """Each entry's step is divided by the root of the sum of all its squared gradients so far."""

    slots = ("s",)

    def __init__(self, learning_rate=0.1, epsilon=1e-8):
        super().__init__(learning_rate)
        self.epsilon = require.positive_number("epsilon", epsilon)

    def update(self, parameter, gradient, s):
        s += gradient * gradient
        parameter -= self.learning_rate * gradient / (np.sqrt(s) + self.epsilon)


class RMSProp(Optimizer):
    """Adagrad with a running mean of squared gradients, s, in place of their sum."""

    slots = ("s",)

    def __init__(self, learning_rate=0.002, decay=0.95, epsilon=1e-8):
        super().__init__(learning_rate)
        self.decay = require.fraction("decay", decay)
        self.epsilon = require.positive_number("epsilon", epsilon)

    def update(self, parameter, gradient, s):
        s *= self.decay
        s += (1 - self.decay) * gradient * gradient
        parameter -= self.learning_rate * gradient / (np.sqrt(s) + self.epsilon)


class Adam(Optimizer):
    """Running means of gradients and of their squares; m̂ and v̂ correct them, because both start at zero."""

    slots = ("m", "v")

    def __init__(self, learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8):
        super().__init__(learning_rate)
        self.beta1 = require.fraction("beta1", beta1)
        self.beta2 = require.fraction("beta2", beta2)
        self.epsilon = require.positive_number("epsilon", epsilon)

    def update(self, parameter, gradient, m, v):
        m *= self.beta1
        m += (1 - self.beta1) * gradient
        v *= self.beta2
        v += (1 - self.beta2) * gradient * gradient
        m_hat_scale = 1 / (1 - self.beta1**self.num_steps)
        v_hat_scale = 1 / (1 - self.beta2**self.num_steps)
        parameter -= self.learning_rate * m_hat_scale * m / (np.sqrt(v * v_hat_scale) + self.epsilon)


OPTIMIZERS = {"sgd": SGD, "momentum": Momentum, "adagrad": Adagrad, "rmsprop": RMSProp, "adam": Adam}


def check_fit(parameters, gradients, memory):
    """Raise TypeError or ValueError unless each parameter can be changed, and its gradient and memory are of its shape.
    An optimizer that has trained another model before remembers other shapes."""
    require.named_arrays("parameters", parameters)
    require.named_arrays("gradients", gradients)
    if parameters.keys() != gradients.keys():
        missing = sorted(parameters.keys() - gradients.keys())
        extra = sorted(gradients.keys() - parameters.keys())
        raise ValueError(f"one gradient is needed for each parameter; missing: {missing}, without parameter: {extra}")
    for name, parameter in parameters.items():
        gradient = gradients[name]
        if parameter.shape != gradient.shape:
            raise ValueError(f"the gradient of {name} must be of its shape {parameter.shape}; got {gradient.shape}")
        if not np.can_cast(gradient.dtype, parameter.dtype, "same_kind"):
            raise TypeError(f"the gradient of {name} must be of its dtype {parameter.dtype}; got {gradient.dtype}")
        if not parameter.flags.writeable:
            raise ValueError(f"the parameter {name} must be an array that can be written to; it is read-only")
        for shape in [remembered[name].shape for remembered in memory.values() if name in remembered]:
            if shape != parameter.shape:
                shapes = f"a {name} of shape {shape}; got one of {parameter.shape}"
                raise ValueError(f"this optimizer remembers {shapes}: a new model needs a new optimizer")
