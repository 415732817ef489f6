"""adapt.py, exchange.py, local.py: responses and conversations, which Kimi does not store, as if it did."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from pathlib import Path
from typing import Any

import openai
import pytest

from kimi_openai import CompatError, ResponseMemory, create_client, last_notes
from kimi_openai.emulator import Behaviour, Emulator, call, say, think
from tests.canned import answering
from tests.conftest import Mode

from .shapes import call as call_item
from .shapes import message, response

pytestmark = pytest.mark.filterwarnings("ignore::kimi_openai.errors.KimiCompatWarning")

K3: Any = {"model": "kimi-k3"}


def ask(mode: Mode, client: Any, input: Any, **options: Any) -> Any:
    return mode.run(client.responses.create(**K3, input=input, **options))


def streamed(mode: Mode, client: Any, input: Any, **options: Any) -> Any:
    """The response of the last event."""
    return mode.each(mode.run(client.responses.create(**K3, input=input, stream=True, **options)))[-1].response


@pytest.mark.parametrize("unsupported", ["ignore", "reject"])
@pytest.mark.parametrize("way", [ask, streamed])
def test_previous_response_id(mode: Mode, unsupported: Any, way: Any) -> None:
    """The earlier items stand before the new input, through three turns; copies of the client know them too."""
    with Emulator(behaviour=Behaviour(responses_unsupported=unsupported)) as kimi:
        client = mode.client(kimi, compat="strict")
        kimi.script(think("hm"), say("Hello Ann."))
        first = way(mode, client, "I am Ann.")
        kimi.script(say("Ann."))
        second = way(mode, client.with_options(timeout=9), "Who am I?", previous_response_id=first.id)
        assert second.previous_response_id == first.id
        kimi.script(say("Ann, again."))
        third = way(mode, client, [{"role": "user", "content": "Sure?"}], previous_response_id=second.id)
        assert third.output_text == "Ann, again."
        sent = kimi.responses[-1]
        assert [item["type"] for item in sent["input"][:-1]] == [
            "message",
            "reasoning",
            "message",
            "message",
            "message",
        ]
        assert [item["content"] for item in sent["input"] if item.get("role") == "user"] == [
            "I am Ann.",
            "Who am I?",
            "Sure?",
        ]
        assert "previous_response_id" not in sent
        assert last_notes() == ()


def test_only_the_output_of_a_call_is_sent(mode: Mode, kimi: Emulator) -> None:
    """As frameworks do: the call comes from the memory."""
    client = mode.client(kimi)
    tools = [{"type": "function", "name": "f", "parameters": {"type": "object", "properties": {}}}]
    kimi.script(call("f", {}))
    first = ask(mode, client, "Go", tools=tools)
    output = {"type": "function_call_output", "call_id": first.output[-1].call_id, "output": "1"}
    kimi.script(say("Done."))
    assert ask(mode, client, [output], tools=tools, previous_response_id=first.id).output_text == "Done."
    assert [item["type"] for item in kimi.responses[-1]["input"]] == [
        "message",
        "function_call",
        "function_call_output",
    ]


def test_a_call_id_is_used_once_in_a_conversation(mode: Mode, kimi: Emulator) -> None:
    """Kimi begins with `f_0` in each turn; a call whose id the input has gets another one, plain and streamed."""
    client = mode.client(kimi)
    tools = [{"type": "function", "name": "f", "parameters": {"type": "object", "properties": {}}}]
    found = None
    ids: list[str] = []
    for way in (ask, streamed, ask):
        kimi.script(call("f", {}))
        given: Any = "Go"
        if found is not None:
            given = [{"type": "function_call_output", "call_id": ids[-1], "output": "1"}]
        found = way(mode, client, given, tools=tools, previous_response_id=found and found.id)
        ids.append(found.output[-1].call_id)
    assert ids == ["f_0", "f_1", "f_2"]


def test_store_false_is_not_remembered(mode: Mode, kimi: Emulator) -> None:
    """As with OpenAI; what is said elsewhere about it is the same."""
    client = mode.client(kimi)
    found = ask(mode, client, "Hi", store=False)
    with pytest.raises(openai.NotFoundError):
        mode.run(client.responses.retrieve(found.id))
    with pytest.raises(CompatError, match=found.id):
        ask(mode, client, "Hi", previous_response_id=found.id)


def test_an_unknown_id_is_a_clear_error(mode: Mode, kimi: Emulator) -> None:
    """Nothing is sent. With `compat="off"` the request is sent as it is."""
    client = mode.client(kimi)
    with pytest.raises(CompatError, match=r"resp_x.*response_memory"):
        ask(mode, client, "Hi", previous_response_id="resp_x")
    with pytest.raises(CompatError, match=r"conv_x.*conversations\.create"):
        ask(mode, client, "Hi", conversation={"id": "conv_x"})
    memory = ResponseMemory(max_responses=1)
    client = mode.client(kimi, response_memory=memory)
    first = ask(mode, client, "1")
    second = ask(mode, client, "2", previous_response_id=first.id)
    with pytest.raises(CompatError, match=f"{first.id}.*{second.id}"):
        ask(mode, client, "3", previous_response_id=second.id)
    assert len(kimi.responses) == 2
    ask(mode, client.with_options(compat="off"), "Hi", previous_response_id="resp_x")
    assert kimi.responses[-1]["previous_response_id"] == "resp_x"


def test_retrieve_delete_and_input_items(mode: Mode, kimi: Emulator) -> None:
    """From the memory, as the SDK's objects; an unknown id is the SDK's 404 with an explanation."""
    client = mode.client(kimi)
    kimi.script(say("Hello"))
    first = ask(mode, client, "Hi")
    second = ask(mode, client, "And?", previous_response_id=first.id)
    assert mode.run(client.responses.retrieve(first.id)) == first
    items = mode.each(client.responses.input_items.list(second.id, order="asc", limit=2))
    assert [item.content[0].text for item in items] == ["Hi", "Hello", "And?"]
    mode.run(client.responses.delete(first.id))
    for gone in (client.responses.retrieve, client.responses.delete):
        with pytest.raises(openai.NotFoundError, match=f"none with the id '{first.id}'.*the request's side"):
            mode.run(gone(first.id))
    assert len(kimi.requests) == 2


REFUSED: dict[str, tuple[Any, str]] = {
    "cancel": (lambda client: client.responses.cancel("resp_x"), "close the stream"),
    "a stream of an earlier response": (
        lambda client: client.responses.retrieve("resp_x", stream=True),
        "without stream",
    ),
    "starting_after": (lambda client: client.responses.retrieve("resp_x", starting_after=3), "without stream"),
    "counting": (lambda client: client.post("/responses/input_tokens", body={}, cast_to=object), "estimate_tokens"),
    "compaction": (lambda client: client.post("/responses/compact", body={}, cast_to=object), "shorten the input"),
    "websites of conversations": (lambda client: client.get("/conversations/a/b/c/d", cast_to=object), "leave it out"),
}


@pytest.mark.parametrize(("work", "advice"), REFUSED.values(), ids=REFUSED)
def test_what_no_memory_can_replace_is_refused(mode: Mode, kimi: Emulator, work: Any, advice: str) -> None:
    """With what to do instead; nothing is sent."""
    with pytest.raises(CompatError, match=advice):
        mode.run(work(mode.client(kimi)))
    assert kimi.requests == []


def test_background_answers_at_once_and_polling_ends(mode: Mode, kimi: Emulator) -> None:
    """The loop of OpenAI's guide works: the first response is finished, and can be retrieved."""
    notes: list[Any] = []
    client = mode.client(kimi, on_note=notes.append)
    kimi.script(say("Done."))
    found = ask(mode, client, "Go", background=True)
    assert "background" in [note.kind for note in notes]
    while found.status in ("queued", "in_progress"):
        raise AssertionError("it is not finished")
    assert mode.run(client.responses.retrieve(found.id)).output_text == "Done."


