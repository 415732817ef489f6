"""The house: imports only go down, the SDK's HTTP library is not named, rooms and names keep their form."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import kimi_openai

PACKAGE = Path(kimi_openai.__file__).parent
ROOMS = {path.stem: path for path in sorted(PACKAGE.glob("*.py"))}

STAIRCASE = (
    {
        "connections",
        "deadlines",
        "docstrings",
        "events",
        "faults",
        "flows",
        "gate",
        "legacy",
        "messages",
        "models",
        "notices",
        "pages",
        "replies",
        "schema_nodes",
        "sse",
        "terminal",
        "usages",
    },
    {
        "arguments",
        "chat",
        "costs",
        "errors",
        "files",
        "resuming",
        "schema_containers",
        "schema_keywords",
        "schema_meet",
        "schema_refs",
        "screen",
        "steering",
        "tables",
    },
    {"changes", "markup", "schema_reader", "settings", "typed_stream", "waits"},
    {
        "account",
        "options",
        "pace",
        "remote_images",
        "rendering",
        "retries",
        "schemas",
        "shaping_calls",
        "shaping_parameters",
        "shaping_thinking",
    },
    {"asking", "attempts", "construction", "exchange", "shaping_tools", "toolbox", "watching"},
    {"arrivals", "crew", "notebook", "shaping_messages", "streaming"},
    {"completing", "shaping"},
    {"compat", "tools"},
    {"client"},
    {"factories", "ledger", "telling"},
    {"magics"},
    {"__init__"},
    {"chatting", "commands", "demo", "symptoms"},
    {"doctor"},
    {"__main__"},
)
"""From the ground up. A room imports only from strictly lower steps, lazily or not."""


def imports(path: Path) -> Iterator[tuple[str, int]]:
    """Every module that a file imports, anywhere in it, with the number of leading dots."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((alias.name, 0) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.module:
                yield node.module, node.level
            else:
                yield from ((alias.name, node.level) for alias in node.names)


def rooms_imported_by(path: Path) -> set[str]:
    """The rooms of ours that a room imports; `from . import name` of a public name means `__init__`."""
    found = {name.partition(".")[0] for name, level in imports(path) if level == 1}
    found |= {name.split(".")[1] for name, level in imports(path) if not level and name.startswith("kimi_openai.")}
    return {name if name in ROOMS or name == "emulator" else "__init__" for name in found}


def test_every_room_has_its_step() -> None:
    """A new room is placed on the staircase, or this fails."""
    assert {room for step in STAIRCASE for room in step} == set(ROOMS)


def test_imports_only_go_down() -> None:
    """No cycle is possible, lazy imports included; only the commands start the emulator."""
    height = {room: number for number, step in enumerate(STAIRCASE) for room in step}
    upward = [
        f"{room} imports {other}"
        for room, path in ROOMS.items()
        for other in rooms_imported_by(path)
        if (other == "emulator" and room != "__main__") or (other in height and height[other] >= height[room])
    ]
    assert upward == []


def test_the_emulator_reads_our_facts_and_nothing_else() -> None:
    """It must not share the client's opinions, or one mistake would fit both."""
    names = {
        name
        for path in (PACKAGE / "emulator").glob("*.py")
        for name, level in imports(path)
        if level == 2 or name.startswith("kimi_openai")
    }
    assert names <= {"models", "kimi_openai.models"}


def test_no_room_names_the_http_library() -> None:
    """The package runs on httpx and on httpx2."""
    named = [
        path.name
        for path in PACKAGE.rglob("*.py")
        for name, _ in imports(path)
        if name.split(".")[0] in {"httpx", "httpx2"}
    ]
    assert named == []


def test_no_type_is_ignored() -> None:
    """What the type checkers refuse is written differently."""
    ignored = [path.name for path in PACKAGE.rglob("*.py") if "type: ignore" in path.read_text()]
    assert ignored == []


def test_every_room_opens_with_its_law_and_its_names() -> None:
    """A docstring of at least two lines, and `__all__`."""
    for path in [*ROOMS.values(), *(PACKAGE / "emulator").glob("*.py")]:
        tree = ast.parse(path.read_text())
        assert ast.get_docstring(tree), path
        assert "__all__" in path.read_text(), path


def test_public_names_are_what_all_says() -> None:
    """Each is there, documented, sorted, and no room has the same name unless it is the room's purpose."""
    names = kimi_openai.__all__
    assert sorted(names) == names
    for name in names:
        assert getattr(kimi_openai, name).__doc__, name
    assert {name for name in names if name in ROOMS} == set()


def test_only_the_three_dependencies_are_imported() -> None:
    """Importing the package loads neither IPython, matplotlib, pytest nor the emulator."""
    heavy = ("IPython", "matplotlib", "pytest", "kimi_openai.emulator")
    code = f"import sys, kimi_openai; kimi_openai.create_client; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=PACKAGE.parent)
    assert done.stdout == "[]\n"
