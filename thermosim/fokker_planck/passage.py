"""First passage: the backward equation Kᵀτ = −1 and its relatives on the cells not yet reached.

Source: Gardiner, Handbook of Stochastic Methods, 3rd ed. (2004), §5.2.7 and §5.4.
"""

import numpy as np

from ..errors import UserError
from .grid import Wall


def _inside(generator, reached):
    """Kᵀ restricted to the cells not reached, factored, and their indices."""
    from scipy.sparse.linalg import splu

    inside = np.flatnonzero(~reached.ravel())
    if len(inside) == 0:
        raise UserError("the target covers the whole grid: nothing is left to reach it from")
    backward = generator.matrix()[inside][:, inside].T.tocsc()
    try:
        return splu(backward), inside
    except RuntimeError:
        raise UserError("the target cannot be reached: give an absorbing end, or a target region with cells") from None


def _region(generator, region):
    """A target as (reached cells, rate of leaving each cell through its wall)."""
    grid = generator.grid
    reached, rate = np.zeros(grid.shape, bool), np.zeros(grid.shape)
    if isinstance(region, Wall):
        if not 0 <= region.axis < grid.dimension or grid.axes[region.axis].ends[region.upper] != "absorbing":
            raise UserError(f"{region} is not an absorbing end of this grid")
        edge = (slice(None),) * region.axis + (-1 if region.upper else 0,)
        rate[edge] = (generator.up if region.upper else generator.down)[region.axis][edge]
    elif region is not None:
        reached = np.asarray(region)
        if reached.dtype != bool or reached.shape != grid.shape:
            raise UserError(f"a target is a Wall or a boolean array of the grid's shape {grid.shape}")
        if not reached.any():
            raise UserError("the target holds no cell: enlarge it, or refine the grid")
    return reached, rate


def mean_time(generator, target):
    """τ with Kᵀτ = −1 outside the target, 0 inside."""
    reached, _ = _region(generator, target)
    if not reached.any() and not generator.grid.has_end("absorbing"):
        raise UserError("nothing to reach: give an absorbing end, or a target region")
    factors, inside = _inside(generator, reached)
    tau = np.zeros(reached.size)
    tau[inside] = factors.solve(-np.ones(len(inside)))
    return tau.reshape(reached.shape)


def splitting(generator, target, other):
    """q with Kᵀq = 0 outside, 1 in the target and 0 in the other."""
    reached, rate = _region(generator, target)
    avoided, _ = _region(generator, other)
    if target is None or np.any(reached & avoided):
        raise UserError("splitting needs a target, and an other region that does not overlap it")
    K = generator.matrix()
    into = rate.ravel() + np.asarray(K[reached.ravel()].sum(axis=0)).ravel()
    factors, inside = _inside(generator, reached | avoided)
    q = reached.ravel().astype(float)
    q[inside] = factors.solve(-into[inside])
    return q.reshape(reached.shape)
