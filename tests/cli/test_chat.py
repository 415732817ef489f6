"""`chat`: what is sent, what is printed, and what a conversation remembers."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from kimi_openai.emulator import Damage, call, comments, cut, finish, say, think, usage

from .conftest import PIXEL, Run, TerminalFile


def test_one_question(run: Run) -> None:
    """The answer goes to stdout and ends with one newline; in a pipe there is no reasoning."""
    run.kimi.script(think("hm"), say("2"))
    assert run("chat", "What", "is", "1+1?", "--system", "Be brief.", "--effort", "low") == (0, "2\n", "")
    assert run.sent()["reasoning_effort"] == "low"
    assert run.sent()["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "What is 1+1?"},
    ]
    run.kimi.script(say("ends itself\n"))
    assert run("chat", "Hi")[1] == "ends itself\n"


def test_a_second_system_text_replaces_the_first(run: Run) -> None:
    """There is one system message."""
    run("chat", "--system", "one", "--system", "two", "Hi")
    assert [message["content"] for message in run.sent()["messages"]] == ["two", "Hi"]


def test_a_document_and_an_image(run: Run, tmp_path: Path) -> None:
    """The document's text is a system message before the system text, the image a part; the upload is deleted."""
    (tmp_path / "note.txt").write_text("The meeting is on Tuesday.")
    (tmp_path / "dot.png").write_bytes(PIXEL)
    code, _, errors = run("chat", "--file", "note.txt", "--image", "dot.png", "--system", "S", "When?")
    assert (code, errors) == (0, "")
    document, system, user = run.sent()["messages"]
    assert "Tuesday" in document["content"]
    assert (document["role"], system["content"]) == ("system", "S")
    assert [part["type"] for part in user["content"]] == ["image_url", "text"]
    assert run("files", "list", "--json")[1] == "[]\n"


def test_a_video(run: Run) -> None:
    """A reference to an upload is sent as it is."""
    assert run("chat", "--video", "ms://file_1", "What happens?")[0] in (0, 1)
    assert run.sent()["messages"][0]["content"][0] == {"type": "video_url", "video_url": {"url": "ms://file_1"}}


def test_json(run: Run) -> None:
    """One object with text, reasoning and usage; the text is exact, and no control character is in the output."""
    run.kimi.script(think("hm"), say("red \x1b[31m \x9b 你好"))
    code, out, errors = run("chat", "--json", "Hi")
    answer = json.loads(out)
    assert (code, errors, out.count("\n")) == (0, "", 1)
    assert (answer["text"], answer["reasoning"]) == ("red \x1b[31m \x9b 你好", "hm")
    assert answer["usage"]["total_tokens"] > 0
    assert (answer["finish_reason"], answer["model"]) == ("stop", "kimi-k3")
    assert "你好" in out
    assert "\x9b" not in out


def test_short_options_and_names(run: Run) -> None:
    """-m and -s, a short name of a model, and --max-tokens, which is what Kimi calls max_completion_tokens."""
    assert run("chat", "-m", "k3.1-pro", "-s", "Be brief.", "--max-tokens", "99", "Hi")[0] == 0
    assert (run.sent()["model"], run.sent()["max_completion_tokens"]) == ("kimi-k3.1-pro", 99)
    assert run.sent()["messages"][0] == {"role": "system", "content": "Be brief."}
    assert run("tokens", "-m", "k3", "Hi")[0] == 0


def test_words_alone_are_a_question(run: Run) -> None:
    """Also a single one, and options before it; a slip in a command and a key are not sent."""
    for arguments in (["hello"], ["Why?", "now"], ["-m", "k3", "hello"], ["--json", "hello"]):
        assert run(*arguments)[0] == 0
        assert run.sent()["messages"][-1]["content"] in ("hello", "Why? now")
    asked = len(run.kimi.chats)
    for word in ("blance", "sk-secret123", "model"):
        code, out, errors = run(word)
        assert (code, out) == (2, "")
        assert "secret" not in errors
    assert len(run.kimi.chats) == asked


def test_a_schema(run: Run, tmp_path: Path) -> None:
    """The answer is JSON that fits it, whole or not at all; an answer that is none is exit code 1."""
    (tmp_path / "my city.json").write_text(
        '{"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}'
    )
    code, out, errors = run("chat", "--schema", "my city.json", "Which?")
    assert (code, errors) == (0, "")
    assert isinstance(json.loads(out)["city"], str)
    sent = run.sent()["response_format"]
    assert (sent["type"], sent["json_schema"]["name"]) == ("json_schema", "my_city")
    run.kimi.script(say('{"city": "Par'), cut())
    run.kimi.script(say('{"city": "Rome"}'))
    assert run("chat", "--schema", "my city.json", "Which?")[:2] == (0, '{"city": "Rome"}\n')
    run.kimi.script(say('{"city": "Par'), finish("length"))
    code, out, errors = run("chat", "--schema", "my city.json", "Which?")
    assert (code, out, "is not JSON" in errors) == (1, '{"city": "Par\n', True)
    for text, words in (("[1]", "JSON object"), ("{", "not JSON"), ("\xff", "not JSON")):
        (tmp_path / "bad.json").write_text(text)
        code, _, errors = run("chat", "--schema", "bad.json", "Which?")
        assert (code, words in errors) == (2, True)


