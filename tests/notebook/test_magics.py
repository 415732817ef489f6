"""The magics, in an IPython shell of the test."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any
from unittest.mock import Mock

import openai
import pytest
from openai.types.chat import ChatCompletion
from openai.types.responses import Response

from kimi_openai import tool_message
from kimi_openai.emulator import Emulator, call, error_event, say, think
from tests.conftest import Mode

from .conftest import shell_of

capture = pytest.importorskip("IPython.utils.capture")
completer = pytest.importorskip("IPython.core.completer")
InteractiveShell = pytest.importorskip("IPython.core.interactiveshell").InteractiveShell


class Notebook:
    """A shell with the extension and a client; `run` returns what a cell printed, showed and raised."""

    def __init__(self, shell: Any, kimi: Emulator) -> None:
        self.shell = shell
        self.shell.display_formatter.active_types = self.shell.display_formatter.format_types
        self.shell.Completer.use_jedi = False  # it knows nothing of magics, and reads every module it finds
        self.names: dict[str, Any] = self.shell.user_ns
        self.names["kimi_client"] = Mode("sync").client(kimi)
        self.run("%load_ext kimi_openai")

    def run(self, code: str) -> Any:
        with capture.capture_output() as output:
            result = self.shell.run_cell(code, store_history=True)
        output.error = result.error_before_exec or result.error_in_exec
        return output

    def traceback(self, output: Any) -> list[str]:
        """The lines that IPython showed for an error, without those of the answer itself."""
        return [line for line in output.stdout.splitlines() if line and not line.startswith("[")]

    def completed(self, code: str) -> list[str]:
        with completer.provisionalcompleter():
            return [found.text for found in self.shell.Completer.completions(code, len(code))]


@pytest.fixture
def notebook(kimi: Emulator) -> Iterator[Notebook]:
    """A notebook with `%load_ext kimi_openai`."""
    with shell_of(InteractiveShell) as shell:
        yield Notebook(shell, kimi)


def test_a_question_in_a_line_and_its_answer_in_a_variable(kimi: Emulator, notebook: Notebook) -> None:
    """Variables are filled in; other braces, dollars and quotes stay; the answer is shown and kept."""
    notebook.names["x"] = 42
    kimi.script(think("hm"), say("the **answer**"))
    output = notebook.run("""%kimi --to answer What's  {x} + {y} + $x in '{"a": 1}'?""")
    assert kimi.chats[-1]["messages"] == [{"role": "user", "content": """What's  42 + {y} + $x in '{"a": 1}'?"""}]
    assert notebook.names["answer"] == "the **answer**"
    assert notebook.names["kimi_reply"].reasoning == "hm"
    assert "<strong>answer</strong>" in output.outputs[-1].data["text/html"]


@pytest.mark.k2  # no other model can be switched off
def test_a_question_in_a_cell(kimi: Emulator, notebook: Notebook) -> None:
    """With a model, thinking, a system message and a prefix, which is part of the kept answer."""
    notebook.names.update(name="Li", style="short")
    kimi.script(say(" hello."))
    notebook.run(
        '%%kimi --model kimi-k2.6 --no-thinking --system "be {style}" --prefix "Dear {name}," --to letter\nWrite.\n'
    )
    sent = kimi.chats[-1]
    assert (sent["model"], sent["thinking"]) == ("kimi-k2.6", {"type": "disabled"})
    assert sent["messages"] == [
        {"role": "system", "content": "be short"},
        {"role": "user", "content": "Write."},
        {"role": "assistant", "content": "Dear Li,", "partial": True},
    ]
    assert notebook.names["letter"] == "Dear Li, hello."
    assert notebook.names["kimi_messages"][-1]["content"] == "Dear Li, hello."


def test_the_conversation_continues_until_new(kimi: Emulator, notebook: Notebook) -> None:
    """It is a plain list in the namespace, with the reasoning that Kimi wants back."""
    kimi.script(think("hm"), say("one"))
    notebook.run("%kimi --effort low first")
    notebook.run("%kimi second")
    assert kimi.chats[0]["reasoning_effort"] == "low"
    assert kimi.chats[1]["messages"][:2] == [
        {"role": "user", "content": "first"},
        {"role": "assistant", "content": "one", "reasoning_content": "hm"},
    ]
    notebook.run("%kimi --new third")
    assert kimi.chats[2]["messages"] == [{"role": "user", "content": "third"}]
    notebook.run("%kimi --new")
    assert notebook.names["kimi_messages"] == []


