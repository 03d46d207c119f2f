"""A denoiser D(x, σ) = E[x_0 | x_0 + σn = x], learned: a parametrisation around an MLP."""
import json

import numpy as np

from ..errors import UserError
from ..files.store import read_tree, write_tree
from ..files.tree import Dataset, Group
from .mlp import MLP
from .parametrisation import PARAMETRISATIONS, Preconditioned

CHUNK = 512


class Denoiser:
    """D(x, σ) = c_skip x + c_out F(c_in x, c_noise), all in coordinates centred on the data's mean.

    The parametrisation says what F predicts, and so c_skip and c_out; whatever it predicts, F is given

        c_in = 1/√(σ² + σ_d²)        c_noise = ln(σ)/4

    (Karras et al. 2022, arXiv 2206.00364, table 1, EDM), so that its input has unit variance at every σ. Beside
    c_in x these are cos and sin of π k c_noise/2 for k = 1 … features; the period, 4 in c_noise, is a factor e¹⁶ in σ.

    Parameters
    ----------
    network : MLP
        From d + 2·features inputs to d outputs, or to 2d where it also learns variances.
    mean : array_like, (d,)
        Mean of the data.
    sigma_data : float
        Root mean square of the centred data over all points and coordinates, σ_d.
    config : dict, optional
        How it was trained, in what JSON can hold; goes into its file.
    parametrisation : object of `thermosim.score.parametrisation`, optional
        EDM's preconditioning unless given.
    """

    def __init__(self, network, mean, sigma_data, config=None, parametrisation=None):
        self.network = network
        self.device = network.device
        self.sigma_data = float(sigma_data)
        self.config = dict(config or {})
        self.parametrisation = parametrisation or Preconditioned()
        self.mean = self.device.asarray(mean, np.float64)
        self.dimension = len(self.mean)
        self.features = (network.sizes[0] - self.dimension) // 2
        self._waves = self.device.asarray(np.arange(1, self.features + 1) * (np.pi / 2), np.float64)

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
            Of x's dtype; the network in between works in its own. Rows go through in chunks of 512,
            so memory does not grow with n.
        """
        out = self.device.xp.empty_like(x)
        for rows, centred, sigma, F in self._chunks(x, sigma):
            c_skip, c_out, _ = self.coefficients(sigma)
            out[rows] = self.mean + c_skip * centred + c_out * F[:, :self.dimension]
        return out

    def shares(self, x, sigma):
        """Of a network with 2d outputs: where between β̃ (0) and β (1) it puts ln variance, (n, d) of x's dtype.

        Source: v of Nichol and Dhariwal 2021 (2102.09672), eq. 15; see `bound.LearnedVariances`.
        """
        out = self.device.xp.empty_like(x)
        for rows, _, _, F in self._chunks(x, sigma):
            out[rows] = 0.5 + 0.5 * F[:, self.dimension:]
        return out

    def _chunks(self, x, sigma):
        """(rows, centred x, σ, F) for every 512 rows."""
        xp = self.device.xp
        sigma = xp.broadcast_to(xp.asarray(sigma, np.float64), (len(x),))
        inputs = xp.empty((min(len(x), CHUNK), self.network.sizes[0]), self.network.dtype)
        for a in range(0, len(x), CHUNK):
            rows = slice(a, min(a + CHUNK, len(x)))
            s, centred = sigma[rows], x[rows] - self.mean
            yield rows, centred, s, self.network.forward(self.inputs(centred, s, inputs[:len(s)]))

    def coefficients(self, sigma):
        """c_skip, c_out, c_in as columns (n, 1), of σ (n,)."""
        xp, sigma = self.device.xp, sigma[:, None]
        return (*self.parametrisation.coefficients(xp, sigma, self.sigma_data),
                1 / xp.sqrt(sigma**2 + self.sigma_data**2))

    def weight(self, sigma):
        """The parametrisation's weight of |F − target|² as a column (n, 1), of σ (n,)."""
        return self.parametrisation.weight(self.device.xp, sigma[:, None], self.sigma_data)

    def inputs(self, centred, sigma, out):
        """What the network sees, (n, d + 2·features), written into `out`."""
        xp, d, k = self.device.xp, self.dimension, self.features
        out[:, :d] = self.coefficients(sigma)[2] * centred
        phase = (xp.log(sigma) / 4)[:, None] * self._waves
        out[:, d:d + k] = xp.cos(phase)
        out[:, d + k:] = xp.sin(phase)
        return out

    def save(self, path):
        """Weights and settings into an HDF5 file, whole or not at all (UserError on a full disk)."""
        net = self.network
        tree = Group({"kind": "denoiser", "sizes": list(net.sizes), "dtype": net.dtype.name,
                      "sigma_data": self.sigma_data, "parametrisation": type(self.parametrisation).__name__,
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
            sizes, dtype = [int(k) for k in tree.attrs["sizes"]], str(tree.attrs["dtype"])
            mean, parameters = tree["mean"].values, tree["parameters"].values
            fits = (dtype in ("float32", "float64") and min(sizes) > 0 and mean.ndim == 1 and sizes[-1] in (mean.size, 2 * mean.size)
                    and parameters.shape == (sum(a * b + b for a, b in zip(sizes, sizes[1:])),))
            sigma_data, config = float(tree.attrs["sigma_data"]), json.loads(tree.attrs["config"])
            # a file without the name is from before there were others
            name = tree.attrs.get("parametrisation", Preconditioned.__name__)
            parametrisation = {type(p).__name__: p for p in PARAMETRISATIONS}[name]
        except (KeyError, TypeError, ValueError) as error:
            raise UserError(f"{path} holds no denoiser: give a file that training wrote") from error
        if not fits:
            raise UserError(f"{path} is no sound denoiser, its parts do not fit together: train it again")
        network = MLP(sizes, dtype, device)
        network.parameters[:] = device.asarray(parameters, dtype)
        return cls(network, mean, sigma_data, config, parametrisation)