def test_conversations(mode: Mode, kimi: Emulator) -> None:
    """All of the SDK's methods, and a response that continues one."""
    client = mode.client(kimi)
    made = mode.run(client.conversations.create(items=[{"role": "user", "content": "I am Ann."}], metadata={"a": "b"}))
    kimi.script(say("Ann."))
    found = ask(mode, client, "Who am I?", conversation=made.id)
    assert found.conversation.id == made.id
    assert [item["content"] for item in kimi.responses[-1]["input"]] == ["I am Ann.", "Who am I?"]
    items = client.conversations.items
    listed = mode.each(items.list(made.id, order="asc"))
    assert [item.content[0].text for item in listed] == ["I am Ann.", "Who am I?", "Ann."]
    added = mode.run(items.create(made.id, items=[{"role": "user", "content": "Bye"}]))
    assert [item.content[0].text for item in added.data] == ["Bye"]
    bye = added.data[0].id
    assert mode.run(items.retrieve(bye, conversation_id=made.id)).id == bye
    mode.run(items.delete(bye, conversation_id=made.id))
    with pytest.raises(openai.NotFoundError, match=bye):
        mode.run(items.retrieve(bye, conversation_id=made.id))
    assert mode.run(client.conversations.update(made.id, metadata={"a": "c"})).metadata == {"a": "c"}
    assert mode.run(client.conversations.retrieve(made.id)).metadata == {"a": "c"}
    kimi.script(say("Ann!"))
    ask(mode, client, "Again", conversation=made.id, store=False)
    assert len(mode.each(items.list(made.id))) == 5
    assert mode.run(client.conversations.delete(made.id)).deleted
    for gone in (client.conversations.retrieve, client.conversations.delete):
        with pytest.raises(openai.NotFoundError, match=made.id):
            mode.run(gone(made.id))


