"""How arrays and loops run: one device object, the same methods whether CPU or GPU."""
from ..names import unknown


def open_device(name="cpu"):
    """The device of that name, ready for work.

    Parameters
    ----------
    name : {"cpu", "cuda"}

    Returns
    -------
    Cpu or Gpu
        `thermosim.backend.cpu.device.Cpu` says what a device does.

    Raises
    ------
    UserError
        Unknown name; or CUDA asked for where CuPy, the driver or the card is missing (says which).
    """
    # imported only when asked for: Numba takes half a second to load, and CuPy may not be there
    if name == "cpu":
        from .cpu.device import Cpu
        return Cpu()
    if name == "cuda":
        from .gpu import Gpu
        return Gpu()
    raise unknown("device", name, ("cpu", "cuda"))
