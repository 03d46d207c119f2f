"""A film strip: data heated to noise, noise cooled to data."""

import numpy as np

from .style import figure

ROWS = 5  # of each half


def applies(tree):
    """Whether the file holds frames of a round trip."""
    return "particles/trajectory" in tree and "heating_frames" in tree["particles"].attrs


def draw(tree):
    """The figure: pictures where the data are pictures, clouds of the first two components elsewhere."""
    position = tree["particles/trajectory/position/value"].values
    sigma = tree["observables/sigma/value"].values
    shape = tuple(np.atleast_1d(tree["particles"].attrs["shape"]).astype(int))
    heated = int(tree["particles"].attrs["heating_frames"])
    halves = [("heated", position[:heated], sigma[:heated]), ("cooled", position[heated:], sigma[heated:])]
    return _pictures(halves, shape) if len(shape) == 2 else _clouds(halves)


def _pictures(halves, shape):
    columns = max(len(frames) for _, frames, _ in halves)
    rows = min(ROWS, halves[0][1].shape[1])
    fig, axes = figure(2 * rows + 1, columns, (0.78 * columns, 0.78 * (2 * rows) + 1.1), squeeze=False,
                       gridspec_kw={"height_ratios": [1] * rows + [0.55] + [1] * rows})
    fig.get_layout_engine().set(rect=(0.03, 0, 0.97, 1))  # room for the names of the halves
    for spare in axes.flat:
        spare.axis("off")
    for half, (name, frames, sigma) in enumerate(halves):
        first = half * (rows + 1)
        for k, (frame, s) in enumerate(zip(frames, sigma)):
            for i in range(rows):
                panel = axes[first + i, k]
                # grey levels follow the noise, so that a hot picture is not mere clipping
                panel.imshow(frame[i].reshape(shape), cmap="gray_r", vmin=-1 - 2 * s, vmax=1 + 2 * s,
                             interpolation="nearest")
            axes[first, k].set_title(f"σ = {s:.2g}", fontsize=7.5)
        axes[first, 0].text(-0.2, 1.0, f"{name}  →", transform=axes[first, 0].transAxes, rotation=90, ha="right",
                            va="top", fontsize=9).set_in_layout(False)
    return fig


def _clouds(halves):
    columns = max(len(frames) for _, frames, _ in halves)
    fig, axes = figure(2, columns, (1.35 * columns, 3.2), squeeze=False)
    for row, (name, frames, sigma) in enumerate(halves):
        for k, (frame, s) in enumerate(zip(frames, sigma)):
            panel = axes[row, k]
            second = frame[:, 1] if frame.shape[1] > 1 else np.zeros(len(frame))
            panel.plot(frame[:, 0], second, ".", ms=1.2)
            width = 2.5 + 2.5 * s
            panel.set(xlim=(-width, width), ylim=(-width, width), xticks=[], yticks=[], aspect="equal")
            panel.set_title(f"σ = {s:.2g}", fontsize=7.5)
        axes[row, 0].set_ylabel(f"{name}  →")
    for spare in (panel for panel in axes.flat if not panel.has_data()):
        spare.remove()
    return fig
