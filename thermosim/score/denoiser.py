"""A denoiser D(x, σ) = E[x_0 | x_0 + σn = x], learned: a parametrisation around a network."""
import json

import numpy as np

from ..errors import UserError
from ..files.store import read_tree, write_tree
from ..files.tree import Dataset, Group
from .conditioning import FourierFeatures
from .derivatives import Differentiable
from .parametrisation import Preconditioned
from .recorded import rebuilt_network, rebuilt_part, recorded

LAYER = 1 << 19      # numbers of a layer, so many rows go through the network together: they stay in the cache


class Denoiser(Differentiable):
    """D(x, σ) = c_skip x + c_out F(c_in x, ln σ), all in coordinates centred on the data's mean.

    The parametrisation says what F predicts, and so c_skip and c_out; whatever it predicts, F is given

        c_in = 1/√(σ² + σ_d²)

    (Karras et al. 2022, arXiv 2206.00364, table 1, EDM), so that its input has unit variance at every σ; and beside
    it features of ln σ. Its readout may depend on ln σ as well.

    Parameters
    ----------
    network : Network
        From d + features.width inputs to d outputs, or to 2d where it also learns variances.
    mean : array_like, (d,)
        Mean of the data.
    sigma_data : float
        Root mean square of the centred data over all points and coordinates, σ_d.
    config : dict, optional
        How it was trained, in what JSON can hold; goes into its file.
    parametrisation : object of `thermosim.score.parametrisation`, optional
        EDM's preconditioning unless given.
    features : FourierFeatures, Bumps or Nothing, optional
        What F sees of the noise level; Fourier features in all inputs beyond d unless given.

    Raises
    ------
    UserError
        If inputs and outputs of the network are not those of data and features.
    """

    def __init__(self, network, mean, sigma_data, config=None, parametrisation=None, features=None):
        self.network = network
        self.device = network.device
        self.sigma_data = float(sigma_data)
        self.config = dict(config or {})
        self.parametrisation = parametrisation or Preconditioned()
        self.mean = self.device.asarray(mean, np.float64)
        self.dimension = len(self.mean)
        self.features = features or FourierFeatures((network.sizes[0] - self.dimension) // 2)
        inputs, outputs = network.sizes[0], network.sizes[-1]
        if inputs != self.dimension + self.features.width or outputs not in (self.dimension, 2 * self.dimension):
            raise UserError(f"a network from {inputs} inputs to {outputs} outputs does not fit data of "
                            f"{self.dimension} "
                            f"components and {self.features.width} features of the noise level")

    def __call__(self, x, sigma):
        """The expected clean data behind noisy x.

        Parameters
        ----------
        x : array, (n, d)
            float32 or float64, an array of the denoiser's device.
        sigma : float or array, (n,)
            Noise level, > 0.

        Returns
        -------
        array, (n, d)
            Of x's dtype; the network in between works in its own. Rows go through in chunks,
            so memory does not grow with n.
        """
        out = self.device.xp.empty_like(x)
        for rows, centred, sigma, F in self._chunks(x, sigma, self.network.evaluate):
            c_skip, c_out, _ = self.coefficients(sigma)
            out[rows] = self.mean + c_skip * centred + c_out * F[:, :self.dimension]
        return out

    def score(self, x, sigma):
        """∇ln p_σ(x) = (D − x)/σ², (n, d) of x's dtype (Robbins 1956; Efron 2011)."""
        return ((self(x, sigma) - x) / self._levels(x, sigma)[:, None] ** 2).astype(x.dtype, copy=False)

    def shares(self, x, sigma):
        """Of a network with 2d outputs: where between β̃ (0) and β (1) it puts ln variance, (n, d) of x's dtype.

        Source: v of Nichol and Dhariwal 2021 (2102.09672), eq. 15; see `bound.LearnedVariances`.
        """
        return self.both(x, sigma)[1]

    def both(self, x, sigma):
        """D and `shares`, (n, d) each, from one pass through a network with 2d outputs.

        Raises
        ------
        UserError
            If the network has d outputs: it learned no variances.
        """
        d = self.dimension
        if self.network.sizes[-1] != 2 * d:
            raise UserError("this network has learned no variances: train it with loss=LearnedVariances(chain)")
        D, shares = self.device.xp.empty_like(x), self.device.xp.empty_like(x)
        for rows, centred, sigma, F in self._chunks(x, sigma, self.network.evaluate):
            c_skip, c_out, _ = self.coefficients(sigma)
            D[rows] = self.mean + c_skip * centred + c_out * F[:, :d]
            shares[rows] = 0.5 + 0.5 * F[:, d:]
        return D, shares

    def jvp(self, x, sigma, v):
        """D and its directional derivatives J v.

        Parameters
        ----------
        x : (n, d), sigma : as for a call
        v : (m, n, d)
            m directions at each point.

        Returns
        -------
        D : (n, d)
        Jv : (m, n, d)
        """
        xp, d = self.device.xp, self.dimension
        D, Jv, sigma = xp.empty_like(x), xp.empty(v.shape, x.dtype), self._levels(x, sigma)
        for rows in _blocks(len(x), max(1, self.chunk // (1 + len(v)))):
            centred = x[rows] - self.mean
            c_skip, c_out, c_in = self.coefficients(sigma[rows])
            inputs, level = self.inputs(centred, sigma[rows])
            F, JF = self.network.push(inputs, self.tangents(c_in * v[:, rows]), level)
            D[rows] = self.mean + c_skip * centred + c_out * F[:, :d]
            Jv[:, rows] = c_skip * v[:, rows] + c_out * JF[..., :d]
        return D, Jv

    def vjp(self, x, sigma, w):
        """D (n, d) and wᵀJ (n, d), for w (n, d). Overwrites the network's `gradient`."""
        xp, d, net = self.device.xp, self.dimension, self.network
        D, wJ = xp.empty_like(x), xp.empty_like(x)
        for rows, centred, s, F in self._chunks(x, sigma, net.forward):
            c_skip, c_out, c_in = self.coefficients(s)
            D[rows] = self.mean + c_skip * centred + c_out * F[:, :d]
            slope = xp.zeros(F.shape, net.dtype)
            slope[:, :d] = c_out * w[rows]
            dx = net.backward(slope, want_input=True)[1]
            wJ[rows] = c_skip * w[rows] + c_in * dx[:, :d]
        return D, wJ

    @property
    def chunk(self):
        """Rows, points and tangents, that go through the network together."""
        return max(256, LAYER // max(self.network.sizes))

    def _chunks(self, x, sigma, through):
        """(rows, centred x, σ, F = through(inputs, level)) chunk by chunk."""
        sigma = self._levels(x, sigma)
        for rows in _blocks(len(x), self.chunk):
            centred = x[rows] - self.mean
            yield rows, centred, sigma[rows], through(*self.inputs(centred, sigma[rows]))

    def coefficients(self, sigma):
        """c_skip, c_out, c_in as columns (n, 1), of σ (n,)."""
        xp, sigma = self.device.xp, sigma[:, None]
        return (*self.parametrisation.coefficients(xp, sigma, self.sigma_data),
                1 / xp.sqrt(sigma**2 + self.sigma_data**2))

    def weight(self, sigma):
        """The parametrisation's weight of |F − target|² as a column (n, 1), of σ (n,)."""
        return self.parametrisation.weight(self.device.xp, sigma[:, None], self.sigma_data)

    def answer(self, centred, sigma):
        """F, (n, outputs), of centred x (n, d) at noise levels σ (n,); in the network's own buffer."""
        return self.network.forward(*self.inputs(centred, sigma))

    def inputs(self, centred, sigma):
        """What F is a function of: inputs (n, d + features.width) of the network's dtype, and levels ln σ (n,)."""
        xp, d = self.device.xp, self.dimension
        inputs, level = xp.empty((len(centred), self.network.sizes[0]), self.network.dtype), xp.log(sigma)
        inputs[:, :d] = self.coefficients(sigma)[2] * centred
        self.features.fill(inputs[:, d:], level, xp)
        return inputs, level

    def tangents(self, v):
        """Directions v (m, n, d) of c_in x as directions of the network's input, which the noise level is not."""
        inputs = self.device.xp.zeros((*v.shape[:2], self.network.sizes[0]), self.network.dtype)
        inputs[..., :self.dimension] = v
        return inputs

    def _levels(self, x, sigma):
        xp = self.device.xp
        return xp.broadcast_to(xp.asarray(sigma, np.float64), (len(x),))

    def save(self, path):
        """Weights and settings into an HDF5 file, whole or not at all (UserError on a full disk)."""
        net = self.network
        tree = Group({"kind": "denoiser", "network": recorded(net), "features": recorded(self.features),
                      "dtype": net.dtype.name, "sigma_data": self.sigma_data,
                      "parametrisation": recorded(self.parametrisation),
                      "config": json.dumps(self.config)})
        tree["parameters"] = Dataset(self.device.to_host(net.parameters), ("parameter",))
        tree["mean"] = Dataset(self.device.to_host(self.mean), ("component",))
        write_tree(path, tree)

    @classmethod
    def load(cls, path, device):
        """The denoiser of a file, bit for bit as it was saved.

        Raises
        ------
        UserError
            If the file is missing, damaged, or holds something else.
        """
        tree = read_tree(path)
        try:
            record = tree.attrs
            if "network" not in record:     # a file from before there were others
                record = _first_record([int(k) for k in record["sizes"]], record["dtype"], len(tree["mean"].values))
            text = {key: str(record[key]) for key in ("network", "features", "parametrisation", "dtype")}
            mean, parameters = tree["mean"].values, tree["parameters"].values
            sigma_data, config = float(tree.attrs["sigma_data"]), json.loads(tree.attrs["config"])
        except (KeyError, TypeError, ValueError) as error:
            raise UserError(f"{path} holds no denoiser: give a file that training wrote") from error
        try:
            network = rebuilt_network(text["network"], parameters, text["dtype"], device)
            parts = (rebuilt_part(role, text[role]) for role in ("parametrisation", "features"))
            return cls(network, mean, sigma_data, config, *parts)
        except UserError as error:
            raise UserError(f"{path} is no sound denoiser, train it again: {error}") from error


def _first_record(sizes, dtype, d):
    return {"network": json.dumps({"MLP": {"sizes": sizes}}), "dtype": dtype,
            "features": recorded(FourierFeatures((sizes[0] - d) // 2)), "parametrisation": recorded(Preconditioned())}


def _blocks(n, size):
    return (slice(a, min(a + size, n)) for a in range(0, n, size))
