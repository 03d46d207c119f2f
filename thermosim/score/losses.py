"""The family of losses: what each asks of a network's answer, its value and its gradient by hand.

A loss is a plain record. ``loss(model, batches, step)`` gives its value on minibatch number `step` and the gradient
(n_parameters,), ``loss.value(model, batches, step)`` the value alone, ``loss.outputs(d)`` how many outputs it wants
of a network for d components. Random numbers are functions of seed and step (`levels.Minibatches`).

Which quantity the network predicts is no matter of the loss: the model's parametrisation says it.
"""
from dataclasses import dataclass

from .levels import LogNormal


class Loss:
    """A loss that is a function of the network's answer F alone: value and ∂L/∂F come from `parts`."""

    def outputs(self, d):
        """Outputs of the network for d components."""
        return d

    def parts(self, model, batches, step):
        """L as a 0-d array of the device, and ∂L/∂F of F's shape."""
        raise NotImplementedError

    def value(self, model, batches, step):
        """The loss of minibatch `step`, a 0-d array of the device."""
        return self.parts(model, batches, step)[0]

    def __call__(self, model, batches, step):
        """The loss of minibatch `step`, and its gradient (n_parameters,), a view of the network's own."""
        loss, d = self.parts(model, batches, step)
        return loss, model.network.backward(d)


@dataclass(frozen=True)
class DenoisingLoss(Loss):
    """Weighted denoising: L = ⟨w(σ) |F − target|²⟩/d, w and target those of the model's parametrisation.

    It is noise, clean-data, velocity or score prediction or EDM's loss as the parametrisation is; all of them are
    ⟨w/c_out² |D(x_0 + σn, σ) − x_0|²⟩/d and least where D = E[x_0|x].

    Parameters
    ----------
    levels : object with draw(batches, step) → (batch,) noise levels
        `levels.LogNormal` or `levels.Among`.
    """

    levels: object = LogNormal()

    def parts(self, model, batches, step):
        clean, noise = batches.clean(step), batches.noise(step)
        sigma = self.levels.draw(batches, step)
        answer, c_out = prediction_error(model, clean, sigma, noise)
        return weighted_square(model.device.xp, model.weight(sigma), answer)


def prediction_error(model, clean, sigma, noise):
    """The network's answer to x = clean + σ·noise, its first d columns less their target, and c_out (n, 1).

    Parameters
    ----------
    model : Denoiser
    clean, noise : array (n, d), of the network's dtype, `clean` centred
    sigma : array (n,), float64

    Returns
    -------
    answer : (n, outputs), in the network's own buffer
    c_out : (n, 1), of the network's dtype
    """
    dtype = clean.dtype
    c_skip, c_out, _ = (c.astype(dtype) for c in model.coefficients(sigma))
    noisy = clean + sigma.astype(dtype)[:, None] * noise
    answer = model.answer(noisy, sigma)
    answer[:, :model.dimension] -= (clean - c_skip * noisy) / c_out
    return answer, c_out


def weighted_square(xp, weight, r):
    """⟨w r²⟩ over all elements, and its derivative by r, which takes the place of r; w (n, 1)."""
    weight = weight.astype(r.dtype)
    loss = xp.mean(weight * r**2)
    r *= weight * r.dtype.type(2 / r.size)
    return loss, r
