"""`show` and `live` in a notebook's cell, in IPython on a terminal, and in plain Python."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from typing import Any

import openai
import pytest
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from kimi_openai import StreamCutError, create_async_client, list_models, live, show, stream
from kimi_openai.emulator import Emulator, call, cut, pause, reset_after, say, think
from kimi_openai.errors.exceptions import CompatError, Note
from kimi_openai.messages.reply import reply_of
from tests.conftest import Mode
from tests.harmless import wrong_in

from .conftest import shell_of

InteractiveShell = pytest.importorskip("IPython.core.interactiveshell").InteractiveShell
TerminalInteractiveShell = pytest.importorskip("IPython.terminal.interactiveshell").TerminalInteractiveShell

QUESTION: dict[str, Any] = {"model": "kimi-k3", "messages": [{"role": "user", "content": "Hi"}]}


class Page:
    """What a front end got: outputs by id, with all versions of each."""

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
    with shell_of(InteractiveShell) as shell:
        shell.display_formatter.active_types = shell.display_formatter.format_types
        found = Page()
        monkeypatch.setattr(shell.display_pub, "publish", found.publish)
        yield found


def test_a_stream_is_one_output_that_is_repainted(kimi: Emulator, mode: Mode, page: Page) -> None:
    """First open reasoning, at the end the answer with its summary line; `live` returns the whole reply."""
    kimi.script(think("hm"), say("**ok**"), call("add", {"a": 1}))
    client = mode.client(kimi)
    reply = mode.run(live(mode.run(client.chat.completions.create(**QUESTION, stream=True))))
    assert (reply.content, reply.reasoning) == ("**ok**", "hm")
    first, last = page.only[1]["text/html"], page.only[-1]["text/html"]
    assert "waiting for the first token" in page.only[0]["text/html"]
    assert "<details open>" in first
    assert "<details>" in last
    for part in ("<strong>ok</strong>", "add({&quot;a&quot;:1})", "tokens/s", "$0.00"):
        assert part in last
    assert page.only[-1]["text/plain"].startswith("Reasoning: hm\n\n**ok**")
    assert all(wrong_in(version["text/html"]) == [] for version in page.only)
    assert all(set(version) == {"text/html", "text/plain"} for version in page.only)  # what VS Code and Colab show


def test_a_resumed_stream_is_shown(kimi: Emulator, mode: Mode, page: Page) -> None:
    """Each break is shown when it happens, and their number at the end."""
    kimi.script(think("hm"), say("one two three four"))
    kimi.script(think("hm"), say("one two three four"))
    kimi.fail(reset_after(6))
    reply = mode.run(live(stream(mode.client(kimi), **QUESTION)))
    assert reply.content == "one two three four"
    assert any("the connection broke" in version["text/html"] for version in page.only)
    assert "broke off once, went on each time" in page.only[-1]["text/html"]
    assert "kimi-k3" in page.only[-1]["text/html"]
    assert [what for *_, what in reply.moments if what] == ["resumed"]


def test_the_sdks_stream_helper_is_shown_once(kimi: Emulator, page: Page) -> None:
    """It sends each chunk, and then an event with the same text."""
    kimi.script(say("hello"))
    with Mode("sync").client(kimi).chat.completions.stream(**QUESTION) as events:
        assert live(events).content == "hello"
    assert page.only[-1]["text/html"].count("hello") == 1


def test_live_awaits_the_call(kimi: Emulator, page: Page) -> None:
    """`await live(client.chat.completions.create(..., stream=True))` needs no second `await`."""

    async def ask() -> Any:
        async with create_async_client(base_url=kimi.base_url, api_key=kimi.api_key) as client:
            return await live(client.chat.completions.create(**QUESTION, stream=True))

    kimi.script(say("hello"))
    assert asyncio.run(ask()).content == "hello"
    assert "<p>hello</p>" in page.only[-1]["text/html"]


def test_what_came_stays_when_a_stream_fails(kimi: Emulator, mode: Mode, page: Page) -> None:
    """The error goes to the caller."""
    kimi.script(say("half of"), cut("end"))
    with pytest.raises(StreamCutError):
        mode.run(live(mode.run(mode.client(kimi).chat.completions.create(**QUESTION, stream=True))))
    assert "half of" in page.only[-1]["text/html"]
    assert "ended by StreamCutError" in page.only[-1]["text/html"]


def test_a_reply_is_not_shown_twice_by_its_own_cell(kimi: Emulator, page: Page) -> None:
    """As the last line of its cell it shows nothing; in a later cell it shows itself."""
    shell = InteractiveShell.instance()
    shell.user_ns.update(client=Mode("sync").client(kimi), live=live, question=QUESTION)
    code = "reply = live(client.chat.completions.create(**question, stream=True))\nreply"
    assert shell.run_cell(code, store_history=True).success
    assert len(page.outputs) == 1
    assert shell.run_cell("reply", store_history=True).success
    assert len(page.outputs) == 2


def test_show_takes_every_kind_of_value(kimi: Emulator, page: Page) -> None:
    """Completions, replies, usages, errors and notes."""
    client = Mode("sync").client(kimi)
    completion = client.chat.completions.create(**QUESTION)
    with pytest.raises(openai.BadRequestError) as refused:
        client.chat.completions.create(**QUESTION, extra_body={"messages": []})
    note = Note("kind", "where", "<b>", "why", "fix")
    values = (
        completion,
        reply_of(completion),
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
    """What was written to a terminal, with and without IPython."""
    with shell_of(TerminalInteractiveShell) if request.param == "ipython" else nullcontext():
        yield lambda: capsys.readouterr().out


def test_in_a_terminal_only_what_is_new_is_written(kimi: Emulator, mode: Mode, terminal: Callable[[], str]) -> None:
    """Reasoning, answer, calls, summary line; no escape sequence in them."""
    kimi.script(think("hm\x1b[2J"), say("one two"), call("add", {"a": 1}))
    mode.run(live(mode.run(mode.client(kimi).chat.completions.create(**QUESTION, stream=True))))
    text = terminal()
    assert text.startswith('[thinking] hm\\x1b[2J\n\none two\n\nadd({"a":1})\n\n[kimi-k3 · ')
    assert text.count("one two") == 1


def test_a_terminal_shows_a_new_start(kimi: Emulator, mode: Mode, terminal: Callable[[], str]) -> None:
    """Written text cannot be taken back, so a line says that the answer starts over."""
    kimi.script(think("a long thought"), cut())
    kimi.script(think("another"), say("yes"))
    mode.run(live(stream(mode.client(kimi), **QUESTION)))
    assert "\n[the answer broke off; starting over]\n[thinking] another\n\nyes\n\n[" in terminal()


def test_reasoning_after_a_break_does_not_interrupt_the_text(
    kimi: Emulator, mode: Mode, terminal: Callable[[], str]
) -> None:
    """A model may reason again before it goes on; the text of the answer stays in one piece."""
    kimi.script(say("one, "), cut())
    kimi.script(think("on I go"), pause(0.2), say("one, two"))
    mode.run(live(stream(mode.client(kimi), **QUESTION)))
    assert terminal().startswith("one, two\n\n[")


def test_a_whole_answer_is_no_stream(kimi: Emulator, mode: Mode, terminal: Callable[[], str]) -> None:
    """If `stream=True` was forgotten, the error says so and nothing is written."""
    with pytest.raises(TypeError, match="stream=True"):
        mode.run(live(mode.run(mode.client(kimi).chat.completions.create(**QUESTION))))
    assert terminal() == ""


def test_show_in_a_terminal(kimi: Emulator, terminal: Callable[[], str]) -> None:
    """Tables in columns; anything else as it prints itself."""
    completion = Mode("sync").client(kimi).chat.completions.create(**QUESTION)
    show(completion.usage)
    show(list_models(Mode("sync").client(kimi)))
    show(42)
    lines = terminal().splitlines()
    assert (lines[0], lines[-1]) == ("tokens", "42")
    assert ["model", "context", "images", "videos", "thinks", "efforts", "ends"] in map(str.split, lines)
    assert any(line.split() == ["kimi-k3", "1,048,576", "yes", "yes", "yes", "low,", "high,", "max"] for line in lines)


@pytest.mark.k2  # the others have no end
def test_the_model_list_says_when_a_model_ends(kimi: Emulator) -> None:
    """The last day on which the platform plans to serve it."""
    models: Any = list_models(Mode("sync").client(kimi))
    rows = {row[0]: row for row in models.table().rows}
    assert rows["kimi-k2.6"][-2:] == ("", "2026-12-31")
    assert rows["kimi-k3"][-2:] == ("low, high, max", "")


@pytest.mark.parametrize("function", [live, show])
def test_the_signature_can_be_read(function: Any) -> None:
    """`live?` shows it on one line, and an editor when the pointer is over the name."""
    assert len(f"Signature: {function.__name__}{inspect.signature(function)}") < 120


@pytest.mark.parametrize("value", ["text", b"text", None, 5, {"choices": []}])
def test_what_is_no_stream_is_a_clear_error(value: Any, terminal: Callable[[], str]) -> None:
    """A text has pieces too, but they are no chunks."""
    with pytest.raises(TypeError, match=rf"takes a stream, and this is a {type(value).__name__}: .*stream=True.*show"):
        live(value)
    assert terminal() == ""


HOSTILE: dict[str, Any] = {
    "nothing": {},
    "choices": {"choices": {"a": 1}},
    "a message": {"choices": [{"message": ["x"]}]},
    "names of our own": {"choices": None, "text": "x", "html": "<script>", "_repr_html_": "<script>"},
}


@pytest.mark.parametrize("fields", HOSTILE.values(), ids=HOSTILE)
def test_an_answer_of_another_shape_is_shown_as_it_is(
    page: Page, capsys: pytest.CaptureFixture[str], fields: dict[str, Any]
) -> None:
    """The bare SDK returns such; nothing in it is shown as HTML."""
    show(ChatCompletion.construct(**fields))
    shown = [versions[-1]["text/html"] for versions in page.outputs.values()]
    assert bool(shown) != ("ChatCompletion(" in capsys.readouterr().out)
    assert not any(map(wrong_in, shown))


def test_chunks_of_another_shape_do_not_break_the_display(page: Page) -> None:
    """The bare SDK's streams yield whatever came; what is a chunk is shown."""
    good: Any = [{"index": 0, "delta": {"content": "ok"}, "finish_reason": None}]
    odd: Any = [None, "x", [1], {"choices": {}}, ChatCompletionChunk.construct(choices=[{"delta": 5}])]
    assert live([*odd, {"choices": good}, *odd]).content == "ok"
    assert "ok" in page.only[-1]["text/html"]
