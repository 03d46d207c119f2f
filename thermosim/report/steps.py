"""Heat, entropy and work, step by step."""

import numpy as np

from .style import GREY, GRIDS, NAMES, SAMPLERS, figure, look, near


def applies(tree):
    """Whether the file holds ledgers of cooling."""
    return "ledger/cooling" in tree and "grids" in tree


def _per_step(ledger, name):
    """(sigma at the start of each step, channel summed over its legs, its standard error)."""
    step, sigma = ledger["sampler_step"].values, ledger["sigma"].values
    starts = np.flatnonzero(np.diff(step, prepend=-1))
    values, errors = ledger[name].values, ledger[f"{name}_error"].values
    return sigma[starts], np.bincount(step, weights=values), np.sqrt(np.bincount(step, weights=errors**2))


def draw(tree):
    """The figure."""
    cooling, grids = tree["ledger/cooling"], tree["grids"]
    names = grids["grid"].values
    grid = "geodesic" if "geodesic" in names else names[0]
    N = near(sorted(set(grids["steps"].values)), 20)
    ledgers = {s: g[f"{grid}/n{N}"] for s, g in cooling.groups.items() if f"{grid}/n{N}" in g}
    fig, (heat, entropy, work) = figure(1, 3, (12.0, 4.2))
    for sampler, ledger in ledgers.items():
        sigma, q, error = _per_step(ledger, "heat_line")
        kw = look(SAMPLERS, sampler)
        cv = q.std() / abs(q.mean())
        heat.errorbar(sigma, q, error, **kw | {"label": f"{kw['label']}: CV {cv:.2f}"})
        sigma, given, error = _per_step(ledger, "entropy_env")
        if np.isfinite(given).any():
            entropy.errorbar(sigma, given, error, **kw)
    if ledgers:
        first = next(iter(ledgers.values()))
        starts = np.flatnonzero(np.diff(first["sampler_step"].values, prepend=-1))
        entropy.plot(first["sigma"].values[starts], -first["entropy_sys"].values[starts], color=GREY, lw=2.6,
                     zorder=0, label="−Δs of the system (model)")
    for name in dict.fromkeys(names):
        node = grids[f"{name}/n{N}"]
        kw = look(GRIDS, name)
        work.plot(node["sigma"].values[:-1], node["step_work"].values, **kw)
    where = f"{NAMES.get(grid, grid)} grid, {N} steps"
    heat.set(title=f"Heat, {where}", ylabel="heat_line per step  [k_B T]", yscale="symlog")
    entropy.set(title=f"Entropy given to the bath, {where}", ylabel="entropy per step  [nat]", yscale="symlog")
    work.set(title=f"Work of the ancestral chain, {N} steps", ylabel="⟨W_k⟩ = ½Δλ·mse  [nat]", yscale="log")
    for axes in (heat, entropy, work):
        axes.set(xscale="log", xlabel="noise level σ at the start of the step  [data units]")
        axes.invert_xaxis()
        axes.legend(frameon=False, fontsize=7)
    return fig
