"""How W, Q_h and Q_c of one turn scatter, and how they answer to a slower turn; overdamped, in closed moments.

y = x² obeys dy = (2μT − 2μky)dt + noise of intensity 8μTy, and dQ = ½k dy: all linear in y, so the covariances of y,
of its value at the start and of the two heats close without further assumption.
"""

from dataclasses import dataclass

import numpy as np

from ...errors import UserError
from .moments import OverdampedMoments, limit_cycle


@dataclass(frozen=True)
class Scatter:
    """One turn of a limit cycle, in the order W, Q_h, Q_c.

    Attributes
    ----------
    mean : (3,) array
    covariance : (3, 3) array
    slowing : (3,) array
        Derivative of the means by ln(duration), all strokes slowed alike, from the same law at the start.
    """

    mean: np.ndarray
    covariance: np.ndarray
    slowing: np.ndarray

    def least_entropy(self):
        """Σ ≥ 2 gᵀC⁻¹g, g the slowing, C the covariance: the uncertainty relation of a driven turn.

        Var(X)·Σ ≥ 2(∂⟨X⟩/∂ln τ)² for every current or state variable X of overdamped dynamics whose control and bath
        depend on t/τ alone, from any law at the start that is held while τ varies (Koyuk, Seifert, Phys. Rev. Lett.
        125, 260604 (2020), 2005.02312); the best linear combination of W, Q_h and Q_c is taken. Without driving it is
        the relation of steady states, Var(X)·Σ ≥ 2⟨X⟩², which a driven turn may violate.
        """
        # a combination that hardly scatters is left out: it would divide error by error, and the bound only weakens
        return float(2*self.slowing @ np.linalg.pinv(self.covariance, rcond=1e-7, hermitian=True) @ self.slowing)


def scatter(strokes, medium=OverdampedMoments()):
    """Means and covariances of one turn of the limit cycle.

    Parameters
    ----------
    strokes : sequence of Stroke
    medium : OverdampedMoments

    Returns
    -------
    Scatter

    Raises
    ------
    UserError
        For an underdamped medium.
    """
    from scipy.integrate import solve_ivp

    if not isinstance(medium, OverdampedMoments):
        raise UserError("the scatter of a turn is closed for overdamped moments only: take by_particles")
    strokes, mu = tuple(strokes), medium.mobility
    turn = limit_cycle(strokes, medium)
    hot = turn.books.hot
    w0 = turn.width[0]

    def of(s, bath):
        """d/dt of (⟨y⟩, its slowing, heats (2,), their slowing (2,), covariance of y, y(0), Q_h, Q_c (4, 4))."""
        def rate(t, z):
            k, (w, slow), S = s.k(t), z[:2], z[6:].reshape(4, 4)
            dw = 2*mu*(s.temperature - k*w)
            dslow = dw - 2*mu*k*slow
            noise = np.array([1.0, 0.0, *(0.5*k*bath)])
            drift = np.outer(-2*mu*k*noise, S[0])
            return np.concatenate([[dw, dslow], 0.5*k*dw*bath, 0.5*k*dslow*bath,
                                   (drift + drift.T + 8*mu*s.temperature*w*np.outer(noise, noise)).ravel()])
        return rate

    S = np.zeros((4, 4))
    S[:2, :2] = 2*w0**2                                     # y of a centred Gaussian x
    z = np.concatenate([[w0, 0.0], np.zeros(4), S.ravel()])
    for s in strokes:
        bath = np.array([1.0, 0.0]) if s.temperature == hot else np.array([0.0, 1.0])
        z = solve_ivp(of(s, bath), (0.0, s.duration), z, method="LSODA", rtol=1e-10, atol=1e-12).y[:, -1]
    k = strokes[-1].k(strokes[-1].duration)                 # the turn opens with the jump to its first stroke
    taken = np.array([[0.5*k, -0.5*k, -1.0, -1.0], [0, 0, 1, 0], [0, 0, 0, 1]])     # W by the first law, Q_h, Q_c
    return Scatter(taken @ [z[0], w0, *z[2:4]], taken @ z[6:].reshape(4, 4) @ taken.T, taken @ [z[1], 0.0, *z[4:6]])
