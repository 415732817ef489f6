"""Answers in a notebook or a terminal: `show`, `live` and the `%kimi` magics.

`display` has the two functions, `live_view` decides when to paint, `render`, `markdown`, `code` and `formulas` make the
HTML, `outputs` writes it. `magics` (with `short_errors` and `tab_completion`) and `formatters` are the IPython
extension. `plots` has a style for matplotlib.
"""

from .display import live, show
from .plots import PLOT_STYLE

__all__ = ["PLOT_STYLE", "live", "show"]
