"""Training a denoiser: Adam, a running mean of the weights, and a checkpoint that resumes bit for bit."""
import hashlib
import math
import time
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path

import numpy as np

from ..errors import UserError
from ..files.checkpoint import Journal, config_key
from ..files.progress import Progress
from ..files.tree import Dataset, Group
from .architecture import Perceptron
from .conditioning import FourierFeatures
from .denoiser import Denoiser
from .levels import LogNormal, Minibatches
from .losses import DenoisingLoss
from .rates import WarmupCosine

REPORT_STEPS = 50          # between looks at the loss: on a GPU each look waits for the queue to drain
CHECKPOINT_SECONDS = 20.0
VALIDATION_ROWS = 2048
VALIDATION_STEP = 2**33    # draw numbers that no training step reaches


@dataclass(frozen=True)
class TrainConfig:
    """All that a training run depends on, beside its data.

    Parameters
    ----------
    width, depth : int
        Neurons of a hidden layer, and number of hidden layers.
    features : int
        Pairs of Fourier features of the noise level.
    batch, steps : int
    rate : float
        Largest learning rate: reached linearly over `warmup` steps, then down to 0 along a half cosine.
    warmup : int, optional
        By default a tenth of the steps.
    schedule : object of `thermosim.score.rates`, optional
        Another course of the learning rate; `warmup` is then not looked at.
    beta1, beta2 : float
        Memory of Adam's two moments.
    decay : float
        Weight decay per unit of learning rate, decoupled from the gradient (AdamW).
    ema : float, optional
        Half-life in steps of the running mean of the weights, by default a fifteenth of all steps. The
        mean is what is kept.
    P_mean, P_std, sigma_min, sigma_max : float
        Noise levels seen: ln σ normal, held within the range. Not looked at where `loss` is given.
    validate_every : int
        Steps between looks at the validation data.
    seed : int
    dtype : {"float32", "float64"}
    parametrisation : object of `thermosim.score.parametrisation`, optional
        What the network predicts; by default EDM's target.
    architecture : object of `thermosim.score.architecture`, optional
        What network; by default a `Perceptron` of the width, depth and features above.
    loss : object of the family of `thermosim.score.losses`, optional
        By default a `DenoisingLoss` over the noise levels above.
    clip : float, optional
        Largest Euclidean norm of the whole gradient; a longer one is shortened to it.
    patience : int, optional
        Training ends after so many looks at the validation data in a row without a new lowest loss.
    """

    width: int = 384
    depth: int = 3
    features: int = 8
    batch: int = 256
    steps: int = 4000
    rate: float = 3e-3
    warmup: int | None = None
    beta1: float = 0.9
    beta2: float = 0.999
    decay: float = 0.2
    ema: float | None = None
    P_mean: float = -0.8
    P_std: float = 1.2
    sigma_min: float = 0.01
    sigma_max: float = 20.0
    validate_every: int = 200
    seed: int = 0
    dtype: str = "float32"
    parametrisation: object = None
    architecture: object = None
    loss: object = None
    schedule: object = None
    clip: float | None = None
    patience: int | None = None

    def learning_rate(self, step):
        """Of step 0, 1, … steps − 1."""
        return (self.schedule or WarmupCosine(self.warmup))(self.rate, step, self.steps)

    def follow(self, step):
        """How much of the new weights enters their running mean; early on it is a plain average."""
        half_life = self.steps / 15 if self.ema is None else self.ema
        return max(1 - 0.5 ** (1 / half_life), 1 / (step + 1))

    def settings(self):
        """All that is set, as a dict of what JSON can hold; a record in it is a dict with its class as "is"."""
        # what came after runs had been named is left out where it is not used: their names still find them
        later = {"parametrisation", "architecture", "loss", "schedule", "clip", "patience"}
        plain = {f.name: _plain(getattr(self, f.name)) for f in fields(self)}
        return {name: value for name, value in plain.items() if value is not None or name not in later}