def test_references_to_items(mode: Mode, kimi: Emulator) -> None:
    """Those of a remembered response are replaced by the item, once."""
    client = mode.client(kimi)
    kimi.script(say("Hello"))
    first = ask(mode, client, "Hi")
    item = first.output[-1]
    ask(mode, client, [{"type": "item_reference", "id": item.id}, {"role": "user", "content": "More"}])
    assert kimi.responses[-1]["input"][0] == item.to_dict()
    ask(mode, client, [{"id": item.id}, {"role": "user", "content": "More"}], previous_response_id=first.id)
    assert [each.get("id") for each in kimi.responses[-1]["input"]].count(item.id) == 1


def test_a_response_id_is_used_once(mode: Mode) -> None:
    """A server that repeats an id, or sends none, does not put an end to a conversation."""
    for id in ("resp_1", "", None):
        canned = answering(response(message("Hello"), id=id))
        client = mode.client(api_key="sk-1", http_client=canned.client(mode.is_async))
        first = ask(mode, client, "1")
        second = ask(mode, client, "2", previous_response_id=first.id)
        assert first.id
        assert second.id
        assert first.id != second.id
        ask(mode, client, "3", previous_response_id=second.id)
        texts = [item.get("content") for item in json.loads(canned.bodies[-1])["input"] if item.get("role") == "user"]
        assert texts == ["1", "2", "3"]


def test_what_is_remembered_is_a_copy(mode: Mode, kimi: Emulator) -> None:
    """The caller may change the list and the response later."""
    client = mode.client(kimi)
    given = [{"role": "user", "content": "I am Ann."}]
    found = ask(mode, client, given)
    given[0]["content"] = "I am Bob."
    found.output.clear()
    ask(mode, client, "Who am I?", previous_response_id=found.id)
    sent = kimi.responses[-1]["input"]
    assert sent[0]["content"] == "I am Ann."
    assert len(sent) > 2


def test_clients_do_not_share_unless_they_are_told_to(mode: Mode, kimi: Emulator) -> None:
    """One memory for several clients is passed to each."""
    first = ask(mode, mode.client(kimi), "Hi")
    with pytest.raises(CompatError):
        ask(mode, mode.client(kimi), "Hi", previous_response_id=first.id)
    memory = ResponseMemory()
    first = ask(mode, mode.client(kimi, response_memory=memory), "Hi")
    ask(mode, mode.client(kimi, response_memory=memory), "Hi", previous_response_id=first.id)
    assert len(memory) == 2


PROGRAM = """
import sys
from kimi_openai import create_client
client = create_client(base_url=sys.argv[1], api_key=sys.argv[2], response_memory=sys.argv[3], env_file=None)
print(client.responses.create(model="kimi-k3", input="Hi").id)
"""


def test_another_program_goes_on(kimi: Emulator, tmp_path: Path) -> None:
    """With a file, after the first program has ended without closing anything."""
    memory = tmp_path / "memory"
    args = [sys.executable, "-c", PROGRAM, kimi.base_url, kimi.api_key, str(memory)]
    id = subprocess.run(args, capture_output=True, text=True, check=True).stdout.strip()
    with create_client(base_url=kimi.base_url, api_key=kimi.api_key, response_memory=memory) as client:
        client.responses.create(model="kimi-k3", input="Hi", previous_response_id=id)
    assert len(kimi.responses[-1]["input"]) > 2


def test_a_broken_memory_does_not_cost_the_answer(
    mode: Mode, kimi: Emulator, caplog: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is logged; a request that needs the memory is an error of the SDK's kind."""
    monkeypatch.setattr(logging.getLogger("kimi_openai"), "disabled", False)  # other tests configure logging
    path = tmp_path / "memory"
    client = mode.client(kimi, response_memory=path)
    client.kimi_options.response_memory.close()
    for each in tmp_path.glob("memory*"):
        each.unlink()
    path.mkdir()
    kimi.script(say("Hello"))
    with caplog.at_level("ERROR", "kimi_openai"):
        assert ask(mode, client, "Hi", store=None).output_text == "Hello"
    assert "could not be remembered" in caplog.text
    with pytest.raises(openai.OpenAIError, match="memory"):
        ask(mode, client, "Hi", previous_response_id="resp_x")


def test_an_answer_in_which_an_id_comes_twice_can_be_sent_back(mode: Mode) -> None:
    """The ids are unique in the answer, so the outputs belong to their calls."""
    canned = answering(response(call_item(), call_item(arguments='{"a":2}', id="fc_2")))
    client = mode.client(api_key="sk-1", http_client=canned.client(mode.is_async))
    found = ask(mode, client, "Go")
    assert [item.call_id for item in found.output] == ["f_0", "f_1"]
