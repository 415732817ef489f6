"""Answers in a notebook or a terminal: `show`, `live` and the `%kimi` magics.

`display` has the two functions, `live_view` decides when to paint, `render`, `markdown` and `code` make the HTML,
`outputs` writes it, `magics` is the IPython extension.
"""

from .display import live, show

__all__ = ["live", "show"]
