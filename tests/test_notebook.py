"""`show` and `live` on the screens there are: a notebook's cell, a terminal's IPython, plain Python."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import openai
import pytest

from kimi_openai import StreamCutError, create_async_client, list_models, live, notebook, show, stream
from kimi_openai.emulator import Emulator, call, cut, pause, reset_after, say, think
from kimi_openai.errors import CompatError, Note

from .conftest import Mode
from .harmless import wrong_in

InteractiveShell = pytest.importorskip("IPython.core.interactiveshell").InteractiveShell
TerminalInteractiveShell = pytest.importorskip("IPython.terminal.interactiveshell").TerminalInteractiveShell

QUESTION: dict[str, Any] = {"model": "kimi-k3", "messages": [{"role": "user", "content": "Hi"}]}


class Page:
    """What a front end got: `new` outputs by id, with all versions of each."""

    def __init__(self) -> None:
        self.outputs: dict[str, list[dict[str, Any]]] = {}

    def publish(self, data: dict[str, Any], *_: Any, update: bool = False, **options: Any) -> None:
        name = (options.get("transient") or {}).get("display_id") or f"plain-{len(self.outputs)}"
        assert (name in self.outputs) == update
        self.outputs.setdefault(name, []).append(data)

    @property
    def only(self) -> list[dict[str, Any]]:
        """All versions of the only output."""
        (versions,) = self.outputs.values()
        return versions


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    """A notebook's front end."""
    shell = InteractiveShell.instance()
    shell.display_formatter.active_types = shell.display_formatter.format_types
    found = Page()
    monkeypatch.setattr(shell.display_pub, "publish", found.publish)
    yield found
    InteractiveShell.clear_instance()


def whole(mode: Mode, shown: Any) -> Any:
    """The reply of `live`, in either world."""
    return mode.run(shown)


def test_a_stream_is_one_output_that_is_painted_over(kimi: Emulator, mode: Mode, page: Page) -> None:
    """First open reasoning, in the end the answer with its facts; what comes back is the whole reply."""
    kimi.script(think("hm"), say("**ok**"), call("add", {"a": 1}))
    client = mode.client(kimi)
    reply = whole(mode, live(mode.run(client.chat.completions.create(**QUESTION, stream=True))))
    assert (reply.content, reply.reasoning) == ("**ok**", "hm")
    first, last = page.only[1]["text/html"], page.only[-1]["text/html"]
    assert "waiting for the first token" in page.only[0]["text/html"]
    assert "<details open>" in first
    assert "<details>" in last
    for part in ("<strong>ok</strong>", "add({&quot;a&quot;:1})", "tokens/s", "$0.00"):
        assert part in last
    assert page.only[-1]["text/plain"].startswith("Reasoning: hm\n\n**ok**")
    assert all(wrong_in(version["text/html"]) == [] for version in page.only)


def test_our_stream_is_shown_while_it_heals(kimi: Emulator, mode: Mode, page: Page) -> None:
    """The reader is told of the break when it happens, and how often there were any at the end."""
    kimi.script(think("hm"), say("one two three four"))
    kimi.script(think("hm"), say("one two three four"))
    kimi.fail(reset_after(6))
    reply = whole(mode, live(stream(mode.client(kimi), **QUESTION)))
    assert reply.content == "one two three four"
    assert any("the connection broke" in version["text/html"] for version in page.only)
    assert "broke off once, went on each time" in page.only[-1]["text/html"]
    assert "kimi-k3" in page.only[-1]["text/html"]
    assert [what for *_, what in reply.moments if what] == ["resumed"]


def test_the_sdks_stream_helper_is_shown_once(kimi: Emulator, page: Page) -> None:
    """Its events tell each chunk twice, in two ways."""
    kimi.script(say("hello"))
    with Mode("sync").client(kimi).chat.completions.stream(**QUESTION) as events:
        assert live(events).content == "hello"
    assert page.only[-1]["text/html"].count("hello") == 1


def test_a_call_that_was_not_awaited_is(kimi: Emulator, page: Page) -> None:
    """`await live(client.chat.completions.create(..., stream=True))` needs no second `await`."""

    async def ask() -> Any:
        async with create_async_client(base_url=kimi.base_url, api_key=kimi.api_key) as client:
            return await live(client.chat.completions.create(**QUESTION, stream=True))

    kimi.script(say("hello"))
    assert asyncio.run(ask()).content == "hello"
    assert "<p>hello</p>" in page.only[-1]["text/html"]


