"""A listing that ends.

The platform's file list has no `has_more` and may ignore `after` (documented are neither), so the SDK's cursor pages
would ask for the same page for ever. These pages stop at the first page that repeats a file. `client.py` puts them in
place.
"""

from __future__ import annotations

from openai.pagination import AsyncCursorPage, SyncCursorPage
from openai.types import FileObject

__all__ = ["AsyncFilePage", "FilePage"]


class FilePage(SyncCursorPage[FileObject]):
    """A page of files whose successor is empty when the server ignores `after`."""

    def get_next_page(self) -> FilePage:
        """The next page, without what this one already had."""
        page = super().get_next_page()
        page.data = _unless_repeated(page.data, self.data)
        return page


class AsyncFilePage(AsyncCursorPage[FileObject]):
    """A page of files whose successor is empty when the server ignores `after`."""

    async def get_next_page(self) -> AsyncFilePage:
        """The next page, without what this one already had."""
        page = await super().get_next_page()
        page.data = _unless_repeated(page.data, self.data)
        return page


def _unless_repeated(files: list[FileObject], before: list[FileObject]) -> list[FileObject]:
    return [] if {file.id for file in files} & {file.id for file in before} else files
