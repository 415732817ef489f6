"""`stream` over sockets: what breaks, what is sent after it, and what the user sees."""

from __future__ import annotations

import asyncio
import gc
import time
from pathlib import Path
from typing import Any

import openai
import pytest

from kimi_openai import StreamCutError, instant, stream
from kimi_openai.emulator import (
    Behaviour,
    Emulator,
    bad_key,
    call,
    comments,
    drop_after,
    empty_body,
    ends_after,
    error_event,
    garbage,
    html,
    out_of_quota,
    overloaded,
    rate_limited,
    refuse,
    reset,
    reset_after,
    say,
    slow,
    stall,
    think,
    unavailable,
)
from tests.canned import LIBRARY, Canned
from tests.conftest import Mode
from tests.servers import MakeAnswering

WIRE = Path(__file__).parents[1] / "wire"
ASK: dict[str, Any] = {"model": "kimi-k3", "messages": [{"role": "user", "content": "Hi"}]}
TEXT = "Hello wörld, how are you doing on this fine day?"
JSON_TEXT = '{"city": "Paris", "days": 3}'
SCRIPT = (think("The user greets."), say(TEXT))
CUT_IN_TEXT = 10
"""Chunks: the role, three of reasoning and one that ends it, then the text."""


class Seen:
    """All events of a stream, and the stream."""

    def __init__(self, mode: Mode, answer: Any) -> None:
        self.events = mode.each(answer)
        self.types = [event.type for event in self.events]
        self.news = [each for each in self.types if each in ("resumed", "restarted")]
        self.answer, self.completion = answer, mode.run(answer.get_final_completion())
        self.message: Any = self.completion.choices[0].message

    def text(self) -> str:
        """The text that a reader has at the end; `restarted` makes it forget."""
        last = max((at for at, kind in enumerate(self.types) if kind == "restarted"), default=0)
        return "".join(event.delta for event in self.events[last:] if event.type == "content.delta")


def ask(mode: Mode, kimi: Emulator, *faults: Any, script: Any = SCRIPT, **params: Any) -> Seen:
    """What a stream shows while these faults occur; nothing waits."""
    kimi.fail(*faults)
    kimi.reply = lambda _: list(script)
    with instant():
        return Seen(mode, stream(mode.client(kimi), **{**ASK, **params}))


def failing(mode: Mode, kimi: Emulator, *faults: Any, script: Any = SCRIPT, client: Any = None, **params: Any) -> Any:
    """The exception that ends the stream."""
    kimi.fail(*faults)
    kimi.reply = lambda _: list(script)
    with pytest.raises(openai.OpenAIError) as caught, instant():
        mode.each(stream(client or mode.client(kimi), **{**ASK, **params}))
    return caught.value


def test_a_whole_answer(mode: Mode, kimi: Emulator) -> None:
    """Reasoning, then text, then the whole text and the usage; the completion is what `create` would have returned."""
    seen = ask(mode, kimi)
    assert [each for at, each in enumerate(seen.types) if each != seen.types[at - 1]] == [
        "reasoning.delta",
        "content.delta",
        "content.done",
        "usage",
    ]
    assert (seen.text(), seen.message.content, seen.message.reasoning_content) == (TEXT, TEXT, "The user greets.")
    assert seen.completion.choices[0].finish_reason == "stop"
    assert seen.events[-1].usage["total_tokens"] == seen.completion.usage.total_tokens > 0
    assert seen.completion._request_id
    assert [part.how for part in seen.answer.parts] == ["first"]
    assert kimi.chats[0]["stream_options"] == {"include_usage": True}


@pytest.mark.parametrize(
    ("faults", "news"),
    [
        ([reset_after(CUT_IN_TEXT)], ["resumed"]),
        ([drop_after(CUT_IN_TEXT)], ["resumed"]),
        ([ends_after(CUT_IN_TEXT)], ["resumed"]),
        ([error_event(CUT_IN_TEXT)], ["resumed"]),
        ([garbage(CUT_IN_TEXT)], ["resumed"]),
        ([ends_after("finish")], ["resumed"]),
        ([ends_after("done")], []),
        ([reset_after(nbytes=-1)], ["resumed"]),
        ([reset_after(3)], ["restarted"]),
        ([ends_after(0)], ["restarted"]),
        ([error_event(1)], ["restarted"]),
        ([garbage(0)], ["restarted"]),
        ([reset_after(10), drop_after(5), reset_after(3), ends_after("finish")], ["resumed"] * 4),
        ([drop_after(2), reset_after(CUT_IN_TEXT)], ["restarted", "resumed"]),
        ([reset()], []),
        ([rate_limited(), overloaded(), unavailable(), html(502)], []),
        ([reset_after(CUT_IN_TEXT), rate_limited(retry_after=2), reset()], ["resumed"]),
        ([comments()], []),
    ],
    ids=lambda value: "" if value and isinstance(value[0], str) else None,
)
def test_an_answer_is_whole_after_any_fault(mode: Mode, kimi: Emulator, faults: Any, news: list[str]) -> None:
    """Nothing is lost or doubled, and each cut has its event."""
    seen = ask(mode, kimi, *faults)
    assert (seen.text(), seen.message.content, seen.message.reasoning_content) == (TEXT, TEXT, "The user greets.")
    assert seen.news == news
    assert seen.answer.resumptions == len(news)


