"""Where there is no GPU to use: one line that names the cause and the cure."""
import importlib
import sys

import pytest

from thermosim.errors import UserError

import shim

NAME = "thermosim.backend.gpu"


class RuntimeFault(RuntimeError):
    pass


@pytest.fixture
def refusal(monkeypatch, tmp_path):
    """The message of opening a Gpu where `spoil(cupy)` has made something missing."""
    def message(spoil):
        cupy = shim.standin(tmp_path)
        cupy.cuda.runtime.CUDARuntimeError = RuntimeFault
        monkeypatch.setitem(sys.modules, "cupy", spoil(cupy))
        monkeypatch.delitem(sys.modules, NAME, raising=False)
        with pytest.raises(UserError) as caught:
            importlib.import_module(NAME).Gpu()
        sys.modules.pop(NAME, None)
        text = str(caught.value)
        assert "\n" not in text and text.startswith("device cuda") and "--device cpu" in text
        return text
    return message


def broken_runtime(fault, driver, built):
    def spoil(cupy):
        def count():
            raise RuntimeFault(fault)
        cupy.cuda.runtime.getDeviceCount = count
        cupy.cuda.runtime.driverGetVersion = lambda: driver
        cupy.cuda.runtime.runtimeGetVersion = lambda: built
        return cupy
    return spoil


def no_cards(cupy):
    cupy.cuda.runtime.getDeviceCount = lambda: 0
    return cupy


def no_compiler(cupy):
    def version():
        raise RuntimeError("Failure finding libnvrtc\n")
    cupy.cuda.nvrtc.getVersion = version
    return cupy


def test_no_cupy(refusal):
    # a module that is None is one that Python refuses to import
    assert 'pip install "thermosim[cuda12]"' in refusal(lambda cupy: None)


@pytest.mark.parametrize("spoil, says", [
    (broken_runtime("cudaErrorInsufficientDriver: …", 0, 13020), "no NVIDIA driver"),
    (broken_runtime("cudaErrorInsufficientDriver: …", 12040, 13020), "CUDA 12.4, CuPy was built for 13.2"),
    (broken_runtime("cudaErrorNoDevice: no device is detected", 13020, 13020), "cudaErrorNoDevice"),
    (no_cards, "finds no GPU"),
    (no_compiler, "NVRTC"),
])
def test_what_is_missing_is_named(refusal, spoil, says):
    assert says in refusal(spoil)
