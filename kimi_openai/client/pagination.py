"""Pages of the lists of files and batches whose iteration ends.

The documentation of the platform's file list has neither `has_more` nor `after`; that of the batch list does not
require `has_more`. If the server ignores `after`, the SDK's cursor pages ask for the same page forever. These pages
stop at the first page that repeats an item.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Generic, TypeVar

from openai.pagination import AsyncCursorPage, SyncCursorPage
from openai.types import Batch, FileObject

__all__ = ["AsyncFinitePage", "FinitePage", "finite_page"]

Item = TypeVar("Item")

ITEMS: Mapping[str, Any] = {"/files": FileObject, "/batches": Batch}
"""What is in the lists, by their paths."""


class FinitePage(SyncCursorPage[Item], Generic[Item]):
    """A page of a list; the next page is empty if the server ignores `after`."""

    def get_next_page(self) -> FinitePage[Item]:
        """The next page, empty if it repeats an item of this one."""
        page = super().get_next_page()
        page.data = _unless_repeated(page.data, self.data)
        return page


class AsyncFinitePage(AsyncCursorPage[Item], Generic[Item]):
    """A page of a list; the next page is empty if the server ignores `after`."""

    async def get_next_page(self) -> AsyncFinitePage[Item]:
        """The next page, empty if it repeats an item of this one."""
        page = await super().get_next_page()
        page.data = _unless_repeated(page.data, self.data)
        return page


def finite_page(sdk_page: Any, path: str) -> Any:
    """The page class to use instead of the SDK's class for the list at a path."""
    kind: Any = FinitePage if issubclass(sdk_page, SyncCursorPage) else AsyncFinitePage
    return kind[ITEMS[path]]


def _unless_repeated(items: list[Any], before: list[Any]) -> list[Any]:
    return [] if {item.id for item in items} & {item.id for item in before} else items