def _plain(value):
    if is_dataclass(value):
        return {"is": type(value).__name__, **{f.name: _plain(getattr(value, f.name)) for f in fields(value)}}
    return value.tolist() if isinstance(value, (np.ndarray, np.generic)) else value


def trained(data, config, device, folder, validation=None):
    """The denoiser of these data and settings: the one that an earlier run left in `folder`, else a new one.

    Parameters and errors are those of `train`. The file is ``denoiser-<key>.h5``, its key a hash of
    data and settings, so that other data or settings never find it; checkpoints live beside it until
    training is done.
    """
    folder = Path(folder)
    path = folder / f"denoiser-{training_key(data, config, validation)}.h5"
    if path.exists():
        return Denoiser.load(path, device)
    with Journal(folder / "work" / path.stem) as journal:
        denoiser = train(data, config, device, validation, journal)
        denoiser.save(path)
        journal.clear()
    return denoiser


def training_key(data, config, validation=None):
    """Name of a training run: 16 hexadecimal digits of its settings and its very data."""
    def digest(x):
        return None if x is None else hashlib.sha256(np.ascontiguousarray(x, np.float64).tobytes()).hexdigest()

    return config_key({"settings": config.settings(), "data": [digest(data), digest(validation)]})


def train(data, config, device, validation=None, journal=None):
    """Fit a denoiser to data.

    Every random number is a function of the seed and the step, so an interrupted run that goes on
    from its checkpoint ends in the same bits as one that was never interrupted, whatever the number of
    threads.

    Parameters
    ----------
    data : array_like, (n, d)
    config : TrainConfig
    device : Cpu or Gpu
    validation : array_like, (m, d), optional
        Data to stop by: the running mean of the weights is kept where its loss on these is lowest.
        Without, it is kept where training ends, and there is no `patience`.
    journal : Journal, optional
        Where to keep a checkpoint every 20 s, and to look for one.

    Returns
    -------
    Denoiser

    Raises
    ------
    UserError
        If the data are not finite numbers of shape (n, d) that differ, patience or clip make no sense, or the
        loss grows beyond bounds.
    """
    if config.patience is not None and (validation is None or config.patience < 1):
        raise UserError(f"patience = {config.patience} needs validation data and at least one look: give them, or set "
                        "it to None")
    if config.clip is not None and not config.clip > 0:
        raise UserError(f"clip = {config.clip} must be a norm above 0, or None")
    run = _Run(_checked(data), config, device, None if validation is None else _checked(validation))
    checkpoint = _Checkpoint(journal, run)
    start = checkpoint.restore()
    steps = Progress(range(start, config.steps), "train")
    for step in steps:
        if run.exhausted(step):      # asked before the step, so that a resumed run stops where this one does
            break
        with np.errstate(over="ignore", invalid="ignore"):  # divergence is looked for below
            loss = run.advance(step)
        if (step + 1) % REPORT_STEPS == 0:
            loss = float(loss)
            if not math.isfinite(loss):
                raise UserError(f"training diverged at step {step + 1} (loss {loss}): "
                                f"lower the learning rate (rate = {config.rate:g})")
            steps.note(f"loss {loss:.4f}" + run.verdict())
            checkpoint.keep(step + 1)
    return run.result()


