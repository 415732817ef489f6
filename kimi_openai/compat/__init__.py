"""Changes requests written for OpenAI into requests that Kimi accepts.

`adapt` is called for each request, and `pipeline` lists the rules and applies them. `rule` defines what a rule is. Each
kind of rule has a module named after the field that it changes.
"""

from .adapt import last_notes
from .pipeline import shape

__all__ = ["last_notes", "shape"]
