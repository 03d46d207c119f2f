"""Denoisers from outside: a PyTorch module or a JAX function, its arrays handed over by DLPack and not copied.

DLPack passes the address of an array between libraries. A copy is made only where one is needed: where the
outside code works in another precision than x, and by JAX where x does not begin at a multiple of 64 bytes.
"""

import numpy as np

from ..backend.cpu.device import Cpu
from ..errors import UserError


class Foreign:
    """A callable of another array library as denoiser(x, sigma) on arrays of a device.

    Parameters
    ----------
    function : callable (x, sigma) → E[x_0|x]
        On that library's arrays. It must not write to x, nor to what it has returned before: the memory is shared.
    take : callable
        That library's from_dlpack.
    level : callable (sigma, x) → sigma
        The noise level as `function` wants it beside its x.
    dtype : dtype or None
        Precision that x is handed over in; None: as it is.
    device : Cpu or Gpu, optional
        Whose arrays come and go.

    Calling it returns an array of the device in the dtype of x.

    Raises
    ------
    UserError
        When called: an answer of another shape than x.
    """

    def __init__(self, function, take, level, dtype=None, device=None):
        self.function, self.take, self.level, self.dtype = function, take, level, dtype
        self.device = device or Cpu()

    def __call__(self, x, sigma):
        given = x.astype(self.dtype or x.dtype, copy=False)
        if not getattr(given.flags, "writeable", True):  # not every library takes what it may not write to
            given = given.copy()
        theirs = self.take(given)
        D = self.device.xp.from_dlpack(self.function(theirs, self.level(sigma, theirs)))
        if D.shape != x.shape:
            raise UserError(f"the outside denoiser answers shape {tuple(D.shape)} to x of shape {tuple(x.shape)}; "
                            "it must return E[x_0|x], one row a particle")
        return D.astype(x.dtype, copy=False)


def torch_denoiser(module, device=None):
    """A PyTorch module or function as denoiser(x, sigma), ledger and all.

    Parameters
    ----------
    module : torch.nn.Module or callable (x, sigma) → E[x_0|x]
        x is a tensor (n, d) and sigma a 0-d tensor of its dtype (``sigma.expand(len(x))`` is a column for
        networks that want one). A module is given the dtype of its parameters, a function that of x.
        Gradients are off.
    device : Cpu or Gpu, optional
        Where x lives; the module's parameters must live there too.

    Returns
    -------
    Foreign

    Raises
    ------
    UserError
        Where PyTorch is not installed; parameters of a type that NumPy does not know.
    """
    try:
        import torch
    except ImportError:
        raise UserError('a PyTorch denoiser needs PyTorch: pip install "thermosim[torch]"') from None

    parameter = next(iter(getattr(module, "parameters", tuple)()), None)
    dtype = None if parameter is None else str(parameter.dtype).removeprefix("torch.")
    if dtype not in (None, "float16", "float32", "float64"):
        raise UserError(f"a module of {dtype} has no NumPy counterpart: give it in float32 or float64, or a function that casts")

    def level(sigma, x):
        return torch.as_tensor(sigma, dtype=x.dtype, device=x.device)

    return Foreign(torch.no_grad()(lambda x, sigma: module(x, sigma)), torch.from_dlpack, level, dtype, device)


def jax_denoiser(function, device=None):
    """A JAX function, jitted or not, as denoiser(x, sigma), ledger and all.

    Parameters
    ----------
    function : callable (x, sigma) → E[x_0|x]
        x is a JAX array (n, d), float32 unless jax_enable_x64 is set; sigma is a float.
    device : Cpu or Gpu, optional
        Where x lives.

    Returns
    -------
    Foreign

    Raises
    ------
    UserError
        Where JAX is not installed.
    """
    try:
        import jax
    except ImportError:
        raise UserError('a JAX denoiser needs JAX: pip install "thermosim[jax]"') from None

    dtype = None if jax.config.jax_enable_x64 else np.float32
    return Foreign(function, jax.numpy.from_dlpack, lambda sigma, x: sigma, dtype, device)
