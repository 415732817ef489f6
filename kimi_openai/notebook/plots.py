"""The style of the notebooks' plots: legible on a light and on a dark page.

Pure data. The ground is opaque, because no colour of a text has a contrast of 4.5 both on white and on a dark page. On
this ground every colour of the cycle has it, so a text may have the colour of its line.
"""

from __future__ import annotations

from typing import Any

__all__ = ["PLOT_STYLE"]

GROUND, TEXT, LINES = "#f2f2f2", "#333333", "#8a8a8a"
COLOURS = ("#1f6cb0", "#b34a00", "#1d7543", "#7a4db3", "#b3261e", "#666666")

PLOT_STYLE: dict[str, Any] = {
    "figure.facecolor": GROUND,
    "figure.constrained_layout.use": True,
    "axes.facecolor": GROUND,
    "axes.edgecolor": LINES,
    "axes.labelcolor": TEXT,
    "axes.prop_cycle": f"cycler('color', {list(COLOURS)})",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "text.color": TEXT,
    "xtick.color": LINES,
    "xtick.labelcolor": TEXT,
    "ytick.color": LINES,
    "ytick.labelcolor": TEXT,
}
"""For `matplotlib.pyplot.style.use(PLOT_STYLE)`. "C0" to "C5" are blue, orange, green, violet, red, grey."""