def test_a_second_system_message_replaces_the_first(kimi: Emulator, notebook: Notebook) -> None:
    """There is one, at the beginning, and the conversation stays."""
    notebook.run("%kimi --system one first")
    notebook.run("%kimi --system two second")
    roles = [(message["role"], message["content"]) for message in kimi.chats[1]["messages"]]
    assert [role for role, _ in roles] == ["system", "user", "assistant", "user"]
    assert (roles[0], roles[1], roles[3]) == (("system", "two"), ("user", "first"), ("user", "second"))
    notebook.run("%kimi --system three")
    assert [m["content"] for m in notebook.names["kimi_messages"] if m["role"] == "system"] == ["three"]


def test_a_failed_question_is_not_in_the_conversation(kimi: Emulator, notebook: Notebook) -> None:
    """The list is unchanged, so that the cell can be run again."""
    notebook.run("%kimi first")
    before = list(notebook.names["kimi_messages"])
    kimi.balance = 0
    assert "balance" in str(notebook.run("%kimi second").error)
    assert notebook.names["kimi_messages"] == before


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("%kimi", "what is the question"),
        ("%kimi --effort medium x", "the nearest is 'high'"),
        ("%kimi --loud x", "unrecognized arguments: --loud"),
        ("%%kimi what\nbody", "the question is the cell"),
        ("%kimi --to 'my answer' x", "no name for a variable"),
        ("%kimi --to kimi_messages x", "no name for a variable"),
        ("%kimi 'open", "No closing quotation: close the quote"),
        ("%kimi_tokens", "there is no conversation yet"),
        ("%kimi_balance now", "takes nothing"),
        ("kimi_client = 1\n%kimi x", "kimi_client is a int"),
    ],
)
def test_wrong_usage_is_one_line(kimi: Emulator, notebook: Notebook, cell: str, words: str) -> None:
    """No traceback, and nothing is sent."""
    output = notebook.run(cell)
    assert words in output.stderr
    assert output.stderr.startswith("UsageError: ")
    assert kimi.chats == []


def test_the_cost_is_in_the_currency_of_the_client(kimi: Emulator, notebook: Notebook) -> None:
    """An account of the other region does not pay in dollars."""
    notebook.names["kimi_client"] = Mode("sync").client(kimi, region="cn")
    assert "¥" in notebook.run("%kimi x").outputs[-1].data["text/plain"]


def test_balance_and_tokens(notebook: Notebook) -> None:
    """The balance as a table, the tokens of a text, a cell or the conversation as a number."""
    assert "49.58894 " in notebook.run("%kimi_balance").outputs[0].data["text/html"]
    notebook.run("short = %kimi_tokens one")
    notebook.run("%kimi one")
    notebook.run("long = %kimi_tokens")
    assert 0 < notebook.names["short"] < notebook.names["long"]


