"""Which HTML may be shown in a notebook: a short list of tags and attributes that cannot run or fetch anything."""

from __future__ import annotations

import re
from html.parser import HTMLParser

BLOCKS = {"blockquote", "details", "div", "hr", "li", "ol", "p", "pre", "summary", "ul"}
TEXTS = {"a", "br", "code", "em", "h1", "h2", "h3", "h4", "h5", "h6", "s", "span", "strong"}
TAGS = BLOCKS | TEXTS | {"table", "tbody", "td", "th", "thead", "tr"}
ATTRIBUTES = {
    "a": {"href", "target", "rel", "title"},
    "code": {"class", "style"},
    "details": {"open", "style"},
    "div": {"style", "class"},
    "li": {"style"},
    "ol": {"start"},
    "pre": {"style"},
    "span": {"class", "style"},
    "summary": {"style"},
    "td": {"style"},
    "th": {"style"},
}
CLASSES = re.compile(r"tex2jax_ignore mathjax_ignore|tex2jax_process mathjax_process|language-[\w+#.-]+")
DECLARATIONS = re.compile(
    r"(text-align|cursor|opacity|font-(size|style)|margin(-top)?|padding(-left)?|border(-left|-radius)?|background|color"
    r"|list-style|white-space|overflow-(x|wrap)|word-break|--kimi-\w+)\s*:[\w\s#.%,()-]*"
)
FUNCTIONS = {"rgba", "color-mix", "var"}


def is_harmless_style(style: str) -> bool:
    """Whether each declaration is one of few, and no function is called that could fetch something."""
    declarations = [each.strip() for each in style.split(";") if each.strip()]
    return all(map(DECLARATIONS.fullmatch, declarations)) and set(re.findall(r"([\w-]+)\(", style)) <= FUNCTIONS


class Checker(HTMLParser):
    """Finds what is not on the list. `texts` is what a reader sees, `styles` are those of table cells."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.wrong: list[str] = []
        self.open: list[str] = []
        self.texts: list[str] = []
        self.formulas: list[str] = []
        self.is_formula = False
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
            if name == "class" and not CLASSES.fullmatch(value or ""):
                self.wrong.append(f"class {value!r}")
            if name == "style" and not is_harmless_style(value or ""):
                self.wrong.append(f"style {value!r}")
        self.is_formula = ("class", "tex2jax_process mathjax_process") in attrs
        if self.is_formula:
            self.formulas.append("")

    def handle_endtag(self, tag: str) -> None:
        self.is_formula = False
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        self.texts.append(data)
        if self.is_formula:
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
