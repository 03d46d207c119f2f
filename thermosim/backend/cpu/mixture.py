"""Gaussian mixtures seen through noise: exact denoiser, density and posterior covariance in any dimension.

Data law Σ_k w_k N(μ_k, V_k diag(l_k) V_kᵀ), observation x = x₀ + σ n. With v = l + σ² the observation is
again a mixture, and every answer follows from its responsibilities r_k(x):

    ln q_k = ln w_k − ½ Σ_j [y_j²/v_j + ln 2πv_j],        y = V_kᵀ(x − μ_k)
    ln p_σ = ln Σ_k q_k,                                  r_k = q_k / p_σ
    E[x₀|x] = Σ_k r_k m_k,                                m_k = μ_k + V_k diag(l/v) y
    Cov[x₀|x] = Σ_k r_k (V_k diag(lσ²/v) V_kᵀ + δ_k δ_kᵀ),  δ_k = m_k − E[x₀|x]

The score is (E[x₀|x] − x)/σ² (Tweedie; Robbins 1956). Each particle is computed in a fixed order of
its own: bits do not depend on threads or on how a batch is split. NaN in x gives NaN out.
"""
import numpy as np

from ...errors import UserError
from .bits import fma
from .compile import strict
from .elementary import exp, log
from .threads import over_threads

LANES = 512                  # most particles side by side
TILE = 8192                  # numbers in one (d, lanes) tile: four of them stay in the second-level cache
SHARE = 8192                 # multiplications worth a thread


@strict
def _add_rows(coefficients, rows, out, width):
    """out[:width] += Σ_i coefficients[i]·rows[i, :width], in the order of i."""
    count = coefficients.size
    fours = count // 4 * 4
    for i in range(0, fours, 4):
        c0, c1, c2, c3 = coefficients[i], coefficients[i + 1], coefficients[i + 2], coefficients[i + 3]
        r0, r1, r2, r3 = rows[i], rows[i + 1], rows[i + 2], rows[i + 3]
        for b in range(width):
            out[b] = fma(c3, r3[b], fma(c2, r2[b], fma(c1, r1[b], fma(c0, r0[b], out[b]))))
    for i in range(fours, count):
        c, row = coefficients[i], rows[i]
        for b in range(width):
            out[b] = fma(c, row[b], out[b])


@strict
def _principal(x, mean, turn, shifted, y, lanes):
    """y = Vᵀ(x − μ) of a tile x (d, lanes); `turn` is Vᵀ."""
    for i in range(mean.size):
        target, row, mu = shifted[i], x[i], mean[i]
        for b in range(lanes):
            target[b] = row[b] - mu
    for j in range(mean.size):
        row = y[j]
        for b in range(lanes):
            row[b] = 0.0
        _add_rows(turn[j], shifted, row, lanes)


@strict
def _log_term(y, inverse, offset, out, lanes):
    """out = offset − ½ Σ_j y_j²/v_j."""
    for b in range(lanes):
        out[b] = 0.0
    for j in range(inverse.size):
        row, c = y[j], inverse[j]
        for b in range(lanes):
            out[b] = fma(row[b] * c, row[b], out[b])
    for b in range(lanes):
        out[b] = fma(-0.5, out[b], offset)


@strict
def _shares(q, logp, total, largest, lanes):
    """q (K, lanes) from logarithms to exp(q − max q), `total` their sum and logp = ln Σ exp q, safe at any size."""
    for b in range(lanes):
        largest[b] = q[0, b]
        total[b] = 0.0
    for k in range(1, q.shape[0]):
        row = q[k]
        for b in range(lanes):
            largest[b] = row[b] if row[b] > largest[b] else largest[b]
    for k in range(q.shape[0]):
        row = q[k]
        for b in range(lanes):
            row[b] = exp(row[b] - largest[b])
            total[b] += row[b]
    for b in range(lanes):
        logp[b] = largest[b] + log(total[b])


