"""Networks of timesteps as denoisers: on Gaussian data the answer is known, so the bridge must add nothing."""

import numpy as np
import pytest

from thermosim.errors import UserError
from thermosim.schedules import VP
from thermosim.score.exact import Gaussian
from thermosim.score.parametrisation import CleanPrediction, NoisePrediction, VelocityPrediction
from thermosim.score.timesteps import TimestepDenoiser, Timesteps

MEAN, VARIANCE, SHAPE = np.array([0.7, -0.3, 0.2, 1.1]), np.array([0.09, 0.5, 1.3, 0.02]), (1, 2, 2)
LAW = Gaussian(MEAN, np.diag(VARIANCE))
PROCESS = VP()


def chain(T):
    """ᾱ at T times of the linear-β process, none of them clean."""
    return PROCESS.alpha(np.linspace(2e-3, 1, T)) ** 2


def predictions(alpha_bar):
    """(ε, v, x_0) as E[·|x_t], from the joint Gaussian of (x_0, x_t) alone: no σ, no D."""
    def noise(x, t):
        a, s = np.sqrt(alpha_bar(t)), np.sqrt(1 - alpha_bar(t))
        return (s * (x.reshape(-1, 4) - a * MEAN) / (a * a * VARIANCE + s * s)).reshape(x.shape)

    def clean(x, t):
        a, v = np.sqrt(alpha_bar(t)), alpha_bar(t) * VARIANCE + 1 - alpha_bar(t)
        return (MEAN + a * VARIANCE * (x.reshape(-1, 4) - a * MEAN) / v).reshape(x.shape)

    def velocity(x, t):
        return np.sqrt(alpha_bar(t)) * noise(x, t) - np.sqrt(1 - alpha_bar(t)) * clean(x, t)

    return {NoisePrediction(): noise, VelocityPrediction(): velocity, CleanPrediction(): clean}


def particles(sigma, n=20):
    data, noise = np.random.default_rng(2).standard_normal((2, n, 4))
    return MEAN + np.sqrt(VARIANCE) * data + sigma * noise


@pytest.mark.parametrize("prediction", [NoisePrediction(), VelocityPrediction(), CleanPrediction()],
                         ids=lambda p: type(p).__name__)
@pytest.mark.parametrize("whole", [False, True])
def test_on_gaussian_data_it_is_the_exact_denoiser_at_every_level_of_the_table(prediction, whole):
    alpha_bar = chain(50)
    table = Timesteps(alpha_bar)
    network = predictions(lambda t: alpha_bar[int(t)])[prediction]
    denoise = TimestepDenoiser(network, table, prediction, SHAPE, whole)
    for sigma in table.sigmas:
        x = particles(sigma)
        assert np.abs(denoise(x, sigma) - LAW(x, sigma)).max() < 1e-12


def test_between_the_levels_it_is_exact_to_second_order():
    """A network that knows fractional t: halving the table's spacing quarters what interpolation costs."""
    worst = []
    for T in (101, 201, 401):
        table = Timesteps(chain(T))
        network = predictions(lambda t, T=T: PROCESS.alpha(2e-3 + t * 0.998 / (T - 1)) ** 2)[NoisePrediction()]
        denoise = TimestepDenoiser(network, table, shape=SHAPE)
        sigmas = np.geomspace(0.3, table.sigmas[-1], 301)
        worst.append(max(np.abs(denoise(x, s) - LAW(x, s)).max() for s in sigmas for x in [particles(s)]))
    assert worst[0] < 0.02
    assert np.allclose(np.array(worst[:-1]) / worst[1:], 4, atol=0.8)


def test_rounding_asks_at_the_nearest_whole_timestep():
    table, seen = Timesteps(chain(50)), []
    denoise = TimestepDenoiser(lambda x, t: seen.append(t) or x, table, shape=SHAPE, whole=True)
    for t in (7.4, 7.6, 0.2, 48.9):
        denoise(np.zeros((3, 4)), table.sigma(t))
    assert seen == [7, 8, 0, 49] and all(isinstance(t, int) for t in seen)


def test_the_network_sees_images_of_unit_noise_and_answers_rows():
    table, seen = Timesteps(chain(50)), []
    denoise = TimestepDenoiser(lambda x, t: seen.append(x) or np.zeros_like(x), table, shape=(3, 2, 2))
    x = np.random.default_rng(0).standard_normal((5, 12))
    assert np.array_equal(denoise(x, 2.0), x)  # no noise: the data themselves
    assert seen[0].shape == (5, 3, 2, 2) and np.allclose(seen[0][1, 2, 1], x[1, 10:] / np.sqrt(5), rtol=1e-15)
    assert TimestepDenoiser(lambda x, t: x, table)(x, 2.0).shape == x.shape  # rows as they are


def test_times_and_levels_are_each_other_backwards():
    table = Timesteps(chain(60))
    assert np.array_equal(table.time(table.sigmas), np.arange(60))
    t = np.linspace(0, 59, 200)
    assert np.abs(table.time(table.sigma(t)) - t).max() < 1e-10
    mid = np.sqrt(table.sigmas[4] * table.sigmas[5])
    assert table.time(mid) == pytest.approx(4.5, abs=1e-12) and table.time(np.full((2, 3), mid)).shape == (2, 3)


def test_whole_timesteps_are_the_nearest_and_none_comes_twice():
    table = Timesteps(chain(60))
    assert table.whole(table.sigma(np.array([59, 40.4, 12.6, 0.3]))).tolist() == [59, 40, 13, 0]
    crowded = table.whole(table.sigma(np.array([59, 5.1, 5.0, 4.9, 0.2, 0.1, 0.0])))
    assert crowded.tolist() == [59, 5, 4, 3, 2, 1, 0]
    assert table.stops(table.sigma(np.array([59, 20.2, 0.1, 0]))).tolist() == [59, 20, 1]
    assert table.stops(np.append(table.sigma(np.array([59, 20.2, 0.1])), 0)).tolist() == [59, 20, 0]
    every = table.whole(np.geomspace(table.sigmas[-1], table.sigmas[0], 60))
    assert every.tolist() == list(range(59, -1, -1))


@pytest.mark.parametrize("cause, line", [
    (lambda: Timesteps([0.9, 0.5, 0.0]), "alpha_bar"),
    (lambda: Timesteps([0.5, 0.9]), "alpha_bar"),
    (lambda: Timesteps([0.9, np.nan]), "alpha_bar"),
    (lambda: Timesteps(chain(9)).time(1e-9), "1e-09 leaves the network's timesteps"),
    (lambda: Timesteps(chain(9)).time(0.0), "sigma_min"),
    (lambda: Timesteps(chain(9)).time(np.array([1.0, np.nan])), "nan leaves"),
    (lambda: Timesteps(chain(3)).whole([3.0, 2.0, 1.0, 0.5]), "4 noise levels are more than the 3 timesteps"),
    (lambda: TimestepDenoiser(lambda x, t: x, Timesteps(chain(9)), shape=(1, 2, 2))(np.ones((4, 5)), 1.0),
     r"give \(n, 4\)"),
    (lambda: TimestepDenoiser(lambda x, t: x, Timesteps(chain(9)), shape=(1, 2, 2))(np.ones((2, 2, 2)), 1.0),
     "no rows"),
    (lambda: TimestepDenoiser(lambda x, t: x[:, :, :1], Timesteps(chain(9)), shape=(1, 2, 2))(np.ones((4, 4)), 1.0),
     "answers shape"),
])
def test_what_is_wrong_is_said_in_one_line(cause, line):
    with pytest.raises(UserError, match=line) as error:
        cause()
    assert "\n" not in str(error.value)