def test_the_rest_is_asked_for_with_text_and_reasoning(mode: Mode, kimi: Emulator) -> None:
    """The next request has one more message, a partial one, and is otherwise the same."""
    ask(mode, kimi, reset_after(CUT_IN_TEXT), max_completion_tokens=500, extra_body={"prompt_cache_key": "k"})
    first, second = kimi.chats
    last = second["messages"].pop()
    assert last == {
        "role": "assistant",
        "content": "Hello wörld",
        "partial": True,
        "reasoning_content": "The user greets.",
    }
    assert first == second


def test_usage_is_summed_and_kept_by_part(mode: Mode, kimi: Emulator) -> None:
    """A part that was cut has no usage, but it is known how much it brought."""
    seen = ask(mode, kimi, reset_after(CUT_IN_TEXT))
    cut, rest = seen.answer.parts
    assert (cut.how, cut.usage, cut.finish_reason, cut.pieces > 0) == ("first", None, None, True)
    assert isinstance(cut.cause, Exception)
    assert (rest.how, rest.finish_reason, rest.cause) == ("resumed", "stop", None)
    assert rest.usage["total_tokens"] == seen.completion.usage.total_tokens


def test_a_repeated_prefix_is_trimmed(mode: Mode) -> None:
    """Also if it comes in many pieces."""
    with Emulator(behaviour=Behaviour(repeat_prefix=True), chunking=2) as kimi:
        seen = ask(mode, kimi, reset_after(20), reset_after(25))
        assert (seen.text(), seen.message.content, len(kimi.chats)) == (TEXT, TEXT, 3)
        assert seen.news == ["resumed", "resumed"]


def test_the_callers_own_prefix_is_continued(mode: Mode, kimi: Emulator) -> None:
    """The answer continues what the caller began; after a cut, both are sent."""
    begun = {"role": "assistant", "content": "Hello ", "partial": True}
    seen = ask(mode, kimi, reset_after(6), messages=[*ASK["messages"], begun], script=[say(TEXT)])
    assert "Hello " + seen.text() == TEXT
    assert len(kimi.chats[1]["messages"]) == 2
    assert kimi.chats[1]["messages"][1]["content"].startswith("Hello wörld")


CALLS = (think("hm"), say("Let me see. "), call("add", {"a": 1, "b": 2}), call("add", {"a": 3}))


def test_a_tool_call_starts_over(mode: Mode, kimi: Emulator) -> None:
    """Arguments that have begun are not resumed; the calls come whole, with the text before them."""
    seen = ask(mode, kimi, reset_after(12), script=CALLS)
    assert (seen.news, len(kimi.chats)) == (["restarted"], 2)
    assert "partial" not in kimi.chats[1]["messages"][-1]
    done = [event for event in seen.events if event.type == "tool_calls.function.arguments.done"]
    assert [(each.name, each.arguments, each.id, each.kind) for each in done] == [
        ("add", '{"a":1,"b":2}', "add_0", "function"),
        ("add", '{"a":3}', "add_1", "function"),
    ]
    assert (seen.text(), seen.completion.choices[0].finish_reason) == ("Let me see. ", "tool_calls")
    assert [each.id for each in seen.message.tool_calls] == ["add_0", "add_1"]


@pytest.mark.parametrize("kind", ["json_object", "json_schema"])
def test_json_starts_over(mode: Mode, kimi: Emulator, kind: str) -> None:
    """Partial mode must not be combined with it."""
    schema = {"json_schema": {"name": "trip", "schema": {"type": "object", "properties": {"city": {"type": "string"}}}}}
    wanted = {"type": kind, **(schema if kind == "json_schema" else {})}
    seen = ask(mode, kimi, reset_after(6), script=[say(JSON_TEXT)], response_format=wanted)
    assert (seen.news, seen.text()) == (["restarted"], JSON_TEXT)