@strict
def _add_mean(r, y, gain, mean, back, denoised, lanes):
    """denoised += r (μ + V diag(gain) y), `back` being V; y is used up."""
    for j in range(mean.size):
        row, g = y[j], gain[j]
        for b in range(lanes):
            row[b] = r[b] * (g * row[b])
    for i in range(mean.size):
        row, mu = denoised[i], mean[i]
        for b in range(lanes):
            row[b] = fma(r[b], mu, row[b])
        _add_rows(back[i], y, row, lanes)


@strict
def _log_term_diagonal(x, mean, inverse, offset, out, lanes):
    """`_principal` and `_log_term` in one, V being the unit matrix."""
    for b in range(lanes):
        out[b] = 0.0
    for j in range(mean.size):
        row, mu, c = x[j], mean[j], inverse[j]
        for b in range(lanes):
            y = row[b] - mu
            out[b] = fma(y * c, y, out[b])
    for b in range(lanes):
        out[b] = fma(-0.5, out[b], offset)


@strict
def _add_mean_diagonal(r, x, gain, mean, denoised, lanes):
    """`_principal` and `_add_mean` in one, V being the unit matrix."""
    for j in range(mean.size):
        row, out, g, mu = x[j], denoised[j], gain[j], mean[j]
        for b in range(lanes):
            out[b] = fma(r[b], mu, out[b]) + r[b] * (g * (row[b] - mu))


@strict
def _denoise(start, stop, x, denoised, logp, width, offset, inverse, gain, means, back, turn):
    """Particles start … stop − 1, in tiles (d, width): the one place where (n, d) is transposed."""
    components, d = means.shape
    turned = turn.size > 0
    tile, shifted, y, mean = (np.empty((d, width)), np.empty((d, width)), np.empty((d, width)),
                              np.empty((d, width)))
    q, total, largest = np.empty((components, width)), np.empty(width), np.empty(width)
    for p in range(start, stop, width):
        lanes = min(width, stop - p)
        for i in range(d):
            for b in range(lanes):
                tile[i, b] = x[p + b, i]
                mean[i, b] = 0.0
        for k in range(components):
            if turned:
                _principal(tile, means[k], turn[k], shifted, y, lanes)
                _log_term(y, inverse[k], offset[k], q[k], lanes)
            else:
                _log_term_diagonal(tile, means[k], inverse[k], offset[k], q[k], lanes)
        _shares(q, logp[p:p + lanes], total, largest, lanes)
        for k in range(components):
            present = False
            for b in range(lanes):
                present |= q[k, b] != 0.0       # at small σ most components are nowhere near
            if present and not turned:
                _add_mean_diagonal(q[k], tile, gain[k], means[k], mean, lanes)
            elif present:
                if components > 1:              # one component: y is still there
                    _principal(tile, means[k], turn[k], shifted, y, lanes)
                _add_mean(q[k], y, gain[k], means[k], back[k], mean, lanes)
        for i in range(d):
            for b in range(lanes):
                denoised[p + b, i] = mean[i, b] / total[b]


@strict
def _add_pull_diagonal(r, x, inverse, mean, force, lanes):
    """force −= r (x − μ)/v."""
    for j in range(mean.size):
        row, out, c, mu = x[j], force[j], inverse[j], mean[j]
        for b in range(lanes):
            out[b] = fma(-r[b], c*(row[b] - mu), out[b])