def test_what_came_stays_when_a_stream_fails(kimi: Emulator, mode: Mode, page: Page) -> None:
    """And the error goes to the caller."""
    kimi.script(say("half of"), cut("end"))
    with pytest.raises(StreamCutError):
        whole(mode, live(mode.run(mode.client(kimi).chat.completions.create(**QUESTION, stream=True))))
    assert "half of" in page.only[-1]["text/html"]
    assert "ended by StreamCutError" in page.only[-1]["text/html"]


def test_a_live_reply_is_not_shown_twice_by_its_own_cell(kimi: Emulator, page: Page) -> None:
    """As the last line of its cell it is silent, in a later cell it shows itself."""
    shell = InteractiveShell.instance()
    shell.user_ns.update(client=Mode("sync").client(kimi), live=live, question=QUESTION)
    code = "reply = live(client.chat.completions.create(**question, stream=True))\nreply"
    assert shell.run_cell(code, store_history=True).success
    assert len(page.outputs) == 1
    assert shell.run_cell("reply", store_history=True).success
    assert len(page.outputs) == 2


def test_show_takes_what_there_is_to_see(kimi: Emulator, page: Page) -> None:
    """Completions, replies, usages, errors, notes, and whatever has a form of its own."""
    client = Mode("sync").client(kimi)
    completion = client.chat.completions.create(**QUESTION)
    with pytest.raises(openai.BadRequestError) as refused:
        client.chat.completions.create(**QUESTION, extra_body={"messages": []})
    note = Note("kind", "where", "<b>", "why", "fix")
    values = (
        completion,
        notebook.reply_of(completion),
        completion.usage,
        refused.value,
        note,
        [note],
        CompatError((note,)),
    )
    for value in values:
        show(value)
    shown = [versions[0]["text/html"] for versions in page.outputs.values()]
    assert len(shown) == len(values)
    for markup, part in zip(
        shown, ("<p>You", "<p>You", "cached", "Kimi said", "&lt;b&gt;", "&lt;b&gt;", "&lt;b&gt;"), strict=True
    ):
        assert part in markup
        assert wrong_in(markup) == []


@pytest.fixture(params=["python", "ipython"])
def terminal(request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[[], str]]:
    """A terminal, with and without IPython: what was written to it."""
    if request.param == "ipython":
        InteractiveShell.clear_instance()
        TerminalInteractiveShell.instance()
    yield lambda: capsys.readouterr().out
    if request.param == "ipython":
        TerminalInteractiveShell.clear_instance()


def test_in_a_terminal_only_what_is_new_is_written(kimi: Emulator, mode: Mode, terminal: Callable[[], str]) -> None:
    """Reasoning, answer, calls, facts; none of it a command to the terminal."""
    kimi.script(think("hm\x1b[2J"), say("one two"), call("add", {"a": 1}))
    whole(mode, live(mode.run(mode.client(kimi).chat.completions.create(**QUESTION, stream=True))))
    text = terminal()
    assert text.startswith('[thinking] hm\\x1b[2J\n\none two\n\nadd({"a":1})\n\n[kimi-k3 · ')
    assert text.count("one two") == 1


def test_a_terminal_is_told_of_a_new_start(kimi: Emulator, mode: Mode, terminal: Callable[[], str]) -> None:
    """What was written cannot be taken back."""
    kimi.script(think("a long thought"), cut())
    kimi.script(think("another"), say("yes"))
    whole(mode, live(stream(mode.client(kimi), **QUESTION)))
    assert "\n[the connection broke; starting over]\n[thinking] another\n\nyes\n\n[" in terminal()


def test_a_thought_after_a_break_does_not_cut_the_text_apart(
    kimi: Emulator, mode: Mode, terminal: Callable[[], str]
) -> None:
    """A model may reason once more before it goes on: the text of an answer stays in one piece."""
    kimi.script(say("one, "), cut())
    kimi.script(think("on I go"), pause(0.2), say("one, two"))
    whole(mode, live(stream(mode.client(kimi), **QUESTION)))
    assert terminal().startswith("one, two\n\n[")


def test_a_whole_answer_is_no_stream(kimi: Emulator, mode: Mode, terminal: Callable[[], str]) -> None:
    """Where `stream=True` was forgotten, that is said before anything is written."""
    with pytest.raises(TypeError, match="stream=True"):
        whole(mode, live(mode.run(mode.client(kimi).chat.completions.create(**QUESTION))))
    assert terminal() == ""


def test_show_in_a_terminal(kimi: Emulator, terminal: Callable[[], str]) -> None:
    """Tables in columns; anything else as it prints itself."""
    completion = Mode("sync").client(kimi).chat.completions.create(**QUESTION)
    show(completion.usage)
    show(list_models(Mode("sync").client(kimi)))
    show(42)
    lines = terminal().splitlines()
    assert (lines[0], lines[-1]) == ("tokens", "42")
    assert "model                       context  images  videos  thinks" in lines
