"""From one time to the next: fixed steps, or steps whose error is measured.

The semigroup of a Fokker–Planck equation contracts L1 distances, so local errors add up at most: with
each step allowed a share of the tolerance, the sum of the estimates bounds the error in time. Half of
the tolerance is handed out evenly in t, half evenly in ln(t − t0 + τ): a density that starts from a
point needs steps in proportion to its age, and would starve on shares in proportion to time.
"""

import numpy as np

from ..errors import UserError

ROUNDING = 1e-13        # an L1 difference below this is rounding, not an error of the step
DEEPEST = 48            # halvings of an interval


class March:
    """Carries cell masses over intervals, remembering the step size that served last.

    Parameters
    ----------
    advance : callable (m, t, h, steps=1) → (m', books)
        Equal steps of h from t; `books` is an array of what they booked. Its attribute `order` is the order of
        the step.
    tolerance : float
        L1 error allowed over all of `span`.
    start, end : float
        The whole run.
    finest : float
        τ, the time in which the fastest cell empties: what happens faster is below the grid.
    first_steps : int
        The first step tried is this part of the run.

    Attributes
    ----------
    error : float
        Sum of the L1 estimates of all steps taken so far.
    steps : int
        Steps taken so far, the halves that measure the error counted.
    """

    def __init__(self, advance, tolerance, start, end, finest, first_steps):
        self.advance, self.order, self.tolerance = advance, advance.order, tolerance
        self.start, self.span, self.finest = start, end - start, finest
        self.error, self.steps, self._h = 0.0, 0, self.span / first_steps

    def _share(self, t, h):
        """Part of the tolerance for a step from t."""
        age, whole = t - self.start + self.finest, np.log1p(self.span / self.finest)
        return self.tolerance * 0.5 * (h / self.span + np.log1p(h / age) / whole)

    def over(self, m, t0, t1):
        """(masses at t1, books of the interval) by step doubling on a dyadic ladder of the interval.

        Each step is taken once over h and once as two halves, and the halves are kept.
        """
        width, books = t1 - t0, 0.0
        level = min(max(0, int(np.ceil(np.log2(width / self._h)))), DEEPEST)
        done = 0                                   # in units of the current h
        while done < 2**level:
            h = width / 2**level
            t = t0 + done * h
            whole, _ = self.advance(m, t, h)
            half, first = self.advance(m, t, 0.5 * h)
            half, second = self.advance(half, t + 0.5 * h, 0.5 * h)
            error = float(abs(whole - half).sum()) / (2**self.order - 1)
            # the share of the tolerance that this step uses, falls as h^order
            use = 0.0 if error < ROUNDING else error / self._share(t, h)
            if not use <= 1.0:
                finer = level + max(1, int(np.ceil(np.log2(use) / self.order))) if np.isfinite(use) else level + 1
                if level == DEEPEST:
                    raise UserError(f"no step from t = {t:g} meets the tolerance {self.tolerance:g}: raise it, or take "
                                    "another scheme")
                finer = min(finer, level + 8, DEEPEST)
                done, level = done << (finer - level), finer
                continue
            m, books, self._h = half, books + first + second, h
            self.error += error
            self.steps += 2
            done += 1
            if use < 0.7 * 0.5**self.order and level > 0 and done % 2 == 0:
                done, level = done // 2, level - 1
                self._h = 2 * h
        return m, books

    def fixed(self, m, t0, t1, steps):
        """(masses at t1, books of the interval) by equal steps, no error measured."""
        m, books = self.advance(m, t0, (t1 - t0) / steps, steps)
        self.error, self.steps = np.nan, self.steps + steps
        return m, books