def test_no_reasoning(run: Run) -> None:
    """It is not in the JSON either."""
    run.kimi.script(think("hm"), say("2"))
    assert "reasoning" not in json.loads(run("chat", "--no-reasoning", "--json", "1+1?")[1])


def test_raw_chunks(run: Run) -> None:
    """One chunk per line, as it came, without comments and `[DONE]`."""
    run.kimi.fail(comments())
    run.kimi.script(think("hm"), say("ok \x9b"))
    code, out, _ = run("chat", "--raw", "Hi")
    chunks = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert "\x9b" not in out
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}
    assert "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks) == "ok \x9b"
    assert chunks[-1]["choices"][0]["usage"]["total_tokens"] > 0


@pytest.mark.parametrize("data", ['{"id":"chatcmpl-', "[1]", '"text"', '{"choices":{"a":1}}', '{"choices":[1]}'])
def test_raw_shows_what_is_not_a_chunk(run: Run, data: str) -> None:
    """It is printed where it came, and the answer goes on; control characters of the answer stay escaped."""
    run.kimi.fail(Damage(chunks=2, insert=(f"data: {data}\n\n".encode(),), keeps_rest=True))
    run.kimi.script(say("\x1b[2J"))
    code, out, errors = run("chat", "--raw", "Hi")
    assert (code, errors) == (0, "")
    assert data in out.splitlines()
    assert "\x1b" not in out


@pytest.mark.parametrize(("how", "cause"), [("end", "it just ended"), ("reset", r"\w+Error")])
def test_a_cut_raw_answer_is_1(run: Run, how: str, cause: str) -> None:
    """What came is printed, nothing is asked again, and the note says why the answer is not whole."""
    run.kimi.script(say("half of it"), cut(how))
    code, out, errors = run("chat", "--raw", "Hi")
    assert (code, "half" in out, len(run.kimi.chats)) == (1, True, 1)
    assert re.match(rf"the stream was cut before its finish_reason \({cause}\), after 10 characters", errors)


def test_no_escape_sequence_gets_into_a_pipe(run: Run) -> None:
    """A pipe may end at a terminal."""
    run.kimi.script(say("\x1b]0;owned\x07\x1b[2Jhi\r\n\x9b1m\x08"))
    assert run("chat", "Hi")[1] == "\\x1b]0;owned\\x07\\x1b[2Jhi\n\\x9b1m\\x08\n"


def test_a_search(run: Run) -> None:
    """What is searched and the sources go to stderr, the answer to stdout."""
    run.kimi.script(say("Let me look."), call("web_search", {"query": "prime\x1b news"}))
    run.kimi.script(say("Done."))
    code, answer, notes = run("chat", "--search", "Which", "prime?")
    assert (code, answer) == (0, "Let me look.\nDone.\n")
    assert notes == "web search: prime\\x1b news\n[1] Emulated result: https://example.com/emulated-result\n"
    assert [tool["function"]["name"] for tool in run.sent()["tools"]] == ["web_search"]
    assert run.kimi.fibers[0]["context"]["encrypted_output"] == run.sent()["messages"][-1]["content"]


def test_a_search_as_json(run: Run) -> None:
    """With the sources, an empty list without any, and the usage of all turns."""
    run.kimi.script(call("web_search", {"query": "primes"}), usage(prompt_tokens=100, completion_tokens=1))
    run.kimi.script(say("Done."), usage(prompt_tokens=200, completion_tokens=1))
    code, answer, notes = run("chat", "--search", "--json", "Which prime?")
    found = json.loads(answer)
    assert (code, notes, found["text"], found["usage"]["prompt_tokens"]) == (0, "", "Done.", 300)
    assert found["sources"] == [{"url": "https://example.com/emulated-result", "title": "Emulated result"}]
    run.kimi.script(say("7"))
    assert json.loads(run("chat", "--search", "--json", "Which prime?")[1])["sources"] == []
    assert "sources" not in json.loads(run("chat", "--json", "Hi")[1])
    assert run("chat", "--search", "--raw", "Hi")[0] == 2


def test_a_conversation_with_searches(run: Run) -> None:
    """What is remembered is the answer, without the search."""
    run.kimi.script(call("web_search", {"query": "primes"}))
    run.kimi.script(say("Done."))
    code, answer, _ = run("chat", "--search", stdin=TerminalFile("Which?\nAnd?\n"))
    assert (code, "Done." in answer) == (0, True)
    assert [message["content"] for message in run.sent()["messages"]] == ["Which?", "Done.", "And?"]
