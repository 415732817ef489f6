"""Which HTML may be shown in a notebook: a short list of tags and attributes that cannot run or fetch anything."""

from __future__ import annotations

from html.parser import HTMLParser

BLOCKS = {"blockquote", "details", "div", "hr", "li", "ol", "p", "pre", "summary", "ul"}
TEXTS = {"a", "br", "code", "em", "h1", "h2", "h3", "h4", "h5", "h6", "s", "span", "strong"}
TAGS = BLOCKS | TEXTS | {"table", "tbody", "td", "th", "thead", "tr"}
ATTRIBUTES = {
    "a": {"href", "target", "rel", "title"},
    "details": {"open"},
    "div": {"style", "class"},
    "ol": {"start"},
    "span": {"class"},
    "summary": {"style"},
    "td": {"style"},
    "th": {"style"},
}
CLASSES = {"tex2jax_ignore mathjax_ignore", "tex2jax_process mathjax_process"}


class Checker(HTMLParser):
    """Finds what is not on the list. `texts` is what a reader sees, `styles` are those of table cells."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.wrong: list[str] = []
        self.open: list[str] = []
        self.texts: list[str] = []
        self.formulas: list[str] = []
        self.styles: list[str | None] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in TAGS:
            self.wrong.append(f"<{tag}>")
        if tag in ("th", "td"):
            self.styles.append(dict(attrs).get("style"))
        if tag not in ("br", "hr"):
            self.open.append(tag)
        for name, value in attrs:
            if name not in ATTRIBUTES.get(tag, ()):
                self.wrong.append(f"<{tag} {name}>")
            if name == "href" and not (value or "").lower().startswith(("http://", "https://", "mailto:")):
                self.wrong.append(f"href {value!r}")
            if name == "class" and value not in CLASSES:
                self.wrong.append(f"class {value!r}")
            if name == "style" and ("url(" in (value or "") or "expression" in (value or "")):
                self.wrong.append(f"style {value!r}")
        if ("class", "tex2jax_process mathjax_process") in attrs:
            self.formulas.append("")

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        self.texts.append(data)
        if self.open and self.open[-1] == "span":
            self.formulas[-1] += data

    def handle_comment(self, data: str) -> None:
        self.wrong.append(f"<!--{data}")

    handle_decl = unknown_decl = handle_pi = handle_comment


def wrong_in(markup: str) -> list[str]:
    """What in the HTML is not on the list, and tags that are not closed or not opened."""
    checker = checked(markup)
    return checker.wrong + [f"open <{tag}>" for tag in checker.open]


def checked(markup: str) -> Checker:
    """The HTML, parsed."""
    checker = Checker()
    checker.feed(markup)
    checker.close()
    return checker