@strict
def mixture_energy(x, force, energy, lanes, sigma, theta, tables):
    """U = −θ ln p_σ and −∇U of a tile x (d, width): force (d, width), energy (width,), in the type of x.

    `tables` is log_weights, means, eigvals, V and Vᵀ as in `symbolic.loops.LogSum`. Arithmetic is float64.
    """
    log_weights, means, eigvals, back, turn = tables
    (components, d), width, turned = means.shape, x.shape[1], turn.size > 0
    inverse, offset, pull, origin = np.empty((components, d)), np.empty(components), np.empty(d), np.zeros(d)
    variance, unit = np.float64(sigma)*np.float64(sigma), np.float64(theta)
    for k in range(components):
        volume = 0.0
        for j in range(d):
            inverse[k, j] = 1.0/(eigvals[k, j] + variance)
            volume += log(2*np.pi*(eigvals[k, j] + variance))
        offset[k] = fma(-0.5, volume, log_weights[k])
    tile, shifted, y, mean = (np.empty((d, width)), np.empty((d, width)), np.empty((d, width)), np.zeros((d, width)))
    q, total, largest, log_p = np.empty((components, width)), np.empty(width), np.empty(width), np.empty(width)
    for i in range(d):
        for b in range(lanes):
            tile[i, b] = x[i, b]
    for k in range(components):
        if turned:
            _principal(tile, means[k], turn[k], shifted, y, lanes)
            _log_term(y, inverse[k], offset[k], q[k], lanes)
        else:
            _log_term_diagonal(tile, means[k], inverse[k], offset[k], q[k], lanes)
    _shares(q, log_p, total, largest, lanes)
    for k in range(components):
        if not turned:
            _add_pull_diagonal(q[k], tile, inverse[k], means[k], mean, lanes)
            continue
        if components > 1:                  # one component: y is still there
            _principal(tile, means[k], turn[k], shifted, y, lanes)
        for j in range(d):
            pull[j] = -inverse[k, j]
        _add_mean(q[k], y, pull, origin, back[k], mean, lanes)
    for b in range(lanes):
        energy[b] = -unit*log_p[b]
        total[b] = unit/total[b]
    for i in range(d):
        for b in range(lanes):
            force[i, b] = total[b]*mean[i, b]


@strict
def _covariance(start, stop, x, denoised, logp, trace, square,
                offset, inverse, gain, means, back, turn, within, spread):
    """Trace and squared Frobenius norm of Cov[x₀|x]; rows of the matrix are formed one at a time.

    `within` (K, d) is lσ²/v, and `spread` (K, d, d) is V diag(lσ²/v) Vᵀ or empty.
    """
    components, d = means.shape
    r, delta = np.empty(components), np.empty((components, d))
    shifted, y, row, squares = np.empty(d), np.empty(d), np.empty(d), np.empty(d)
    turned = turn.size > 0
    for p in range(start, stop):
        for k in range(components):
            for i in range(d):
                shifted[i] = x[p, i] - means[k, i]
                y[i] = 0.0 if turned else shifted[i]
            if turned:
                _add_rows(shifted, back[k], y, d)
            form = 0.0
            for i in range(d):
                form = fma(y[i] * inverse[k, i], y[i], form)
            r[k] = exp(fma(-0.5, form, offset[k]) - logp[p])
            if r[k] != 0.0:
                for i in range(d):
                    y[i] *= gain[k, i]
                    delta[k, i] = means[k, i] - denoised[p, i] + (0.0 if turned else y[i])
                if turned:
                    _add_rows(y, turn[k], delta[k], d)
        trace[p] = 0.0
        for i in range(d):
            squares[i] = 0.0
        for i in range(d):
            for j in range(d):
                row[j] = 0.0
            for k in range(components):
                if r[k] != 0.0:
                    c = r[k] * delta[k, i]
                    for j in range(d):
                        row[j] = fma(c, delta[k, j], row[j])
                    if turned:
                        for j in range(d):
                            row[j] = fma(r[k], spread[k, i, j], row[j])
                    else:
                        row[i] = fma(r[k], within[k, i], row[i])
            trace[p] += row[i]
            for j in range(d):
                squares[j] = fma(row[j], row[j], squares[j])
        square[p] = 0.0
        for i in range(d):
            square[p] += squares[i]


