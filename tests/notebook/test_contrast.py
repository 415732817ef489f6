"""Every text of the HTML has a contrast of at least 4.5 in light and dark notebooks, and so has every text of a plot.

The HTML is read as a browser reads it: colours, grounds and opacities come from the `style` attributes that are in it.
`test_jupyterlab.py` asks a browser.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import pytest

from kimi_openai.errors.exceptions import Note, UnexpectedAnswerError
from kimi_openai.messages.reply import Reply
from kimi_openai.notebook.code import HUES
from kimi_openai.notebook.plots import COLOURS, GROUND, PLOT_STYLE, TEXT
from kimi_openai.notebook.render import Snapshot, error_table, notes_table, reply_html, usage_table
from tests.wcag import AA, Colour, colour, contrast, mixed, over

FRONT_ENDS = {
    "JupyterLab light": ("rgba(0,0,0,.87)", "#fff"),
    "JupyterLab dark": ("#fff", "#111"),
    "VS Code light": ("#3b3b3b", "#fff"),
    "VS Code dark": ("#ccc", "#1f1f1f"),
    "Colab light": ("#1f1f1f", "#fff"),
    "Colab dark": ("#d5d5d5", "#383838"),
}
"""The colours of text and of the page in each front end."""

MARKDOWN = """# Title
A *text* with `code`, [a link](https://ok.example) and $x^2$.

- [x] done

| a | b |
|---|---|
| 1 | 2 |

> a quotation

```python
@decorator
class Kind(ValueError):
    \"\"\"A docstring.\"\"\"
    def method(self, x=1.5):  # a comment
        return not None or "text\\n" in dict(x)
```
```diff
--- a
-old
+new
```
```html
<p class="x">text</p>
```
"""


@dataclass
class Look:
    """What an element hands down to those in it."""

    text: Colour
    ground: Colour
    opacity: float = 1.0
    names: dict[str, str] = field(default_factory=dict[str, str])


class Page(HTMLParser):
    """Collects the text of a page with its contrast."""

    def __init__(self, text: str, ground: str) -> None:
        super().__init__()
        self.looks = [Look(colour(text), colour(ground))]
        self.found: dict[str, float] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("br", "hr"):
            return
        before = self.looks[-1]
        look = Look(before.text, before.ground, before.opacity, dict(before.names))
        for declaration in (dict(attrs).get("style") or "").split(";"):
            name, _, value = declaration.partition(":")
            name, value = name.strip(), value.strip()
            if name.startswith("--"):
                look.names[name] = value
            elif name == "background" and value != "none":
                look.ground = over(colour(value), before.ground)
            elif name == "opacity":
                look.opacity *= float(value)
            elif name == "color":
                look.text = self._mixture(look.names[value[4:-1]], before.text)
        self.looks.append(look)

    def _mixture(self, value: str, current: Colour) -> Colour:
        found = re.fullmatch(r"color-mix\(in srgb,currentColor (\d+)%,(#\w+)\)", value)
        assert found is not None
        return mixed(current, colour(found[2]), int(found[1]) / 100)

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002 - the signature of HTMLParser
        self.looks.pop()

    def handle_data(self, data: str) -> None:
        look = self.looks[-1]
        text = (*look.text[:3], look.text[3] * look.opacity)
        if data.strip():
            self.found[data.strip()] = contrast(over(text, look.ground), look.ground)


def pages() -> dict[str, str]:
    """One of everything that is shown."""
    call: Any = {"function": {"name": "save", "arguments": '{"text": "%s", "n": 1}' % ("x " * 60)}}
    reply = Reply(content=MARKDOWN, reasoning="hm", tool_calls=(call,), usage={"total_tokens": 1}, head={"model": "m"})
    note = Note("pinned", "temperature", "left out", "only 1 is allowed", "leave it out")
    return {
        "reply": reply_html(Snapshot(reply=reply)),
        "live": reply_html(Snapshot(reply=Reply(reasoning="hm"), is_live=True, pieces=1)),
        "usage": usage_table({"total_tokens": 1}, "kimi-k3").html(),
        "error": error_table(UnexpectedAnswerError("x", {})).html(),
        "notes": notes_table([note]).html(),
    }


@pytest.mark.parametrize("front_end", FRONT_ENDS)
def test_every_text_can_be_read(front_end: str) -> None:
    """On each page, with its own colours; the parts that are emphasized stay within them."""
    for name, markup in pages().items():
        page = Page(*FRONT_ENDS[front_end])
        page.feed(markup)
        assert {text: ratio for text, ratio in page.found.items() if ratio < AA} == {}, name
        assert len(page.found) > 1


def test_every_hue_is_in_the_page_that_is_tested() -> None:
    """The page has a token of each kind, so that no colour escapes the test."""
    markup = pages()["reply"]
    assert {name for name in HUES if f'"color: var(--kimi-{name})' not in markup} == set()


def test_the_html_depends_on_no_front_end() -> None:
    """No variable, class or script of JupyterLab's: VS Code and Colab show the same."""
    for markup in pages().values():
        assert not re.search("--jp-|--vscode-|<script|<style|<link|widget", markup)


def test_the_colours_of_a_plot_can_be_read_on_its_ground() -> None:
    """Its text, and text in the colour of a line."""
    for each in (TEXT, *COLOURS):
        assert contrast(colour(each), colour(GROUND)) >= AA, each
    assert PLOT_STYLE["figure.facecolor"] == PLOT_STYLE["axes.facecolor"] == GROUND
    for name in ("text.color", "axes.labelcolor", "xtick.labelcolor", "ytick.labelcolor"):
        assert PLOT_STYLE[name] == TEXT


def test_the_contrast_is_that_of_wcag() -> None:
    """The examples of its definition."""
    assert contrast(colour("#000"), colour("#fff")) == pytest.approx(21)
    assert contrast(colour("#767676"), colour("#fff")) == pytest.approx(4.54, abs=0.01)
    assert contrast(colour("#777"), colour("#fff")) < AA
