"""Denoisers of binary data: P(x_{0,i} = 1 | x_t), site by site, exact and learned."""

import numpy as np

from ..binomial import BinomialChain
from ..errors import UserError
from ..files.store import read_tree, write_tree
from ..files.tree import Dataset, Group
from .architecture import Perceptron
from .conditioning import Nothing
from .recorded import rebuilt_network, recorded

INDEX, LEVEL, SITES = 0x7261, 0x7262, 0x7263   # Philox streams of training


class BinaryStates:
    """A law on finitely many sequences, and its exact denoiser under binomial noise.

    Parameters
    ----------
    states : (K, L) array of 0 and 1
    chain : BinomialChain
    weights : (K,) array, optional
        Probabilities of the states; equal unless given.
    """

    def __init__(self, states, chain, weights=None):
        self.states, self.chain = np.asarray(states, np.uint8), chain
        K = len(self.states)
        self.weights = np.full(K, 1 / K) if weights is None else np.asarray(weights, float)
        if self.states.ndim != 2 or self.weights.shape != (K,) or np.any(self.weights <= 0) or self.states.max() > 1:
            raise UserError("a binary law needs states (K, L) of 0 and 1 and K positive weights")

    def log_joint(self, x, t):
        """ln P(state, x_t), (n, K)."""
        agree = x.astype(float) @ self.states.T + (1.0 - x) @ (1.0 - self.states.T)
        m, L = self.chain.memory(t), self.states.shape[1]
        return agree * np.log((1 + m) / 2) + (L - agree) * np.log((1 - m) / 2) + np.log(self.weights)

    def probability(self, x, t):
        """P(x_t), (n,)."""
        return np.exp(self.log_joint(x, t)).sum(axis=1)

    def __call__(self, x, t):
        """P(x_{0,i} = 1|x_t), (n, L)."""
        joint = self.log_joint(x, t)
        weights = np.exp(joint - joint.max(axis=1, keepdims=True))
        return weights @ self.states / weights.sum(axis=1, keepdims=True)


class BinaryDenoiser:
    """A network for P(x_{0,i} = 1|x_t): logit = ±evidence(t) + F, the sign that of the site itself.

    The first term is all that a site says about itself, so an untrained network (F = 0) is exact for independent
    fair sites and F only learns what the sites say about one another. F sees the sites as ±1, ±evidence/4, and the
    noise level as memory and evidence/4. At t = T nothing is seen and one network serves all times.

    Parameters
    ----------
    network : Network
        From 2L + 2 inputs to L outputs; the level that its readout may depend on is the remembered share.
    chain : BinomialChain

    Raises
    ------
    UserError
        If inputs and outputs of the network are others.
    """

    def __init__(self, network, chain):
        inputs, L = network.sizes[0], network.sizes[-1]
        if inputs != 2 * L + 2:
            raise UserError(f"a network of {inputs} inputs does not fit {L} binary sites, which make {2 * L + 2}: give "
                            "it no features of its own")
        self.network, self.chain, self.device = network, chain, network.device

    def logits(self, x, memory):
        """(n, L) logits of x at remembered shares memory (n,), the network's last forward call behind them."""
        level = np.broadcast_to(np.asarray(memory, float), (len(x),))
        memory = level[:, None]
        sign = 2.0 * x - 1
        evidence = np.log1p(memory) - np.log1p(-memory)
        inputs = np.concatenate([sign, sign * evidence / 4, memory, evidence / 4], axis=1)
        return sign * evidence + self.network.forward(np.ascontiguousarray(inputs, self.network.dtype), level)

    def __call__(self, x, t):
        """P(x_{0,i} = 1|x_t), (n, L) float64."""
        return 1 / (1 + np.exp(-self.logits(x, self.chain.memory(t))))

    def save(self, path):
        """Into an HDF5 file, whole or not at all."""
        net = self.network
        tree = Group({"kind": "binary denoiser", "network": recorded(net), "dtype": net.dtype.name,
                      "chain": len(self.chain)})
        tree["parameters"] = Dataset(self.device.to_host(net.parameters), ("parameter",))
        write_tree(path, tree)

    @classmethod
    def load(cls, path, device):
        """The denoiser of a file; UserError where it holds none."""
        tree = read_tree(path)
        try:
            record, dtype, parameters = str(tree.attrs["network"]), str(tree.attrs["dtype"]), tree["parameters"].values
            chain, kind = BinomialChain(int(tree.attrs["chain"])), tree.attrs["kind"]
        except (KeyError, TypeError, ValueError) as error:
            raise UserError(f"{path} holds no binary denoiser: give a file that training wrote") from error
        if kind != "binary denoiser":
            raise UserError(f"{path} holds no binary denoiser: give a file that training wrote")
        return cls(rebuilt_network(record, parameters, dtype, device), chain)


