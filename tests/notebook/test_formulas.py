"""Which formulas MathJax may typeset."""

from __future__ import annotations

import pytest

from kimi_openai.notebook.formulas import COMMANDS, MAX_FORMULA, is_harmless

HARMLESS = [
    r"x^2",
    r"\frac{a}{b} \le \sqrt[3]{c}",
    r"\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}",
    r"\begin{aligned} a &= b \\[4pt] &= c \end{aligned}",
    r"\begin{cases} 1, & x > 0 \\ 0 & \text{otherwise} \end{cases}",
    r"\sum_{n=1}^\infty \frac{1}{n^2} = \frac{\pi^2}{6}",
    r"\left\{ x \in \mathbb{R} \mid \lVert x \rVert_2 < \varepsilon \right\}",
    r"P(A \mid B) = \frac{P(B \mid A)\,P(A)}{P(B)}",
    r"\hat{y} = \operatorname*{argmax}_k p(k \mid \mathbf{x}; \boldsymbol{\theta})",
    r"\int_0^1 f(x)\,dx \approx \underbrace{h \sum f(x_i)}_{\text{midpoint}} \tag{1}",
    r"E = mc^2 \Rightarrow 5\% \$",
]

HARMFUL = [
    "href",
    "url",
    "style",
    "class",
    "cssId",
    "data",
    "bbox",
    "fcolorbox",
    "colorbox",
    "color",
    "textcolor",
    "require",
    "def",
    "gdef",
    "let",
    "newcommand",
    "renewcommand",
    "newenvironment",
    "DeclareMathOperator",
    "unicode",
    "char",
    "mmlToken",
    "html",
    "htmlData",
    "includegraphics",
    "hspace",
    "kern",
    "mkern",
    "raise",
    "lower",
    "moveleft",
    "rule",
    "Rule",
    "llap",
    "rlap",
    "smash",
    "phantom",
    "label",
    "ref",
    "toggle",
    "enclose",
    "mathtip",
    "texttip",
    "tooltip",
    "input",
    "csname",
    "catcode",
    "verb",
    "ce",
]


@pytest.mark.parametrize("formula", HARMLESS)
def test_mathematics_is_typeset(formula: str) -> None:
    """What models write."""
    assert is_harmless(formula)


@pytest.mark.parametrize("name", HARMFUL)
def test_no_command_that_does_more_is_allowed(name: str) -> None:
    """Also with a blank before its arguments, in a text, and after a line break."""
    assert name not in COMMANDS
    for formula in (f"\\{name}", f"\\{name} {{x}}{{y}}", f"\\text{{\\{name}{{x}}}}", f"a \\\\\\{name}{{x}}"):
        assert not is_harmless(formula)


@pytest.mark.parametrize(
    "formula",
    [
        r"\begin{javascript}x\end{javascript}",
        r"\begin x",
        r"a \\[-500em] b",
        r"a \\ [900pt] b",
        r"a \\*[-1em] b",
        r"a \) b",
        r"a \] b",
        "a \\",
        r"\nosuchcommand",
        "\\é",
        "x" * (MAX_FORMULA + 1),
    ],
)
def test_what_is_not_on_the_lists_is_not_typeset(formula: str) -> None:
    """Unknown commands and environments, delimiters inside, large distances, long formulas."""
    assert not is_harmless(formula)