def _tables(x, sigma, weights, means, eigvals, eigvecs):
    """Contiguous float64 inputs and the per-component numbers that σ fixes."""
    x = np.ascontiguousarray(x, dtype=np.float64)
    weights, means, eigvals = (np.ascontiguousarray(a, dtype=np.float64) for a in (weights, means, eigvals))
    components, d = means.shape if means.ndim == 2 else (0, 0)
    shapes = [("x", x, (x.shape[0] if x.ndim else 0, d)), ("weights", weights, (components,)),
              ("means", means, (components, d)), ("eigvals", eigvals, (components, d))]
    if eigvecs is None:
        back = turn = np.empty((components, 0, 0))
    else:
        back = np.ascontiguousarray(eigvecs, dtype=np.float64)
        shapes.append(("eigvecs", back, (components, d, d)))
        turn = np.ascontiguousarray(np.swapaxes(back, -1, -2))
    for name, a, shape in shapes:
        if a.shape != shape or not components or not d:
            raise UserError(f"mixture: {name} has shape {a.shape}; expected x (n, d), weights (K,), "
                            "means and eigvals (K, d), eigvecs (K, d, d)")
    variance = eigvals + sigma * sigma
    if not np.all(variance > 0) or not np.all(eigvals >= 0) or not np.all(weights > 0):
        raise UserError(f"mixture: weights must be positive, eigenvalues not negative, and eigenvalues + σ² "
                        f"positive (σ = {sigma}); drop empty components or raise σ")
    offset = np.log(weights) - 0.5 * np.sum(np.log(2 * np.pi * variance), axis=1)
    gain = eigvals / variance
    return x, (offset, 1 / variance, gain, means, back, turn), sigma * sigma * gain


def _share(tables):
    """Particles worth a thread, by the multiplications that one takes."""
    means, turn = tables[3], tables[5]
    return max(1, SHARE // (means.size + 2 * turn.size))


def mixture_denoise(x, sigma, weights, means, eigvals, eigvecs=None):
    """Exact denoiser and log-density of a Gaussian mixture at noise level σ.

    Parameters
    ----------
    x : array, shape (n, d)
        Noisy observations x₀ + σ n.
    sigma : float ≥ 0
        Noise level, in the units of x; 0 is allowed where every eigenvalue is positive.
    weights : array, shape (K,)
        Positive; their sum is the normalisation of the density.
    means, eigvals : arrays, shape (K, d)
        Means, and eigenvalues of the covariances.
    eigvecs : array, shape (K, d, d), optional
        Orthonormal eigenvectors as columns. None: covariances are diagonal.

    Returns
    -------
    denoised : ndarray, shape (n, d)
        E[x₀ | x].
    logp : ndarray, shape (n,)
        ln p_σ(x).

    Raises
    ------
    UserError
        If shapes do not agree or a covariance is singular at this σ.
    """
    x, tables, _ = _tables(x, sigma, weights, means, eigvals, eigvecs)
    n, d = x.shape
    denoised, logp = np.empty((n, d)), np.empty(n)
    width = max(16, min(LANES, TILE // d))
    over_threads(_denoise, n, _share(tables), x, denoised, logp, width, *tables)
    return denoised, logp


def mixture_covariance(x, sigma, weights, means, eigvals, eigvecs=None):
    """`mixture_denoise`, and two invariants of the posterior covariance Cov[x₀ | x].

    Their means over x are the minimum mean-square error and, with λ = 1/σ², minus its slope:
    mmse = E tr Cov and d mmse/dλ = −E‖Cov‖_F² (Guo, Shamai & Verdú 2005; Payaró & Palomar 2009).

    Parameters
    ----------
    x, sigma, weights, means, eigvals, eigvecs
        As in `mixture_denoise`.

    Returns
    -------
    denoised : ndarray, shape (n, d)
    logp : ndarray, shape (n,)
    trace : ndarray, shape (n,)
        tr Cov[x₀ | x].
    square : ndarray, shape (n,)
        ‖Cov[x₀ | x]‖_F².

    Raises
    ------
    UserError
        As `mixture_denoise`.
    """
    denoised, logp = mixture_denoise(x, sigma, weights, means, eigvals, eigvecs)
    x, tables, within = _tables(x, sigma, weights, means, eigvals, eigvecs)
    back, turn = tables[-2:]
    spread = (back * within[:, None, :]) @ turn if back.size else back
    n, d = x.shape
    trace, square = np.empty(n), np.empty(n)
    over_threads(_covariance, n, _share(tables), x, denoised, logp, trace, square, *tables, within, spread)
    return denoised, logp, trace, square
