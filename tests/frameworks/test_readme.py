"""The lines of README's table of frameworks, for those that are installed here."""

from __future__ import annotations

import re
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from kimi_openai import adapting_http_client, create_client
from kimi_openai.emulator import Emulator

README = (Path(__file__).parents[2] / "README.md").read_text()
SECTION = README.partition("\n## You use a framework\n")[2].partition("\n## ")[0]
ROWS = re.findall(r"^\| (\w[^|]*[0-9]) \| ([^|]*) \|", SECTION, re.MULTILINE)

IMPORTS = {
    "ChatOpenAI": "langchain_openai",
    "OpenAIChatCompletionsModel": "agents",
    "OpenAIProvider": "pydantic_ai.providers.openai",
    "OpenAIChatModel": "pydantic_ai.models.openai",
    "completion": "litellm",
    "from_openai": "instructor",
    "OpenAILike": "llama_index.llms.openai_like",
    "OpenAIChatGenerator": "haystack.components.generators.chat",
    "OpenAIChatCompletion": "semantic_kernel.connectors.ai.open_ai",
    "OpenAIModel": "smolagents",
    "LM": "dspy",
}
pytestmark = pytest.mark.filterwarnings("default")  # theirs, not ours


@pytest.mark.parametrize(("framework", "lines"), ROWS, ids=[row[0] for row in ROWS])
def test_a_line_runs(framework: str, lines: str, kimi: Emulator, async_client: Any) -> None:
    """As it stands, after the framework's import."""
    modules = {**IMPORTS, **({"OpenAILike": "agno.models.openai.like"} if framework.startswith("agno") else {})}
    names: dict[str, Any] = {"async_client": async_client, "adapting_http_client": adapting_http_client}
    names["client"] = create_client(base_url=kimi.base_url, api_key=kimi.api_key)
    names["messages"] = [{"role": "user", "content": "Hi"}]
    names["key"] = kimi.api_key
    for name in set(re.findall(r"\b\w+(?=\()", lines)) & set(modules):
        if find_spec(modules[name].partition(".")[0]) is None:
            pytest.skip(f"{framework} is not installed")
        names[name] = getattr(import_module(modules[name]), name)
    for line in re.findall(r"`([^`]*)`", lines):
        exec(line, names)


def test_every_framework_is_there() -> None:
    """A row for each framework that has a test module."""
    modules = {path.stem.removesuffix("_responses") for path in Path(__file__).parent.glob("test_*.py")}
    assert len(ROWS) == len(modules - {"test_readme"})