def test_without_a_client_one_is_made(kimi: Emulator, notebook: Notebook, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the environment, and kept."""
    monkeypatch.setenv("MOONSHOT_API_KEY", kimi.api_key)
    monkeypatch.setenv("MOONSHOT_BASE_URL", kimi.base_url)
    del notebook.names["kimi_client"]
    notebook.run("%kimi hi")
    assert str(notebook.names["kimi_client"].base_url).startswith(kimi.base_url)
    notebook.names["kimi_client"].close()


def test_without_a_key_one_line_says_so(kimi: Emulator, notebook: Notebook) -> None:
    """What to set and where, and no traceback; other settings that cannot work are told in the same way."""
    del notebook.names["kimi_client"]
    for line in ("%kimi hi", "%kimi_balance", "%kimi_tokens hi"):
        lines = notebook.run(line).stderr.splitlines()
        assert len(lines) == 1
        assert lines[0].startswith("UsageError: no Kimi API key: ")
        assert "MOONSHOT_API_KEY" in lines[0]
    os.environ["MOONSHOT_API_KEY"], os.environ["MOONSHOT_BASE_URL"] = kimi.api_key, "nonsense"
    assert len(notebook.run("%kimi hi").stderr.splitlines()) == 1
    assert kimi.chats == []


@pytest.mark.parametrize("line", ["%kimi hi", "%kimi --search hi", "%kimi_balance", "%kimi_tokens hi"])
def test_a_refused_call_is_one_line(notebook: Notebook, line: str) -> None:
    """It is the SDK's exception, and says what to do; `kimi_reply` is not touched."""
    client = notebook.names["kimi_client"].with_options(api_key="sk-wrong")
    notebook.names.update(kimi_client=client, kimi_reply="before")
    output = notebook.run(line)
    shown = notebook.traceback(output)
    assert len(shown) == 1
    assert shown[0].startswith("AuthenticationError: Error code: 401 - ")
    assert "this key is not accepted here" in shown[0]
    assert isinstance(output.error, openai.AuthenticationError)
    assert notebook.names["kimi_reply"] == "before"


def test_a_network_error_is_one_line(notebook: Notebook) -> None:
    """Nothing listens there."""
    client = notebook.names["kimi_client"].with_options(base_url="http://127.0.0.1:9/v1", max_retries=0)
    notebook.names["kimi_client"] = client
    shown = notebook.traceback(notebook.run("%kimi hi"))
    assert len(shown) == 1
    assert shown[0].startswith("APIConnectionError: Connection error.")


def test_what_had_arrived_before_an_error_is_kept(kimi: Emulator, notebook: Notebook) -> None:
    """In `kimi_reply`, and not in the conversation; what a server wrote cannot control the terminal."""
    refusal = error_event(chunks=4, message="no\nmore \x1b[2J", type="content_filter")
    kimi.fail(refusal)
    kimi.script(think("hm"), say("one two three"))
    shown = notebook.traceback(notebook.run("%kimi hi"))
    assert len(shown) == 1
    assert "no more \\x1b[2J" in shown[0]
    assert shown[0].endswith("; what had arrived is in kimi_reply")
    assert (notebook.names["kimi_reply"].reasoning, notebook.names["kimi_reply"].content) == ("hm", "one")
    assert "kimi_messages" not in notebook.names


def test_an_interrupt_is_one_line_too(notebook: Notebook, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel's stop button, while an answer arrives."""
    stop = KeyboardInterrupt()
    monkeypatch.setattr("kimi_openai.notebook.display._LiveDisplay.add", Mock(side_effect=stop))
    output = notebook.run("%kimi hi")
    assert output.error is stop
    assert notebook.traceback(output) == ["KeyboardInterrupt"]


def test_after_a_refused_key_the_next_one_is_read(
    kimi: Emulator, notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client is made again, unless it is the user's own."""
    monkeypatch.setenv("MOONSHOT_BASE_URL", kimi.base_url)
    monkeypatch.setenv("MOONSHOT_API_KEY", "sk-wrong")
    del notebook.names["kimi_client"]
    assert "401" in str(notebook.run("%kimi hi").error)
    monkeypatch.setenv("MOONSHOT_API_KEY", kimi.api_key)
    assert notebook.run("%kimi hi").error is None
    notebook.names["kimi_client"].close()
    own = notebook.names["kimi_client"] = Mode("sync").client(kimi, api_key="sk-wrong")
    assert "401" in str(notebook.run("%kimi hi").error)
    assert notebook.names["kimi_client"] is own


def test_tab_completes_options_models_and_efforts(notebook: Notebook) -> None:
    """Through IPython's completer."""
    assert "--system" in notebook.completed("%kimi --s")
    assert notebook.completed("%kimi --model kimi-k3.")[:2] == ["kimi-k3.1-pro", "kimi-k3.1-pro-highspeed"]
    assert "--effort" in notebook.completed("%%kimi --to x --eff")
    assert {"low", "high", "max"} <= set(notebook.completed("%kimi --effort "))
    assert notebook.completed("%kimi_tokens --")[-1] == "--model"


def test_help_names_every_option(notebook: Notebook) -> None:
    """`%kimi?` shows it."""
    text = str(notebook.shell.find_line_magic("kimi").__doc__)
    for option in ("--model", "--thinking", "--effort", "--system", "--prefix", "--to", "--new", "{name}"):
        assert option in text


def test_the_sdks_values_show_themselves(notebook: Notebook) -> None:
    """Until the extension is unloaded."""
    form = notebook.shell.display_formatter.format
    completion = notebook.names["kimi_client"].chat.completions.create(
        model="kimi-k3", messages=[{"role": "user", "content": "Hi"}]
    )
    assert "<p>You asked" in form(completion)[0]["text/html"]
    assert "<table>" in form(completion.usage)[0]["text/html"]
    notebook.run("%unload_ext kimi_openai")
    assert "text/html" not in form(completion)[0]
    assert form(completion)[0]["text/plain"].startswith("ChatCompletion(")
    notebook.run("%load_ext kimi_openai")
    assert "text/html" in form(completion)[0]


CREATE = """kimi_client.chat.completions.create(model="kimi-k3", messages=[{"role": "user", "content": "Hi"}])"""


def test_a_bare_create_that_ends_a_cell_shows_its_answer(kimi: Emulator, notebook: Notebook) -> None:
    """As HTML and as text, and nothing else, so that every front end shows it; the value and its class stay."""
    own = dict(vars(ChatCompletion))
    kimi.script(think("hm"), say("**yes**"))
    shown: list[Any] = []
    notebook.shell.displayhook.write_format_data = lambda data, _=None: shown.append(data)
    result = notebook.shell.run_cell(CREATE, store_history=True).result
    assert set(shown[0]) == {"text/html", "text/plain"}
    assert "<strong>yes</strong>" in shown[0]["text/html"]
    assert shown[0]["text/plain"].startswith("Reasoning: hm\n\n**yes**\n\n[kimi-k3")
    assert type(result) is ChatCompletion
    assert notebook.names["_"] is result
    assert dict(vars(ChatCompletion)) == own


def test_a_response_that_ends_a_cell_is_shown_too(kimi: Emulator, notebook: Notebook) -> None:
    """Of `client.responses`: reasoning, text, calls, tokens."""
    kimi.script(think("hm"), say("**yes**"), call("add", {"a": 1}))
    response = notebook.names["kimi_client"].responses.create(model="kimi-k3", input="Hi")
    form = notebook.shell.display_formatter.format
    shown = form(response)[0]["text/html"]
    for part in ("<strong>yes</strong>", "hm</div></div></details>", "add({&quot;a&quot;:1})", "kimi-k3 · "):
        assert part in shown
    assert "<table>" in form(response.usage)[0]["text/html"]
    odd = form(Response.construct(output=[1, {"type": "message", "content": "x"}], usage=5))[0]
    assert odd["text/plain"].startswith("Response(")


def test_an_answer_without_a_message_is_shown_as_it_is(notebook: Notebook) -> None:
    """The bare SDK returns such, and so the formatter leaves it to IPython."""
    shown = notebook.shell.display_formatter.format(ChatCompletion.construct(choices="x"))[0]
    assert set(shown) == {"text/plain"}
    assert shown["text/plain"].startswith("ChatCompletion(")


def test_a_search(kimi: Emulator, notebook: Notebook) -> None:
    """The answer is shown with its sources below; the conversation keeps the answer."""
    kimi.script(call("web_search", {"query": "primes"}))
    kimi.script(say("Done."))
    output = notebook.run("%kimi --search --to answer Name a prime.")
    assert output.error is None
    assert notebook.names["answer"] == notebook.names["kimi_reply"].content == "Done."
    assert "https://example.com/emulated-result" in output.outputs[-1].data["text/html"]
    assert len(notebook.names["kimi_messages"]) == 2
    assert "do not go together" in str(notebook.run("%kimi --search --prefix a Name a prime.").stderr)


def test_a_new_system_message_keeps_tools(kimi: Emulator, notebook: Notebook) -> None:
    """A message that declares tools is no instruction."""
    declared = tool_message([{"name": "refund", "parameters": {"type": "object", "properties": {}}}])
    notebook.names["kimi_messages"] = [{"role": "system", "content": "old"}, declared]
    notebook.run("%kimi --system new Hi")
    assert [message.get("content") for message in kimi.chats[-1]["messages"]] == ["new", None, "Hi"]
