"""Devices to compare with the CPU: our CUDA code through g++, and a real card where there is one."""
import importlib
import shutil
import sys

import pytest

from thermosim.backend import open_device
from thermosim.errors import UserError

import shim


@pytest.fixture(scope="session")
def shim_folder(tmp_path_factory):
    """Where compiled sources of this session lie."""
    if shutil.which("g++") is None:
        pytest.skip("no g++ to compile CUDA sources for the CPU with")
    return tmp_path_factory.mktemp("shim")


@pytest.fixture(scope="session")
def shim_gpu(shim_folder):
    """`thermosim.backend.gpu` over the stand-in for cupy."""
    name = "thermosim.backend.gpu"
    with pytest.MonkeyPatch.context() as patch:
        patch.delitem(sys.modules, name, raising=False)     # a real one comes back afterwards
        patch.setitem(sys.modules, "cupy", shim.standin(shim_folder))
        module = importlib.import_module(name)
        del sys.modules[name]
    return module


@pytest.fixture(params=["shim", pytest.param("card", marks=pytest.mark.gpu)])
def gpu(request):
    """A `Gpu` in the portable build."""
    if request.param == "shim":
        return request.getfixturevalue("shim_gpu").Gpu()
    try:
        return open_device("cuda")
    except UserError as cause:
        pytest.skip(str(cause))