class _Run:
    """The state of a training run, and one step of it."""

    def __init__(self, data, config, device, validation):
        self.config, self.device = config, device
        mean = data.mean(axis=0)
        sigma_data = math.sqrt(np.mean((data - mean) ** 2))
        if not sigma_data > 0:
            raise UserError("cannot train: all data points are equal")
        d = data.shape[1]
        self.loss = config.loss or DenoisingLoss(
            LogNormal(config.P_mean, config.P_std, config.sigma_min, config.sigma_max))
        plan = config.architecture or Perceptron(config.width, config.depth, features=FourierFeatures(config.features))

        def denoiser():
            network = plan.network(d, self.loss.outputs(d), config.dtype, device, config.seed)
            return Denoiser(network, mean, sigma_data, config.settings(), config.parametrisation, plan.features)

        def minibatches(values, batch):
            return Minibatches(device.asarray(values - mean, config.dtype), batch, config.seed, device)

        self.model, self.mean_model = denoiser(), denoiser()
        self.batches = minibatches(data, config.batch)
        self.validation = None if validation is None else minibatches(validation, VALIDATION_ROWS)
        self.parameters, self.mean = self.model.network.parameters, self.mean_model.network.parameters
        zeros = device.xp.zeros_like
        self.m, self.v, self.best = zeros(self.mean), zeros(self.mean), zeros(self.mean)
        self.lowest, self.lowest_at = math.inf, 0

    def exhausted(self, step):
        """Is patience at an end before this step?"""
        c = self.config
        return c.patience is not None and step - self.lowest_at >= c.patience * c.validate_every

    def advance(self, step):
        """One step of Adam; the loss before it, a 0-d array of the device."""
        c = self.config
        loss, gradient = self.loss(self.model, self.batches, step)
        if c.clip is not None:
            shorten(self.device.xp, gradient, c.clip)
        self.device.adam(self.parameters, gradient, self.m, self.v, self.mean, c.learning_rate(step),
                         (c.beta1, c.beta2), step + 1, 1e-8, c.decay, c.follow(step))
        last = step + 1 == c.steps
        if self.validation is not None and (last or (step + 1) % c.validate_every == 0):
            value = float(self.loss.value(self.mean_model, self.validation, VALIDATION_STEP))
            if value < self.lowest:
                self.lowest, self.lowest_at = value, step + 1
                self.best[:] = self.mean
        return loss

    def verdict(self):
        return f", validation {self.lowest:.4f}" if math.isfinite(self.lowest) else ""

    def result(self):
        if self.validation is not None:
            self.mean[:] = self.best
        return self.mean_model

    def arrays(self):
        """Everything that changes from step to step, by name."""
        return {"parameters": self.parameters, "mean": self.mean, "m": self.m, "v": self.v, "best": self.best}


def shorten(xp, gradient, limit):
    """Scale a gradient down to the Euclidean norm `limit`, in place, where it is longer.

    The norm never leaves the device, so no queue is waited for. Source: Pascanu et al. 2013 (1211.5063), algorithm 1.
    """
    norm = xp.sqrt(xp.sum(gradient * gradient))
    gradient *= limit / xp.maximum(norm, limit)     # exactly 1 where the norm is not longer; NaN stays to be seen


class _Checkpoint:
    """The state of a run under two keys that take turns, so that one is whole whenever the power fails."""

    def __init__(self, journal, run):
        self.journal, self.run = journal, run
        self.turn, self.last = 0, time.monotonic()

    def restore(self):
        """Steps already done; the run is as it was after them."""
        kept = [tree for tree in map(self.journal.get, ("even", "odd")) if tree] if self.journal else []
        if not kept:
            return 0
        newest = max(kept, key=lambda tree: tree.attrs["steps"])
        for name, array in self.run.arrays().items():
            array[:] = self.run.device.asarray(newest[name].values)
        self.run.lowest, self.run.lowest_at = float(newest.attrs["lowest"]), int(newest.attrs.get("lowest_at", 0))
        self.turn = int(newest.attrs["turn"]) + 1
        return int(newest.attrs["steps"])

    def keep(self, steps):
        """Keep the run as it is after `steps` steps, if the last time is long enough ago."""
        if self.journal is None or time.monotonic() - self.last < CHECKPOINT_SECONDS:
            return
        tree = Group({"steps": steps, "turn": self.turn, "lowest": self.run.lowest, "lowest_at": self.run.lowest_at})
        for name, array in self.run.arrays().items():
            tree[name] = Dataset(self.run.device.to_host(array), ("parameter",))
        self.journal.put(("even", "odd")[self.turn % 2], tree)
        self.turn, self.last = self.turn + 1, time.monotonic()


def _checked(data):
    data = np.asarray(data, np.float64)
    if data.ndim != 2 or len(data) < 2 or not np.isfinite(data).all():
        raise UserError(f"cannot train on an array of shape {data.shape}: "
                        "give at least two points as (n, d), all finite")
    return data