def test_on_cut_restart(mode: Mode, kimi: Emulator) -> None:
    """The caller may prefer an answer from one request."""
    seen = ask(mode, kimi, reset_after(CUT_IN_TEXT), on_cut="restart")
    assert (seen.news, seen.text(), len(kimi.chats[1]["messages"])) == (["restarted"], TEXT, 1)


def test_on_cut_raise(mode: Mode, kimi: Emulator) -> None:
    """The error has what came; a request that is refused for a moment is sent again nevertheless."""
    error = failing(mode, kimi, rate_limited(), reset_after(CUT_IN_TEXT), on_cut="raise")
    assert isinstance(error, StreamCutError)
    assert (error.text, error.reasoning, len(kimi.chats)) == ("Hello wörld", "The user greets.", 2)


def test_a_stall_is_a_cut(mode: Mode, kimi: Emulator) -> None:
    """After the read timeout the connection is closed and the rest is asked for."""
    seen = ask(mode, kimi, stall(CUT_IN_TEXT), timeout=0.3)
    assert (seen.news, seen.text()) == (["resumed"], TEXT)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (out_of_quota(), openai.RateLimitError),
        (rate_limited("tpd"), openai.RateLimitError),
        (bad_key(), openai.AuthenticationError),
        (refuse("Invalid request: no"), openai.BadRequestError),
        (rate_limited(retry_after=500), openai.RateLimitError),
        (html(200), openai.APIError),
    ],
    ids=["account empty", "daily limit", "key", "request", "too long a wait", "web page"],
)
def test_a_lasting_error_is_raised_at_once(mode: Mode, kimi: Emulator, fault: Any, kind: Any) -> None:
    """One request, and the SDK's own exception."""
    error = failing(mode, kimi, fault)
    assert isinstance(error, kind)
    assert (len(kimi.chats), error.reply.content) == (1, "")


def test_a_failure_has_what_came_before(mode: Mode, kimi: Emulator) -> None:
    """If the account is empty when the rest is asked for, the text that was paid for is not lost."""
    error = failing(mode, kimi, reset_after(CUT_IN_TEXT), out_of_quota())
    assert isinstance(error, openai.RateLimitError)
    assert (error.reply.content, error.reply.reasoning, len(kimi.chats)) == ("Hello wörld", "The user greets.", 2)


def test_an_error_event_that_lasts_is_raised(mode: Mode, kimi: Emulator) -> None:
    """It has the class that it would have outside a stream, and what had come."""
    risky = error_event(CUT_IN_TEXT, type="content_filter", message="considered high risk")
    error = failing(mode, kimi, risky)
    assert isinstance(error, openai.BadRequestError)
    assert (error.reply.content, len(kimi.chats)) == ("Hello wörld", 1)


def test_a_failure_is_raised_again_by_the_final_completion(mode: Mode, kimi: Emulator) -> None:
    """Whoever reads the events first and asks for the completion later gets the same error, not "closed"."""
    kimi.fail(bad_key())
    answer = stream(mode.client(kimi), **ASK)
    with pytest.raises(openai.AuthenticationError) as first:
        mode.each(answer)
    with pytest.raises(openai.AuthenticationError) as second:
        mode.run(answer.get_final_completion())
    assert second.value is first.value


def test_it_gives_up_in_the_end(mode: Mode, kimi: Emulator) -> None:
    """After ten requests in a row that brought nothing."""
    error = failing(mode, kimi, *[ends_after(1)] * 20)
    assert isinstance(error, StreamCutError)
    assert len(kimi.chats) == 10


def test_patience_ends_it(mode: Mode, kimi: Emulator) -> None:
    """A client's patience is for the whole answer; a wait that would end later is not begun."""
    client = mode.client(kimi, patience=20)
    error = failing(mode, kimi, *[overloaded(retry_after=9)] * 9, client=client)
    assert isinstance(error, openai.RateLimitError)
    assert len(kimi.chats) <= 3


def test_patience_is_a_deadline(mode: Mode, kimi: Emulator) -> None:
    """It ends an answer that comes slowly, however short each silence is; the error says so and has what came."""
    error = failing(mode, kimi, slow(0.15), client=mode.client(kimi, patience=0.5))
    assert isinstance(error, StreamCutError)
    assert "(not retried; patience=0.5 ends)" in str(error)
    assert (bool(error.reply.reasoning), len(kimi.chats)) == (True, 1)


