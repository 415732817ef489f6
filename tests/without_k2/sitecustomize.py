"""Rehearses the end of the K2 series: every model with an announced end is moved to the retired ones.

`tests/conftest.py` runs this file if pytest has the option `--without-k2`, before it imports anything else of the
package. Every Python that a test starts runs it too, because the folder is on its path and the file has this name.
"""

from __future__ import annotations

from contextlib import suppress
from types import MappingProxyType

with suppress(ImportError):  # a Python without the package
    from kimi_openai import models
    from kimi_openai.models import catalog

    ended = {model: catalog.facts(model) for model in catalog.CURRENT if catalog.facts(model).ends is not None}
    retired = {
        model: catalog.Retired(known.ends, "kimi-k3", known.source) for model, known in ended.items() if known.ends
    }
    families = {family: row for family, row in catalog.MODELS.items() if row.ends is None}
    current = tuple(model for model in catalog.CURRENT if model not in ended)
    for module in (catalog, models):
        vars(module).update(
            MODELS=MappingProxyType(families),
            CURRENT=current,
            RETIRED=MappingProxyType({**catalog.RETIRED, **retired}),
        )
