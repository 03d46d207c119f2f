"""How good samples are: transport distance, closeness to the training set, precision and recall.

Distances come from POT and neighbours from scikit-learn, both in the extra ``experiments``.
"""

import numpy as np

from ..errors import UserError


def _companion(module, extra="experiments"):
    import importlib

    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise UserError(f'{module} is not installed: pip install "thermosim[{extra}]"') from error


def companions():
    """Ask for the companions now, before hours are spent on what they are to judge (UserError)."""
    _companion("ot")
    _companion("sklearn.neighbors")


def w2(a, b):
    """Exact 2-Wasserstein distance between two equally weighted point sets (n, d) and (m, d).

    Network simplex on the squared Euclidean cost (POT; Flamary et al. 2021).
    """
    ot = _companion("ot")
    a, b = np.asarray(a, float), np.asarray(b, float)
    cost = ot.dist(a, b)
    return float(np.sqrt(ot.emd2(ot.unif(len(a)), ot.unif(len(b)), cost, numItermax=10_000_000)))


def ratio_of_means(a, b):
    """⟨a⟩/⟨b⟩ of paired values (n,) and its standard error, by a jackknife over the pairs.

    Returns
    -------
    (float, float)
    """
    a, b = np.asarray(a, float), np.asarray(b, float)
    n = len(a)
    if n < 2 or b.shape != a.shape:
        raise UserError(f"a ratio of means needs at least two pairs, not {a.shape} and {b.shape}")
    without = (a.sum() - a) / (b.sum() - b)
    return float(a.mean() / b.mean()), float(np.sqrt((n - 1) * without.var()))


def _neighbours(reference, k):
    return _companion("sklearn.neighbors").NearestNeighbors(n_neighbors=k, algorithm="brute").fit(reference)


def nearest(a, reference):
    """Distance of each point of `a` to its nearest neighbour in `reference`, (n,)."""
    return _neighbours(reference, 1).kneighbors(a)[0][:, 0]


def nearest_ratio(generated, held_out, train):
    """Median distance generated → train over median distance held-out → train.

    Below 1 the sampler repeats its training set; far above 1 it has left the data.
    """
    return float(np.median(nearest(generated, train)) / np.median(nearest(held_out, train)))


def precision_recall(generated, real, k=3):
    """Share of generated points within the k-NN balls of the real ones, and the reverse.

    Source: Kynkäänniemi et al. 2019 (1904.06991), eq. 1–3.
    """

    def covered(points, centres):
        radius = _neighbours(centres, k + 1).kneighbors(centres)[0][:, k]  # the first neighbour is itself
        cdist = _companion("scipy.spatial.distance").cdist
        return float((cdist(points, centres) <= radius).any(axis=1).mean())

    return covered(generated, real), covered(real, generated)