class BinaryLoss:
    """Binomial cross-entropy of minibatch `step`: −ln P(x_0|x_t), sites summed, t uniform on (0, T].

    Its optimum at each t is the exact P(x_{0,i} = 1|x_t), which maximises the bound of every chain length at once;
    time is drawn continuously, so that one network serves them all.

    Parameters
    ----------
    denoiser : BinaryDenoiser
    sample : callable (uniform (n,)) → (n, L)
        Data from uniform numbers.
    batch, seed : int
    """

    def __init__(self, denoiser, sample, batch, seed):
        self.denoiser, self.sample, self.batch, self.seed = denoiser, sample, batch, seed

    def draw(self, step):
        """x_0 (n, L), memory (n,) and x_t (n, L) of that step."""
        device, n, L = self.denoiser.device, self.batch, self.denoiser.network.sizes[-1]
        words = lambda stream, d: (device.words(self.seed, stream, step, n, d) + 0.5) / 2.0**32
        x0 = self.sample(words(INDEX, 1)[:, 0])
        # shares beyond those of the last of many steps would only teach what no chain asks for
        memory = np.minimum(words(LEVEL, 1), 1 - 0.5 / len(self.denoiser.chain))
        return x0, memory[:, 0], x0 ^ (words(SITES, L) < 0.5 * (1 - memory))

    def value(self, x0, memory, x):
        """Loss and the residual p − x_0, (n, L)."""
        logits = self.denoiser.logits(x, memory)
        # −ln P(x_0) = ln(1 + e^{−z}) with z the logit towards what is true
        loss = np.logaddexp(0.0, np.where(x0 == 1, -logits, logits)).sum(axis=1).mean()
        return loss, 1 / (1 + np.exp(-logits)) - x0

    def __call__(self, step):
        """The loss and its gradient: ∂L/∂F = (p − x_0)/n."""
        loss, residual = self.value(*self.draw(step))
        return loss, self.denoiser.network.backward(np.ascontiguousarray(residual / self.batch, self.denoiser.network.dtype))


def train_binary(sample, chain, L, device, config, progress=iter):
    """Fit a `BinaryDenoiser` by Adam; the running mean of its weights is what is kept.

    Parameters
    ----------
    sample : callable (uniform (n,)) → (n, L)
    chain : BinomialChain
    L : int
        Sites.
    device : Cpu
    config : train.TrainConfig
        Of which architecture (or width and depth), batch, steps,
        rate, warmup, ema, betas, decay, dtype and seed are used.
    progress : callable over the steps
    """
    plan = config.architecture or Perceptron(config.width, config.depth, features=Nothing())
    denoiser, mean = (BinaryDenoiser(plan.network(2 * L + 2, L, config.dtype, device, config.seed), chain)
                      for _ in range(2))
    loss = BinaryLoss(denoiser, sample, config.batch, config.seed)
    parameters = denoiser.network.parameters
    m, v = device.xp.zeros_like(parameters), device.xp.zeros_like(parameters)
    for step in progress(range(config.steps)):
        _, gradient = loss(step)
        device.adam(parameters, gradient, m, v, mean.network.parameters, config.learning_rate(step),
                    (config.beta1, config.beta2), step + 1, 1e-8, config.decay, config.follow(step))
    return mean
