"""The round trip as a cycle in the entropy–temperature plane, and the same waste as an area."""

import numpy as np

from .style import GREY, GRIDS, NAMES, figure, near


def applies(tree):
    """Whether the file holds an error curve and grids over it."""
    return "curve" in tree and "grids" in tree


def _staircase(tree, grid, steps):
    """(T, S) corners of the ancestral chain: order is booked at T_k (isotherm), then T drops (adiabat)."""
    node = tree[f"grids/{grid}/n{steps}"]
    sigma, work = node["sigma"].values, node["step_work"].values
    T = np.repeat(sigma**2, 2)[:-1]
    S = np.repeat(np.concatenate(([0.0], -np.cumsum(work))), 2)[1:]
    return T, np.concatenate(([0.0], S[:-1])) if len(S) > len(T) else S


def draw(tree):
    """The figure."""
    curve, table = tree["curve"], tree["grids"]
    sigma, order, mse = (curve[name].values for name in ("sigma", "order", "mse"))
    names, steps = table["grid"].values, table["steps"].values
    N = near(sorted(set(steps)), 10)
    shown = [g for g in ("karras", "geodesic") if g in names] or list(dict.fromkeys(names))[:2]
    fig, (plane, force) = figure(1, 2, (10.5, 4.6), gridspec_kw={"width_ratios": [1.25, 1]})

    plane.plot(-order, sigma**2, color=GREY, lw=2.6, solid_capstyle="round")
    middle = len(sigma) // 2
    plane.annotate("", (-order[middle - 6], sigma[middle - 6] ** 2), (-order[middle], sigma[middle] ** 2),
                   arrowprops={"arrowstyle": "-|>", "color": GREY, "lw": 2})
    plane.text(0.985, 0.20, "heating: noising,\nreversible line\n$S = -\\frac{1}{2}\\int\\mathrm{mse}\\,d\\lambda$",
               color=GREY,
               transform=plane.transAxes, ha="right", va="top")
    for level, grid in enumerate(shown):
        colour = GRIDS.get(grid, (GREY,))[0]
        T, S = _staircase(tree, grid, N)
        P = table["dissipated_work"].values[(names == grid) & (steps == N)][0]
        plane.plot(S, T, color=colour, lw=1.3,
                   label=f"cooling over {NAMES.get(grid, grid)}, {N} steps: P = {P:.3g} nat")
        y = T[-1] * 0.42 ** (level + 1)
        plane.annotate("", (-order[-1], y), (S[-1], y), arrowprops={"arrowstyle": "<|-|>", "color": colour, "lw": 1.2,
                                                                  "shrinkA": 0, "shrinkB": 0})
        plane.plot([S[-1], S[-1]], [T[-1], y], color=colour, lw=0.6, ls=":")
    plane.plot([-order[-1]] * 2, [sigma[-1] ** 2, sigma[-1] ** 2 * 0.42 ** len(shown)], color=GREY, lw=0.6, ls=":")
    k = len(T) // 4 * 2
    for text, point, place in (
            ("isotherm: order booked at $T_k$", (0.5 * (S[k] + S[k + 1]), T[k]), (0.03, 0.36)),
            ("adiabat: the noise level drops", (S[k + 1], np.sqrt(T[k + 1] * T[k + 2])), (0.03, 0.29))):
        plane.annotate(text, point, place, textcoords="axes fraction", fontsize=7.5, va="center",
                       arrowprops={"arrowstyle": "-", "lw": 0.6})
    plane.set(yscale="log", xlabel="entropy $S = -I(x_0; x_\\lambda)$  [nat]",
              ylabel="noise temperature $T = \\sigma^2 = 1/\\lambda$  [data units²]",
              title="Heated and cooled: the round trip (P, the gap at the cold end, is wasted)")
    plane.legend(loc="upper left", frameon=False)

    u = -2 * np.log(sigma)
    force.plot(u, 0.5 * np.exp(u) * mse, color=GREY, lw=2.6, label="model: ½λ·mse(λ)")
    fine = np.linspace(u[0], u[-1], 4000)
    smooth = np.interp(fine, u, 0.5 * np.exp(u) * mse)
    for grid in shown:
        node = tree[f"grids/{grid}/n{N}"]
        nodes, work = -2 * np.log(node["sigma"].values), node["step_work"].values
        held = work / np.diff(np.exp(nodes))  # ½mse(λ_k), held over the step
        cell = np.clip(np.searchsorted(nodes, fine, side="right") - 1, 0, len(work) - 1)
        stairs = held[cell] * np.exp(fine)
        colour = GRIDS.get(grid, (GREY,))[0]
        force.plot(fine, stairs, color=colour, lw=1.0, label=NAMES.get(grid, grid))
        force.fill_between(fine, smooth, stairs, color=colour, alpha=0.18, lw=0)
    force.set(xlabel="ln λ", ylabel="½λ·mse  [nat per unit of ln λ]", title=f"The same waste as an area ({N} steps)")
    force.set_ylim(0, 1.05 * max(stairs.max(), smooth.max()))
    force.legend(loc="upper left", frameon=False)
    fig.supxlabel("T is the noise temperature of the data, not the bath temperature of the ledger (VE has no energy, "
                  "hence none).", fontsize=7.5, color=GREY)
    return fig