def test_each_request_gets_the_patience_that_is_left(mode: Mode) -> None:
    """A wait after a refusal uses some of it up, and shortens the timeouts of the next request."""
    timeouts: list[float] = []

    class Busy(Canned):
        def handle_request(self, request: Any) -> Any:
            timeouts.append(request.extensions["timeout"].get("read"))
            if len(timeouts) > 1:
                return super().handle_request(request)
            return LIBRARY.Response(503, headers={"retry-after": "8"}, content=b"", request=request)

    http = Busy((WIRE / "text.sse").read_bytes()).client(mode.is_async)
    client = mode.client(api_key="sk-1", http_client=http, patience=20, timeout=600)
    with instant():
        mode.each(stream(client, **ASK))
    assert timeouts[1] <= 12 < timeouts[0] <= 20


def test_the_error_counts_its_requests(mode: Mode, kimi: Emulator) -> None:
    """The last error does not say "not retried" after ten refusals."""
    error = failing(mode, kimi, *[overloaded()] * 20)
    assert "(10 requests; 10 in a row brought nothing)" in str(error)
    assert "not retried" not in str(error)


def test_waits_are_reported(mode: Mode, kimi: Emulator) -> None:
    """`on_retry` is called before each wait, after a refusal and after a cut."""
    events: list[Any] = []
    kimi.fail(rate_limited(retry_after=2), reset_after(CUT_IN_TEXT), reset())
    kimi.reply = lambda _: list(SCRIPT)
    with instant():
        Seen(mode, stream(mode.client(kimi, on_retry=events.append), **ASK))
    assert [event.kind for event in events] == ["rate_limit", "stream_cut", "connection"]
    assert events[0].wait >= 2
    assert events[1].wait == 0


def test_a_refused_partial_mode_starts_over(mode: Mode, kimi: Emulator) -> None:
    """No page promises that it works with every parameter."""
    seen = ask(mode, kimi, reset_after(CUT_IN_TEXT), refuse("Invalid request: partial"))
    assert (seen.news, seen.text(), len(kimi.chats)) == (["resumed", "restarted"], TEXT, 3)


def test_text_stream_is_only_the_text(mode: Mode, kimi: Emulator) -> None:
    """Joined over a cut."""
    kimi.fail(reset_after(CUT_IN_TEXT))
    kimi.reply = lambda _: list(SCRIPT)
    answer = stream(mode.client(kimi), **ASK)
    assert "".join(mode.each(answer.text_stream)) == TEXT
    assert mode.run(answer.get_final_completion()).choices[0].message.content == TEXT


def test_text_stream_does_not_contradict_itself(mode: Mode, kimi: Emulator) -> None:
    """It raises instead of starting over after text was shown; the error has that text, and no request follows."""
    kimi.fail(reset_after(12))
    kimi.reply = lambda _: list(CALLS)
    with pytest.raises(StreamCutError) as caught:
        mode.each(stream(mode.client(kimi), **ASK).text_stream)
    assert (caught.value.text, len(kimi.chats)) == ("Let me see. ", 1)


def test_a_bare_sdk_client_works(mode: Mode, kimi: Emulator) -> None:
    """With Kimi's base URL; its own retries are not added."""
    kind: Any = openai.AsyncOpenAI if mode.is_async else openai.OpenAI
    client = kind(api_key=kimi.api_key, base_url=kimi.base_url)
    kimi.fail(rate_limited(), empty_body(), reset_after(CUT_IN_TEXT), rate_limited("tpd"))
    kimi.reply = lambda _: list(SCRIPT)
    with instant(), pytest.raises(openai.RateLimitError) as caught:
        mode.each(stream(client, **ASK))
    mode.run(client.close())
    error: Any = caught.value
    assert (error.reply.content, len(kimi.chats)) == ("Hello wörld", 4)


def test_message_objects_may_be_sent(mode: Mode, kimi: Emulator) -> None:
    """A completion's message goes back as it came."""
    message = ask(mode, kimi).message
    ask(mode, kimi, messages=[*ASK["messages"], message, {"role": "user", "content": "And?"}])
    sent = kimi.chats[-1]["messages"][1]
    assert (sent["content"], sent["reasoning_content"], "refusal" in sent) == (TEXT, "The user greets.", False)


def test_wrong_arguments_are_refused(mode: Mode, kimi: Emulator) -> None:
    """Before anything is sent."""
    with pytest.raises(ValueError, match="n must be 1"):
        stream(mode.client(kimi, compat="off"), **ASK, n=2)
    with pytest.raises(ValueError, match="n must be 1"):
        stream(mode.client(kimi), **{**ASK, "model": "some-model"}, n=2)
    with pytest.raises(ValueError, match="on_cut is 'retry'"):
        stream(mode.client(kimi), **ASK, on_cut="retry")  # type: ignore[call-overload]
    assert kimi.chats == []


