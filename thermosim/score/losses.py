"""The denoising loss and its gradient by hand; its random numbers are a function of seed and step."""
import numpy as np

# Philox streams of training, one for each use, so that none shares numbers with another
INDEX, LEVEL, NOISE = 0x7161, 0x7162, 0x7163


class DenoisingLoss:
    """EDM's weighted denoising loss of minibatch number `step` (Karras et al. 2022, 2206.00364, §5).

        L = ⟨λ(σ) |D(x_0 + σn, σ) − x_0|²⟩/d,   λ = (σ² + σ_d²)/(σ σ_d)² = 1/c_out²

    which in terms of the network is plainly ⟨|F − (x_0 − c_skip x)/c_out|²⟩/d: every noise level
    asks for the same accuracy of F. ln σ is normal with mean P_mean and deviation P_std, held
    within [ln σ_min, ln σ_max].

    Parameters
    ----------
    denoiser : Denoiser
    data : array, (n, d)
        Centred clean data in the network's dtype.
    batch : int
    seed : int
    P_mean, P_std, sigma_min, sigma_max : float
    """

    def __init__(self, denoiser, data, batch, seed, P_mean, P_std, sigma_min, sigma_max):
        self.denoiser, self.data, self.batch, self.seed = denoiser, data, batch, seed
        self.P_mean, self.P_std = P_mean, P_std
        self.log_range = np.log(sigma_min), np.log(sigma_max)
        xp, dtype = denoiser.device.xp, denoiser.network.dtype
        self._inputs = xp.empty((batch, denoiser.network.sizes[0]), dtype)
        self._noise = xp.empty((batch, denoiser.dimension), dtype)

    def draw(self, step):
        """Clean data (batch, d), noise levels (batch,) and unit noise (batch, d) of that step."""
        device, n, d = self.denoiser.device, self.batch, self.denoiser.dimension
        words = device.words(self.seed, INDEX, step, n, 1)[:, 0]
        clean = self.data[(words.astype(np.uint64) * len(self.data)) >> 32]
        level = device.normals(self.seed, LEVEL, step, n, 1)[:, 0]
        sigma = device.xp.exp(device.xp.clip(self.P_mean + self.P_std * level, *self.log_range))
        noise = device.normals(self.seed, NOISE, step, n, d, dtype=self._noise.dtype, out=self._noise)
        return clean, sigma, noise

    def residual(self, clean, sigma, noise):
        """F − target, (n, d), in the network's own buffer."""
        model, dtype = self.denoiser, clean.dtype
        c_skip, c_out, _ = (c.astype(dtype) for c in model.coefficients(sigma))
        noisy = clean + sigma.astype(dtype)[:, None] * noise
        F = model.network.forward(model.inputs(noisy, sigma, self._inputs))
        F -= (clean - c_skip * noisy) / c_out
        return F

    def value(self, step):
        """The loss of minibatch `step`, a 0-d array of the device."""
        return self.denoiser.device.xp.mean(self.residual(*self.draw(step)) ** 2)

    def __call__(self, step):
        """The loss of minibatch `step`, and its gradient (n_parameters,): ∂L/∂F = 2(F − target)/(n d)."""
        r = self.residual(*self.draw(step))
        loss = self.denoiser.device.xp.mean(r**2)
        r *= r.dtype.type(2 / r.size)
        return loss, self.denoiser.network.backward(r)
