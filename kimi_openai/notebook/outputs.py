"""Where `show` and `live` write: one output of a notebook's cell, or stdout as text.

IPython is used only if it is running already; it is never imported to find out.
"""

from __future__ import annotations

import sys
from typing import Any

from kimi_openai._internal.sanitize import ControlEscaper
from kimi_openai.messages.reply import Reply

from .render import Snapshot, reply_html, reply_text, summary_line

__all__ = ["NotebookOutput", "TerminalOutput", "current_cell", "live_output", "publish"]


def live_output() -> NotebookOutput | TerminalOutput:
    """A new output for one reply. Its `paint` shows each snapshot in the place of the one before."""
    return TerminalOutput() if _notebook_shell() is None else NotebookOutput()


def publish(text: str, html: str | None) -> None:
    """Show something once: as HTML in a notebook if there is any, else as text on stdout."""
    shell = _notebook_shell()
    if shell is None or html is None:
        print(text)
        return
    shell.display_pub.publish({"text/html": html, "text/plain": text}, metadata={})


def current_cell() -> int | None:
    """The number of the cell that runs; `None` outside of IPython."""
    shell = _shell()
    return shell.execution_count if shell is not None else None


class NotebookOutput:
    """One output of a cell, replaced by each painting."""

    def __init__(self) -> None:
        self._handle: Any = None

    def paint(self, snapshot: Snapshot) -> None:
        """Show the snapshot."""
        from IPython import display as ipython

        display: Any = ipython
        bundle = {"text/html": reply_html(snapshot), "text/plain": reply_text(snapshot)}
        if self._handle is None:
            self._handle = display.display(bundle, raw=True, display_id=True)
        else:
            self._handle.update(bundle, raw=True)


class TerminalOutput:
    """Stdout: each painting writes only what is new."""

    def __init__(self) -> None:
        self._reasoning_length = self._content_length = 0
        self._escaper = ControlEscaper()

    def paint(self, snapshot: Snapshot) -> None:
        """Write what was not written yet; at the end the tool calls and the summary line too."""
        reply = snapshot.reply
        reasoning, content = reply.reasoning or "", reply.content
        if len(reasoning) < self._reasoning_length or len(content) < self._content_length:
            self._write("\n[the answer broke off; starting over]\n")
            self._reasoning_length = self._content_length = 0
        if len(reasoning) > self._reasoning_length and not self._content_length:  # later it would interrupt the text
            self._write("" if self._reasoning_length else "[thinking] ")
            self._write(self._escaper.feed(reasoning[self._reasoning_length :]))
        if len(content) > self._content_length:
            self._write("\n\n" if reasoning and not self._content_length else "")
            self._write(self._escaper.feed(content[self._content_length :]))
        self._reasoning_length, self._content_length = len(reasoning), len(content)
        if not snapshot.is_live:
            calls = reply_text(Snapshot(reply=Reply(tool_calls=reply.tool_calls))) if reply.tool_calls else ""
            self._write(self._escaper.flush())
            self._write("".join(f"\n\n{part}" for part in (calls, f"[{summary_line(snapshot)}]") if part) + "\n")
        sys.stdout.flush()

    def _write(self, text: str) -> None:
        sys.stdout.write(text)


def _shell() -> Any:
    """The IPython that is running, `None` if there is none."""
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython is not None else None


def _notebook_shell() -> Any:
    """The IPython that is running, if its front end shows HTML."""
    shell = _shell()
    return shell if shell is not None and "text/html" in shell.display_formatter.active_types else None
