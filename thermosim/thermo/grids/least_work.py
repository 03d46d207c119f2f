"""The grid of exactly the least dissipated work, by dynamic programming over a fine mesh.

The work of a grid is a sum over steps, Σ ½(λ_{k+1} − λ_k)·mse(λ_k), so the best way in k + 1 steps to a
level is the best of all first levels of its last step: V_{k+1}(j) = min_i V_k(i) + ½(λ_j − λ_i)·mse_i
(Watson, Ho, Norouzi, Chan 2021, 2106.03802, §3). mse falls, so the best i grows with j, and each layer is
found by halving: once j is known, its neighbours on either side look only to either side of its i.
That is exact on the mesh and costs steps·mesh·ln(mesh).
"""

import numpy as np

from ...errors import UserError


def least_work(curve, sigma_max, sigma_min, steps):
    """The falling grid (steps + 1,) that dissipates the least work over `curve` (`geodesic.MseCurve`).

    Inner levels are points of the curve's mesh; a mesh of M points leaves a relative error of about
    (steps/M)² in P. Where the curve is too flat to use every step, UserError.
    """
    if int(steps) != steps or steps < 1:
        raise UserError(f"a grid needs a whole number of steps, at least 1, not {steps}")
    curve.dissipation([sigma_max, sigma_min])  # the ends lie on the curve, or it says so
    inner = (curve.lam > sigma_max**-2.0) & (curve.lam < sigma_min**-2.0)
    lam = np.concatenate(([sigma_max**-2.0], curve.lam[inner], [sigma_min**-2.0]))
    slope = 0.5 * np.concatenate(([curve.force(sigma_max)], curve.mse[inner], [curve.force(sigma_min)]))
    value, chosen = slope[0] * (lam - lam[0]), []
    for _ in range(steps - 1):
        best = _best_starts(value - slope * lam, slope, lam)
        value = (value - slope * lam)[best] + slope[best] * lam
        chosen.append(best)
    nodes = [len(lam) - 1]
    for best in reversed(chosen):
        nodes.append(best[nodes[-1]])
    sigmas = lam[np.array([0, *nodes[::-1]])] ** -0.5
    sigmas[0], sigmas[-1] = sigma_max, sigma_min
    if np.any(np.diff(sigmas) >= 0):
        raise UserError(f"the error curve is too flat for {steps} steps; ask for fewer or widen the noise levels")
    return sigmas


def _best_starts(offset, slope, x):
    """argmin_i offset_i + slope_i·x_j for every j, of lines whose slope falls while x rises.

    A start i > j is an empty step backwards and never wins: its line lies above that of j itself.
    """
    M = len(x)
    best = np.full(M, -1)
    ends = np.array([0, M - 1])
    best[ends] = [np.argmin(offset + slope * x[j]) for j in ends]
    stride = 1 << (M - 1).bit_length()
    while stride > 1:
        stride //= 2
        j = np.arange(stride, M - 1, 2 * stride)
        if len(j) == 0:
            continue
        first, last = best[j - stride], best[np.minimum(j + stride, M - 1)]
        counts = last - first + 1
        starts = np.cumsum(counts) - counts
        i = np.arange(counts.sum()) - np.repeat(starts - first, counts)  # first_j … last_j for every j
        cost = offset[i] + slope[i] * np.repeat(x[j], counts)
        lowest = np.minimum.reduceat(cost, starts)
        hit = np.flatnonzero(cost == np.repeat(lowest, counts))
        best[j] = i[hit[np.searchsorted(hit, starts)]]  # the first of equals
    return best
