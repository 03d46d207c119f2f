"""Faults to plant in networks, their derivatives and score matching: file, text, what to write instead, tests that must see it."""

LAYERS, WHOLE = "tests/gradients/test_network_gradients.py", "tests/gradients/test_denoiser_derivatives.py"
MATCHING, ALONE = "tests/gradients/test_score_matching_gradients.py", "tests/unit/test_networks.py"
DENSE, READ, CELLS, NET = "score/layers.py", "score/readouts.py", "score/rbf.py", "score/network.py"
KERNELS, JETS, MODEL = "backend/cpu/network.py", "backend/cpu/activations.py", "score/denoiser.py"
HYVARINEN, SLICED, TRACE = "score/implicit_score_matching.py", "score/sliced_score_matching.py", "score/derivatives.py"
LEVELS, RECORD, CARD, CARD_JETS = "score/conditioning.py", "score/recorded.py", "backend/cuda/network.cuh", "backend/cuda/activations.cuh"
DEVICES, FLOW = "tests/parity/test_gpu_device.py::test_", "tests/physics/test_likelihood.py"

# (what is wrong, file in thermosim/, old text, new text, tests)
FAULTS = [
    ("no curvature", KERNELS, "dr[c] += wr[c] * er[c] * ur[c]", "dr[c] += 0 * wr[c] * er[c] * ur[c]", [LAYERS]),
    ("curvature after the tangents' slopes", KERNELS, "dr[c] += wr[c] * er[c] * ur[c]\n                er[c] *= gr[c]",
     "er[c] *= gr[c]\n                dr[c] += wr[c] * er[c] * ur[c]", [LAYERS]),
    ("softmax without its mean", KERNELS, "dr[k] = pr[k] * (dr[k] - mean)", "dr[k] = pr[k] * dr[k]", [LAYERS]),
    ("cells of the square, not half of it", KERNELS, "half = x.dtype.type(-0.5)", "half = x.dtype.type(-1)", [LAYERS]),
    ("tangents get a bias", KERNELS, "o[c] = b[j, c] if r < n else 0", "o[c] = b[j, c]", [LAYERS]),
    ("bias gradient of tangents too", KERNELS, "if r < n:\n            for c in range(dr.size):\n                db[j, c] += dr[c]",
     "if r >= 0:\n            for c in range(dr.size):\n                db[j, c] += dr[c]", [LAYERS]),
    ("curvature of the sigmoid", JETS, "return s, g, g * (one - s - s)", "return s, g, g * (one - s)", [LAYERS]),
    ("sign of tanh's curvature", JETS, "return h, g, -two * h * g", "return h, g, two * h * g", [LAYERS]),
    ("tanh by e^v near 0", JETS, "m = fma(fma(r * r, _exp(r), r), power, power - one)", "m = (one + fma(r * r, _exp(r), r)) * power - one", [ALONE]),
    ("curvature of SiLU", JETS, "fma(v, one - s - s, type(v)(2))", "fma(v, one - s, type(v)(2))", [LAYERS]),
    ("the skip is not led back", DENSE, "dx += above", "dx += 0 * above", [LAYERS]),
    ("tangents are not skipped", DENSE, "tangents *= g\n        if self.skip:\n            h += x", "tangents *= g\n        if self.skip:\n            h[:n] += x[:n]", [LAYERS]),
    ("slope of tangents missing", DENSE, "tangents *= g", "pass", [LAYERS]),
    ("tangents of points in another order", NET, "bundle[n:].reshape(m, n, -1)[:] = tangents", "bundle[n:].reshape(n, m, -1)[:] = tangents.transpose(1, 0, 2)", [LAYERS]),
    ("a shared readout's bias in tangents", READ, "out = self.device.matmul(x, self.W, self._out(len(x)))\n        out[:n] += self.b",
     "out = self.device.matmul(x, self.W, self._out(len(x)))\n        out += self.b", [LAYERS]),
    ("bumps of the bias missing", READ, "device.matmul(g.T, d[:n], self.b_gradient)", "device.matmul((0 * g + 1).T, d[:n], self.b_gradient)", [LAYERS]),
    ("bumps too wide", LEVELS, "logs = -(away**2) / (2 * self.spread**2)", "logs = -(away**2) / (4 * self.spread**2)", [LAYERS]),
    ("bumps without their sum", LEVELS, "out[:] = bumps / bumps.sum(axis=1, keepdims=True)", "out[:] = bumps", [LAYERS]),
    ("sines for cosines", LEVELS, "out[:, :self.count] = xp.cos(phase)", "out[:, :self.count] = xp.sin(phase)", [LAYERS, WHOLE]),
    ("the step below, not the nearest", LEVELS, "(levels[1:] + levels[:-1]) / 2", "levels[1:]", [LAYERS, ALONE]),
    ("cells: the tangents' share in x's gradient", CELLS, "dx[:n] -= xp.sum(q * stacked(x[n:], n), axis=0)", "pass", [LAYERS]),
    ("cells: softmax's mean of tangents", CELLS, "e -= mean", "e -= 0 * mean", [LAYERS]),
    ("cells: widths learn from points alone", CELLS, "xp.sum(d * a, axis=0, out=self.log_s_gradient)", "xp.sum((d * a)[:n], axis=0, out=self.log_s_gradient)", [LAYERS]),
    ("products without c_in", MODEL, "self.tangents(c_in * v[:, rows])", "self.tangents(v[:, rows])", [WHOLE]),
    ("products without c_skip", MODEL, "Jv[:, rows] = c_skip * v[:, rows] + c_out", "Jv[:, rows] = c_out", [WHOLE]),
    ("vector–Jacobian product without c_out", MODEL, "slope[:, :d] = c_out * w[rows]", "slope[:, :d] = w[rows]", [WHOLE]),
    ("a Jacobian transposed", TRACE, "transpose(1, 2, 0)", "transpose(1, 0, 2)", [WHOLE]),
    ("probes of variance ¼", TRACE, ".astype(dtype) * 2 - 1", ".astype(dtype) - 0.5", [WHOLE]),
    ("the same probes at every draw", TRACE, "device.words(seed, PROBES, draw, n, m * d, first=first)", "device.words(seed, PROBES, 0, n, m * d, first=first)", [WHOLE]),
    ("divergence twice", HYVARINEN, 'xp.einsum("ini->n", score.Js)', '2 * xp.einsum("ini->n", score.Js)', [MATCHING]),
    ("Hyvärinen's half missing", HYVARINEN, "0.5 * (score.s**2).sum(axis=1)", "(score.s**2).sum(axis=1)", [MATCHING]),
    ("score without the skip path", HYVARINEN, "(c_skip - 1) / variance", "c_skip / variance", [MATCHING]),
    ("slopes without the noise level's weight", HYVARINEN, "share * xp.eye(d)[:, None]", "xp.eye(d)[:, None] / len(weight)", [MATCHING]),
    ("sum over probes, not their mean", SLICED, "share * v / self.count", "share * v", [MATCHING]),
    ("reduced variance always", SLICED, "if self.reduced:", "if True:", [MATCHING]),
    ("a file forgets the skips", "score/mlp.py", '"residual": self.residual', '"residual": False', [ALONE]),
    ("a file forgets the features", MODEL, '"features": recorded(self.features)', '"features": recorded(FourierFeatures(0))', [ALONE]),
    ("a file may name any part in any role", RECORD, "_made(PARTS[key], value)", "_made(sum(PARTS.values(), ()), value)", [ALONE]),
    ("GPU: sign of tanh's curvature", CARD_JETS, "return {h, g, (REAL)-2 * h * g}", "return {h, g, (REAL)2 * h * g}", [DEVICES + "activations", DEVICES + "whole_networks"]),
    ("GPU: tanh loses its sign", CARD_JETS, "v < (REAL)0 ? -m * q : m * q", "m * q", [DEVICES + "activations"]),
    ("GPU: no curvature", CARD, "sum += w[at] * e[there] * u[there];", "", [DEVICES + "whole_networks"]),
    ("GPU: softmax without its mean", CARD, "d[k] = phi[k] * (d[k] - mean)", "d[k] = phi[k] * d[k]", [DEVICES + "whole_networks"]),
    ("GPU: weights of a step from points alone", CARD, "for (long long first = 0; first < rows; first += n)", "for (long long first = 0; first < n; first += n)", [DEVICES + "whole_networks"]),
    ("GPU: every step's bias from all", CARD, "if (which[r] == j) sum += d[r * k + c]", "sum += d[r * k + c]", [DEVICES + "whole_networks"]),
    ("the flow's signs of half the length", "thermo/likelihood.py", "v = probes(denoise.device, seed, 0, count, n, d)", "v = 0.5 * probes(denoise.device, seed, 0, count, n, d)", [FLOW + "::test_flow_likelihood_of_a_network"]),
]
