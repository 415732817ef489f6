"""The proxy, used by OpenAI's own package for Node."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from kimi_openai.emulator import Emulator, call, ends_after, out_of_quota, say, think
from kimi_openai.proxy import Proxy

from .node import NodeMissingError, node_project

SCRIPT = """
import OpenAI, { toFile } from "openai";

const client = new OpenAI();  // OPENAI_BASE_URL and OPENAI_API_KEY, as `kimi-openai proxy` prints them
const messages = [{ role: "developer", content: "Be brief." }, { role: "user", content: "Hi" }];
const ask = { model: "gpt-4o", messages };
const found = {};

const { data, response } = await client.chat.completions.create({ ...ask, temperature: 0.2 }).withResponse();
found.content = data.choices[0].message.content;
found.notes = response.headers.get("x-kimi-notes");

const tools = [{ type: "function", function: { name: "get", parameters: { type: "object", properties: {} } } }];
found.deltas = [];
for await (const chunk of await client.chat.completions.create({ ...ask, tools, stream: true })) {
  found.deltas.push(chunk.choices[0].delta);
  found.usage = chunk.usage;
}

const runner = client.chat.completions.stream({ ...ask, stream_options: { include_usage: true } });
found.streamed = await runner.finalContent();
found.total = (await runner.totalUsage()).total_tokens;

found.models = [];
for await (const model of client.models.list()) found.models.push(model.id);

const file = await client.files.create({ file: await toFile(Buffer.from("tuesday"), "a.txt"), purpose: "assistants" });
found.file = await (await client.files.content(file.id)).text();

const failure = async (work) => {
  try { await work(); return null; } catch (error) {
    return { kind: error.constructor.name, status: error.status ?? null, message: error.message };
  }
};
found.empty = await failure(() => client.chat.completions.create(ask));
found.image = await failure(() => client.chat.completions.create({ ...ask, messages: [
  { role: "user", content: [{ type: "image_url", image_url: { url: "https://images.example/a.png" } }] }] }));
found.cut = await failure(async () => {
  for await (const _ of await client.chat.completions.create({ ...ask, stream: true })) {}
});
found.stranger = await failure(() => new OpenAI({ apiKey: "wrong" }).models.list());
console.log(JSON.stringify(found));
"""


@pytest.fixture
def found(kimi: Emulator, proxy: Proxy) -> Any:
    """What the script found."""
    try:
        node, project = node_project()
    except NodeMissingError as missing:
        pytest.skip(str(missing))

    def third_answer(_: object) -> Any:
        kimi.fail(out_of_quota(), ends_after(3), path="/chat/completions")  # for the two requests after it
        return say("streamed")

    kimi.reply = third_answer
    kimi.script(say("hello"))
    kimi.script(think("look"), call("get", {"a": 1}))
    return _output(node, project, proxy)


def _output(node: str, project: Path, proxy: Proxy) -> Any:
    script = project / f"script-{os.getpid()}.mjs"
    script.write_text(SCRIPT)
    environment = {**os.environ, "OPENAI_BASE_URL": proxy.base_url, "OPENAI_API_KEY": proxy.token}
    try:
        done = subprocess.run(
            [node, script.name], cwd=project, env=environment, capture_output=True, text=True, timeout=60
        )
    finally:
        script.unlink()
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_openais_package_for_node(kimi: Emulator, found: Any) -> None:
    """Plain, streamed, with a tool, by its stream helper, models, files, and errors of four kinds."""
    assert (found["content"], found["streamed"]) == ("hello", "streamed")
    assert found["notes"] == "temperature: left out; messages.0.role: sent as 'system'"
    assert "".join(delta.get("reasoning_content") or "" for delta in found["deltas"]) == "look"
    pieces = [piece["function"] for delta in found["deltas"] for piece in delta.get("tool_calls") or ()]
    assert pieces[0]["name"] == "get"
    assert json.loads("".join(piece.get("arguments") or "" for piece in pieces)) == {"a": 1}
    assert found["usage"]["total_tokens"] > 0
    assert found["total"] > 0
    assert "kimi-k3" in found["models"]
    assert "tuesday" in found["file"]
    assert (found["empty"]["kind"], "no balance left" in found["empty"]["message"]) == ("RateLimitError", True)
    assert (found["image"]["status"], "image_part" in found["image"]["message"]) == (400, True)
    assert "cut before its finish_reason" in found["cut"]["message"]
    assert found["stranger"]["status"] == 401
    assert {body["model"] for body in kimi.chats} == {"kimi-k3"}
    assert len(kimi.chats) == 5
