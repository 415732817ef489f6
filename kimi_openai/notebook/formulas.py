r"""Which formulas of a model's Markdown MathJax may typeset: those that consist of known, harmless commands only.

Pure. `markdown.py` finds the formulas. An allow-list, because MathJax has commands that make links, set any CSS, load
extensions, define other commands, or move text over its neighbours (`\href`, `\style`, `\require`, `\def`, `\hspace`),
and its next release may have more.
"""

from __future__ import annotations

import re

__all__ = ["MATH", "MAX_FORMULA", "MAX_FORMULAS", "is_harmless"]

MAX_FORMULA = 2_000
"""Characters of one formula. MathJax needs time and memory for each, and a reader reads none that is longer."""

MAX_FORMULAS = 40_000
"""Characters of all formulas of one text."""

MATH = re.compile(
    rf"\$\$(?P<a>.{{1,{MAX_FORMULA}}}?)\$\$|\\\[(?P<b>.{{1,{MAX_FORMULA}}}?)\\\]|\\\((?P<c>.{{1,{MAX_FORMULA}}}?)\\\)"
    rf"|\$(?![\s\d])(?P<d>[^$\n]{{1,{MAX_FORMULA}}}?)(?<!\s)\$(?!\d)",
    re.DOTALL,
)
"""A formula, in any of the delimiters that Kimi uses. Groups `a` and `b` are displayed on separate lines."""

LETTERS = """
    alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa varkappa lambda mu nu xi omicron pi
    varpi rho varrho sigma varsigma tau upsilon phi varphi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon
    Phi Psi Omega aleph beth gimel daleth ell hbar hslash imath jmath wp Re Im partial nabla infty emptyset varnothing
    angle measuredangle triangle square blacksquare Box Diamond lozenge star bigstar prime backprime top bot flat
    natural sharp clubsuit diamondsuit heartsuit spadesuit degree dagger ddagger S P copyright pounds checkmark
"""

OPERATORS = """
    sum prod coprod int iint iiint oint oiint bigcap bigcup bigsqcup bigvee bigwedge bigodot bigotimes bigoplus biguplus
    lim limsup liminf varlimsup varliminf sup inf max min arg argmax argmin det dim deg exp gcd hom ker lg ln log Pr sin
    cos tan cot sec csc sinh cosh tanh coth arcsin arccos arctan mod bmod pmod pod injlim projlim operatorname
    pm mp times div cdot ast star circ bullet cap cup uplus sqcap sqcup vee wedge land lor lnot neg setminus
    smallsetminus wr amalg oplus ominus otimes oslash odot bigcirc dotplus ltimes rtimes boxplus boxtimes boxminus
    lbrace rbrace lbrack rbrack langle rangle lceil rceil lfloor rfloor vert Vert lvert rvert lVert rVert backslash
    ulcorner urcorner llcorner lrcorner forall exists nexists complement surd
"""

RELATIONS = """
    le leq ge geq ne neq lt gt ll gg lll ggg leqslant geqslant lesssim gtrsim lessgtr gtrless prec succ preceq succeq
    sim simeq approx approxeq cong equiv doteq triangleq propto asymp models perp parallel nparallel mid nmid vdash
    dashv Vdash vDash in ni notin owns subset supset subseteq supseteq subsetneq supsetneq nsubseteq nsupseteq sqsubset
    sqsupset sqsubseteq sqsupseteq bowtie smile frown between therefore because not iff implies impliedby to gets
    leftarrow rightarrow leftrightarrow Leftarrow Rightarrow Leftrightarrow longleftarrow longrightarrow
    longleftrightarrow Longleftarrow Longrightarrow Longleftrightarrow mapsto longmapsto hookleftarrow hookrightarrow
    leftharpoonup leftharpoondown rightharpoonup rightharpoondown rightleftharpoons leftrightharpoons uparrow downarrow
    updownarrow Uparrow Downarrow Updownarrow nearrow searrow swarrow nwarrow nrightarrow nleftarrow nRightarrow
    rightsquigarrow leadsto twoheadrightarrow rightarrowtail circlearrowleft circlearrowright xleftarrow xrightarrow
    nless ngtr nleq ngeq nsim ncong trianglelefteq trianglerighteq vartriangleleft vartriangleright
"""

LAYOUT = """
    frac dfrac tfrac cfrac sfrac binom dbinom tbinom over choose sqrt root overline underline overbrace underbrace
    overset underset stackrel overrightarrow overleftarrow overleftrightarrow hat widehat bar vec dot ddot dddot tilde
    widetilde check breve acute grave mathring boxed cancel bcancel xcancel substack limits nolimits displaystyle
    textstyle scriptstyle scriptscriptstyle left right middle big Big bigg Bigg bigl bigr Bigl Bigr biggl biggr Biggl
    Biggr bigm Bigm biggm Biggm quad qquad dots ldots cdots vdots ddots dotsb dotsc dotsi dotsm dotso colon tag notag
    nonumber begin end hline cr text textrm textbf textit texttt textsf textnormal mathrm mathbf mathit mathsf mathtt
    mathbb mathcal mathscr mathfrak mathnormal boldsymbol pmb bf rm it cal tt sf bm mathop mathbin mathrel mathord
    mathopen mathclose mathpunct mathinner thinspace medspace thickspace negthinspace enspace nobreakspace
"""

ENVIRONMENT_NAMES = """
    matrix pmatrix bmatrix Bmatrix vmatrix Vmatrix smallmatrix array cases rcases aligned alignedat gathered split align
    align* equation equation* gather gather* multline multline* subarray
"""

ENVIRONMENTS = frozenset(ENVIRONMENT_NAMES.split())
COMMANDS = frozenset(f"{LETTERS} {OPERATORS} {RELATIONS} {LAYOUT}".split())
SIGNS = frozenset(",;:!> {}|\\%$&#_-/\n")
"""One-character commands: blanks, signs that need a backslash, and the end of a row."""

COMMAND = re.compile(r"\\([a-zA-Z]+|.|$)", re.DOTALL)
ENVIRONMENT = re.compile(r"\\(?:begin|end)\s*(?:\{([^{}]*)\})?")
ROW_GAP = re.compile(r"\\\\\s*\*?\s*\[(?!\s*\d{1,2}(?:\.\d+)?\s*(?:pt|ex|em|mu|mm)\s*\])")
"""A distance after the end of a row that is negative or large: it would move the row over other text."""


def is_harmless(formula: str) -> bool:
    r"""Whether MathJax may typeset the formula: not too long, and only commands and environments of the lists.

    >>> is_harmless(r"\frac{a}{b} \\ c"), is_harmless(r"\href{x}{y}"), is_harmless(r"\begin{x}")
    (True, False, False)
    """
    return (
        len(formula) <= MAX_FORMULA
        and all(name in COMMANDS or name in SIGNS for name in COMMAND.findall(formula))
        and all(name in ENVIRONMENTS for name in ENVIRONMENT.findall(formula))
        and ROW_GAP.search(formula) is None
    )
