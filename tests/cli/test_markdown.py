"""Markdown on a real terminal: what the screen shows at several widths, and what it never shows."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_openai._internal.sanitize import CONTROLS
from kimi_openai.emulator import Emulator, cut, error, pause, say, think
from tests.hostile import INVISIBLE_ATTACKS, TERMINAL_ATTACKS

from .terminal import CTRL_C, EXTRAS, on_terminal

markdown_module = pytest.importorskip("kimi_openai.cli.markdown")
XTERM = {"TERM": "xterm-256color"}

ANSWER = """# 月亮 🌙

The **moon** is *far*: `384,400 km` 👩‍🚀 远.
Second line

- one
- two 二

```python
def f(x: int) -> int:
    return x + 1
```

| name | 数 |
|------|---:|
| 你好 | 12 |

> quoted <b>html</b> [link](https://example.com/a)
"""


@pytest.fixture
def slow() -> Iterator[Emulator]:
    """Kimi, with a pause between two chunks, so that what is not finished is drawn."""
    with Emulator(token_delay=0.004) as kimi:
        yield kimi


@pytest.mark.parametrize("columns", [40, 80, 120])
def test_an_answer_is_shown_once_at_any_width(slow: Emulator, columns: int) -> None:
    """Without marks of Markdown, with all of its words, nothing of what was drawn on the way, and code in colours."""
    slow.script(think("让我想想 🤔 " * 12), say(ANSWER))
    with on_terminal(slow, "chat", "Hi", columns=columns, **XTERM) as terminal:
        written = terminal.rest()
    words = (
        "月亮 🌙",
        "The moon is far: 384,400 km",
        "远.",
        "• one",
        "• two 二",
        "def f(x: int) -> int:",
        "return x + 1",
    )
    for text in (*words, "你好", "12", "<b>html</b> link", "(https://example.com/a)"):
        assert terminal.text.count(text) == 1, (text, terminal.lines)
    assert not re.search(r"\*\*|```|# |\|--", terminal.text)
    assert [line.strip() for line in terminal.lines if line.startswith("Second")] == ["Second line"]
    assert re.search(r"\x1b\[[0-9;]*m(def)\x1b\[", written)
    assert all(len(line) <= columns for line in terminal.lines)
    assert "\n\n\n\n" not in terminal.page


def test_an_answer_longer_than_the_screen_is_whole(slow: Emulator) -> None:
    """Also one block of code: the screen shows its end while it grows, and all of it is written at last."""
    slow.script(say("```\n" + "".join(f"row {number}.\n" for number in range(40)) + "```\n"))
    with on_terminal(slow, "chat", "Hi", rows=12, **XTERM) as terminal:
        written = terminal.rest()
    last = written[written.rindex("row 0.") :]
    assert [f"row {number}." in last for number in range(40)] == [True] * 40
    assert "row 39." in terminal.text


@pytest.mark.parametrize(
    ("variables", "hidden"),
    [({"TERM": "dumb"}, ()), (XTERM, EXTRAS), ({"TERM": "xterm", "NO_COLOR": "1"}, ())],
    ids=["dumb", "plain install", "NO_COLOR"],
)
def test_without_colour_the_reasoning_is_marked(
    kimi: Emulator, variables: dict[str, str], hidden: tuple[str, ...]
) -> None:
    """In words. A dumb terminal and a plain install show the answer as it came; there is no colour anywhere."""
    kimi.script(think("hm"), say(ANSWER))
    variables = {**variables, "NO_COLOR": "1"}
    with on_terminal(kimi, "chat", "Hi", hidden=hidden, **variables) as terminal:
        written = terminal.rest().replace("\r\n", "\n")
    assert written.index("[reasoning]\nhm\n[end of the reasoning]\n") < written.index("月亮")
    assert not re.search(r"\x1b\[[0-9;]*\b(3|4|9|10)[0-7]\b[0-9;]*m", written)
    if "dumb" in variables.values() or hidden:
        assert ANSWER in written
        assert "\x1b" not in written
    else:
        assert "```" not in terminal.text


def test_no_reasoning_is_shown_if_it_is_not_wanted(kimi: Emulator) -> None:
    """Neither dim nor marked."""
    kimi.script(think("hm"), say("2"))
    with on_terminal(kimi, "chat", "--no-reasoning", "1+1?") as terminal:
        assert terminal.rest() == "2\r\n"


def test_nothing_of_an_answer_controls_the_terminal(kimi: Emulator) -> None:
    """Neither as it is, nor as an entity of HTML, nor in a link, nor in the name of a language."""
    everything = "\n\n".join(
        text for name, text in {**TERMINAL_ATTACKS, **INVISIBLE_ATTACKS}.items() if name != "surrogate"
    )
    entities = "&#27;]0;owned&#7; &#x202e;txt &#x200b; &#155;31m [a&#27;[31m](https://e.example/&#27;[2J '&#27;')"
    kimi.script(say(f"{everything}\n\n{entities}\n\n```&#27;[31m\x1b\ncode &#27;\n```\n![&#27;]( &#27; )\n"))
    with on_terminal(kimi, "chat", "Hi", columns=200, rows=200, **XTERM) as terminal:
        written = terminal.rest().replace("\r\n", "\n")
    ours = re.sub(r"\x1b\[[0-9;]*m|\x1b\[\?25[lh]|\x1b\[[0-9]*[AK]|\r", "", written)
    assert not CONTROLS.search(ours)
    assert "\u200b" not in written
    assert r"pay\u200bpal" in terminal.text
    assert r"\u202etxt" in terminal.text


@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_keeps_the_text_so_far(kimi: Emulator) -> None:
    """It is written out in full, and the exit code is 130."""
    kimi.script(say("# One\n\nthe *beginning"), pause(float("inf")))
    with on_terminal(kimi, "chat", "Hi", **XTERM) as terminal:
        terminal.until_screen("beginning")
        terminal.type(CTRL_C)
        terminal.rest()
    assert terminal.process.exitcode == 130
    assert terminal.lines == ["One", "the *beginning"]


def test_an_answer_that_starts_over_says_so(kimi: Emulator) -> None:
    """Below what had come, and the new one is shown below."""
    kimi.script(say("# First\n\nhalf"), cut())
    kimi.script(error("no partial here", type="invalid_request_error", status=400))
    kimi.script(say("all *new*"))
    with on_terminal(kimi, "chat", "Hi", **XTERM) as terminal:
        terminal.rest()
    assert terminal.lines == ["First", "half", "the connection broke; Kimi starts over:", "all new"]


@given(st.text(st.sampled_from("a*_`#-|>~ \n1.[]()\\!"), max_size=60), st.data())
def test_finished_blocks_stay_what_they_are(text: str, data: st.DataObject) -> None:
    """Cut anywhere, the blocks that count as finished are the first blocks of the whole text."""
    begun = text[: data.draw(st.integers(0, len(text)))]
    count = markdown_module.finished_lines(begun)
    head, rest = "\n".join(text.split("\n")[:count]), "\n".join(text.split("\n")[count:])
    render = markdown_module.PARSER.render
    assert render(head) + render(rest) == render(text)