def is_closed(kimi: Emulator) -> bool:
    """Whether the server sees that the client has closed the connection, within a moment."""
    for _ in range(200):
        if kimi.requests[-1].disconnected:
            return True
        time.sleep(0.01)
    return False


def stalled(kimi: Emulator) -> None:
    """The answer stops in its text and never ends."""
    kimi.fail(stall(CUT_IN_TEXT))
    kimi.reply = lambda _: list(SCRIPT)


def test_an_early_break_closes_the_connection(mode: Mode, kimi: Emulator) -> None:
    """What had come is still there; there is no final completion."""
    stalled(kimi)
    answer = stream(mode.client(kimi), **ASK)

    def read() -> None:
        with answer:
            for event in answer:
                if event.type == "content.delta":
                    break

    async def read_async() -> None:
        async with answer:
            async for event in answer:
                if event.type == "content.delta":
                    break

    mode.run(read_async()) if mode.is_async else read()
    assert is_closed(kimi)
    assert answer.reply.content.startswith("Hello")
    with pytest.raises(RuntimeError, match="closed before its end"):
        mode.run(answer.get_final_completion())


def test_a_break_without_with_closes_the_connection(mode: Mode, kimi: Emulator) -> None:
    """Also without the garbage collector."""
    stalled(kimi)
    client = mode.client(kimi)

    def read() -> None:
        for _ in stream(client, **ASK):
            break

    async def read_async() -> None:
        async for _ in stream(client, **ASK):
            break
        await asyncio.sleep(0.05)

    gc.disable()
    mode.run(read_async()) if mode.is_async else read()
    assert is_closed(kimi)
    gc.enable()


def test_a_client_without_retries_has_none_here(mode: Mode, kimi: Emulator) -> None:
    """So that it does not multiply the attempts of a loop of the user's."""
    assert failing(mode, kimi, rate_limited(), client=mode.client(kimi, max_retries=0)).status_code == 429
    assert len(kimi.chats) == 1
    error = failing(mode, kimi, reset_after(CUT_IN_TEXT), client=mode.client(kimi, max_retries=0))
    assert (error.text, len(kimi.chats)) == ("Hello wörld", 2)


def test_a_permit_is_given_back_at_a_cut(mode: Mode, kimi: Emulator) -> None:
    """The rest can be asked for if only one request may be open at a time."""
    kimi.fail(reset_after(CUT_IN_TEXT), reset_after(3))
    kimi.reply = lambda _: list(SCRIPT)
    assert Seen(mode, stream(mode.client(kimi, max_concurrency=1), **ASK)).text() == TEXT


def test_an_exception_in_the_users_loop_closes_the_connection(mode: Mode, kimi: Emulator) -> None:
    """It is not retried and is raised unchanged."""
    stalled(kimi)
    answer = stream(mode.client(kimi), **ASK)

    def read() -> None:
        with answer:
            for _ in answer:
                raise KeyError("mine")

    async def read_async() -> None:
        async with answer:
            async for _ in answer:
                raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        mode.run(read_async()) if mode.is_async else read()
    assert is_closed(kimi)
    assert len(kimi.chats) == 1


def test_a_cancelled_task_closes_the_connection(kimi: Emulator) -> None:
    """Cancellation is not mistaken for a cut."""
    mode = Mode("async")
    stalled(kimi)

    async def read() -> None:
        async with stream(mode.client(kimi), **ASK) as answer:
            async for _ in answer:
                pass

    async def cancel() -> None:
        task = asyncio.create_task(read())
        while not kimi.requests or kimi.requests[-1].chunks_sent < 1:
            await asyncio.sleep(0.01)
            if kimi.requests:
                break
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    mode.run(cancel())
    assert is_closed(kimi)
    assert len(kimi.chats) == 1
    mode.close()


def test_a_connection_is_used_again(mode: Mode, answering: MakeAnswering) -> None:
    """A stream that was read to its end gives its connection back."""
    server = answering(200, (WIRE / "text.sse").read_bytes() + b"\n" * 100000, {"Content-Type": "text/event-stream"})
    client = mode.client(api_key="sk-1", base_url=server.base_url)
    for _ in range(3):
        assert Seen(mode, stream(client, **ASK)).text()
    assert len(set(server.ports)) == 1
