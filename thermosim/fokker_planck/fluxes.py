"""Fluxes between cells: drift and diffusion as the hops of a Markov chain.

Across the face between cells i and i + 1, a distance Δx apart, with w = ΔU/T − fΔx/T the energy to
climb in units of T,

    J = (D/Δx)·[B(w)·p_i − B(−w)·p_{i+1}],   B(z) = z/(e^z − 1),

which is exact for constant J, D and slope: central differences where |w| is small, upwind where it is
large. All hop rates are positive and their ratio is e^{−w}, so p ∝ e^{−U/T} carries no flux at all.

Sources: Scharfetter, Gummel, IEEE Trans. Electron Devices 16, 64 (1969), eq. 16;
Chang, Cooper, J. Comput. Phys. 6, 1 (1970), eq. 14.
"""

import numpy as np

VANISHING = 1e-290     # a flow whose neighbour may already have underflowed to zero


def bernoulli(w):
    """B(w) and B(−w), each ≥ 0 and right to a few roundings for every w."""
    z = np.abs(w)
    with np.errstate(over="ignore", invalid="ignore"):
        b = np.where(z > 0, z / np.expm1(z), 1.0)
    uphill, downhill = b, b + z
    return np.where(w > 0, uphill, downhill), np.where(w > 0, downhill, uphill)


def produced(a, b):
    """(a − b)·ln(a/b) of one-way flows a and b, 0 where both are about to underflow."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where((a == b) | (np.maximum(a, b) < VANISHING), 0.0, (a - b) * (np.log(a) - np.log(b)))


class Generator:
    """dm/dt = K m of the cell masses m, as hop rates along each axis.

    Parameters
    ----------
    grid : Grid
    climbs : list of arrays
        w of every face of every axis: shape of the grid with n + 1 in the place of n along the axis.
        At an absorbing end w runs between wall and centre, on a ring the first and last faces are one;
        reflecting and open ends do not use it.
    diffusivity : float
        D = μT.

    Attributes
    ----------
    climbs
        As given.
    up, down : list of arrays of the grid's shape
        Rates of the hops i → i + 1 and i → i − 1 along each axis, those out of the grid included.
    """

    def __init__(self, grid, climbs, diffusivity):
        self.grid, self.climbs, self.up, self.down, self._sparse = grid, climbs, [], [], None
        for k, (axis, w) in enumerate(zip(grid.axes, climbs)):
            forward, backward = bernoulli(w)
            along = [1] * grid.dimension
            along[k] = -1
            up = forward[self._cut(k, 1, None)] * (diffusivity / (axis.distances[1:] * axis.widths)).reshape(along)
            down = backward[self._cut(k, 0, -1)] * (diffusivity / (axis.distances[:-1] * axis.widths)).reshape(along)
            for rates, cell, end in ((down, 0, axis.ends[0]), (up, -1, axis.ends[1])):
                if end in ("reflecting", "open"):
                    rates[self._at(k, cell)] = 0.0
            self.up.append(up)
            self.down.append(down)

    @staticmethod
    def _cut(k, first, last):
        return (slice(None),) * k + (slice(first, last),)

    @staticmethod
    def _at(k, cell):
        return (slice(None),) * k + (cell,)

    def fastest(self):
        """The largest total rate out of a cell along any one axis."""
        return max(np.max(u + d) for u, d in zip(self.up, self.down))

    def reversible(self):
        """Whether every ring of cells along an axis returns to where it began: Σw around it vanishes."""
        for k, (axis, w) in enumerate(zip(self.grid.axes, self.climbs)):
            around = np.sum(w[self._cut(k, 1, None)], axis=k)
            if axis.periodic and np.any(np.abs(around) > 1e-9 * (1 + np.sum(np.abs(w), axis=k))):
                return False
        return True

    def flows(self, m):
        """Net probability per unit time through every face, one array per axis, n + 1 along the axis."""
        out = []
        for k, (axis, up, down) in enumerate(zip(self.grid.axes, self.up, self.down)):
            rising, falling = up * m, down * m
            shape = list(m.shape)
            shape[k] += 1
            flow = np.zeros(shape)
            flow[self._cut(k, 1, None)] += rising
            flow[self._cut(k, 0, -1)] -= falling
            if axis.periodic:
                seam = flow[self._at(k, 0)] + flow[self._at(k, -1)]
                flow[self._at(k, 0)] = flow[self._at(k, -1)] = seam
            out.append(flow)
        return out

    def apply(self, m):
        """K m."""
        return sum(-np.diff(flow, axis=k) for k, flow in enumerate(self.flows(m)))

    def entropy_production(self, m):
        """Σ over faces of (a − b)·ln(a/b), a and b the two one-way flows; nats per unit time.

        Infinite where mass faces an empty cell; flows about to underflow are left out. Tends to E|ν|²/D with
        second order in the cell width.

        Source: Schnakenberg, Rev. Mod. Phys. 48, 571 (1976), eq. 7.6.
        """
        return float(sum(terms.sum() for terms in self._produced(m)))

    def local_entropy_production(self, m):
        """The same cell by cell, half of every face to either side: array of the grid's shape."""
        total = np.zeros_like(m)
        for k, (axis, terms) in enumerate(zip(self.grid.axes, self._produced(m))):
            if axis.periodic:
                total += 0.5 * (terms + np.roll(terms, 1, axis=k))
            else:
                total[self._cut(k, 0, -1)] += 0.5 * terms
                total[self._cut(k, 1, None)] += 0.5 * terms
        return total

    def _produced(self, m):
        """(a − b)·ln(a/b) of the faces behind the cells of every axis."""
        for k, (axis, up, down) in enumerate(zip(self.grid.axes, self.up, self.down)):
            a, b = (up * m), np.roll(down * m, -1, axis=k)
            if not axis.periodic:
                a, b = a[self._cut(k, 0, -1)], b[self._cut(k, 0, -1)]
            yield produced(a, b)

    def matrix(self):
        """K as a scipy CSC matrix over cells in C order."""
        from scipy.sparse import coo_matrix

        if self._sparse is None:
            size = int(np.prod(self.grid.shape))
            index = np.arange(size).reshape(self.grid.shape)
            row, column, value = [], [], []
            for k, (axis, up, down) in enumerate(zip(self.grid.axes, self.up, self.down)):
                for rates, step, last in ((up, -1, -1), (down, 1, 0)):
                    to, rate = np.roll(index, step, axis=k), rates.copy()
                    row.append(index.ravel())
                    column.append(index.ravel())
                    value.append(-rate.ravel())
                    if not axis.periodic:
                        rate[self._at(k, last)] = 0.0      # out of the grid, to no cell
                    row.append(to.ravel())
                    column.append(index.ravel())
                    value.append(rate.ravel())
            entries = (np.concatenate(value), (np.concatenate(row), np.concatenate(column)))
            self._sparse = coo_matrix(entries, shape=(size, size)).tocsc()
            self._sparse.eliminate_zeros()
        return self._sparse
