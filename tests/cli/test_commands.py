"""`balance`, `models`, `tokens`, `files` and `env`."""

from __future__ import annotations

import json
import shlex
import subprocess
from decimal import Decimal
from pathlib import Path

import pytest

from kimi_openai.cli.commands import balance_rows, exports, messages_from
from kimi_openai.client.settings import resolve
from kimi_openai.emulator import out_of_quota
from kimi_openai.endpoints.balance import Balance

from .conftest import PIXEL, Run, TerminalFile, environment


def test_balance(run: Run) -> None:
    """A table for people, with the currency only if it is known; JSON for programs."""
    code, out, _ = run("balance")
    assert code == 0
    assert [line.split() for line in out.splitlines()] == [
        ["available", str(run.kimi.balance)],
        ["voucher", "46.58893"],
        ["cash", "3.00001"],
    ]
    balance = json.loads(run("balance", "--json")[1])
    assert (balance["available"], balance["currency"]) == (str(run.kimi.balance), None)
    with_currency = balance_rows(Balance(Decimal(3), Decimal(1), Decimal(2), "CNY"))
    assert with_currency == [("available", 3, "CNY"), ("voucher", 1, "CNY"), ("cash", 2, "CNY")]


def test_an_empty_balance_is_a_note(run: Run) -> None:
    """It says that requests are refused, and that is not an error of this command."""
    run.kimi.balance = 0
    code, _, errors = run("balance")
    assert code == 0
    assert "topped up" in errors


def test_models(run: Run) -> None:
    """A table for people, JSON for programs."""
    out = run("models")[1]
    assert next(line.split() for line in out.splitlines() if line.startswith("kimi-k3 "))[1:5] == [
        "1048576",
        "yes",
        "yes",
        "low/high/max",
    ]
    assert {model["id"] for model in json.loads(run("models", "--json")[1])} >= {"kimi-k3"}


def test_tokens_of_words_stdin_files_and_messages(run: Run, tmp_path: Path) -> None:
    """The same text costs the same from everywhere; only the number is printed."""
    text = "How many tokens is this?"
    (tmp_path / "text.txt").write_text(text)
    body = json.dumps({"messages": [{"role": "user", "content": text}]})
    runs = [
        run("tokens", *text.split()),
        run("tokens", stdin=text),
        run("tokens", "--file", "text.txt"),
        run("tokens", "--messages", stdin=body),
    ]
    assert {(code, errors) for code, _, errors in runs} == {(0, "")}
    assert len({int(out) for _, out, _ in runs}) == 1
    assert messages_from("[]") == []
    (tmp_path / "binary.pdf").write_bytes(b"%PDF\xff\xfe")
    assert "files extract" in run("tokens", "--file", "binary.pdf")[2]


def test_files_are_uploaded_listed_extracted_and_deleted(run: Run, tmp_path: Path) -> None:
    """Ids go to stdout, for the next command; a note says how to use an uploaded image."""
    (tmp_path / "note.txt").write_text("The text.")
    (tmp_path / "dot.png").write_bytes(PIXEL)
    code, note, errors = run("files", "upload", "note.txt")
    assert (code, errors) == (0, "")
    code, picture, errors = run("files", "upload", "dot.png")
    assert f"ms://{picture.strip()}" in errors
    listed = {file["id"]: (file["purpose"], file["bytes"]) for file in json.loads(run("files", "list", "--json")[1])}
    assert listed == {note.strip(): ("file-extract", 9), picture.strip(): ("image", len(PIXEL))}
    assert "note.txt" in run("files", "list")[1]
    assert "The text." in run("files", "extract", "note.txt")[1]
    code, out, errors = run("files", "delete", note.strip(), stdin=TerminalFile("n\n"))
    assert (code, out, "nothing was deleted" in errors) == (0, "", True)
    code, out, errors = run("files", "delete", note.strip(), stdin=TerminalFile("y\n"))
    assert (code, out) == (0, note)
    assert run("files", "delete", "--yes", picture.strip())[:2] == (0, picture)
    assert json.loads(run("files", "list", "--json")[1]) == []


def test_a_retried_upload_is_sent_whole(run: Run, tmp_path: Path) -> None:
    """The file that counts bytes for the progress bar is rewound for the next attempt."""
    (tmp_path / "note.txt").write_text("The text.")
    run.kimi.fail(out_of_quota(503))
    code, _, errors = run("files", "upload", "note.txt")
    assert (code, errors) == (0, "")
    first, second = [request.body for request in run.kimi.requests if request.method == "POST"]
    assert b"The text." in first
    assert b"The text." in second


def test_env_points_an_openai_program_at_kimi(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shell evaluates it, with the key in the environment or in `.env`; the printed text has no key in it, and stderr
    says where the settings were found."""
    script = 'eval "$1"; echo "$OPENAI_API_KEY $OPENAI_BASE_URL ${OPENAI_ORG_ID-unset}"'
    monkeypatch.setenv("OPENAI_ORG_ID", "org")
    (tmp_path / ".env").write_text("KIMI_API_KEY=sk-from-file'\"$x\n")
    in_file = f"KIMI_API_KEY in {tmp_path / '.env'}"
    for key, place in (("sk-$HOME'x", "MOONSHOT_API_KEY in environment"), ("sk-from-file'\"$x", in_file)):
        if place == in_file:
            monkeypatch.delenv("MOONSHOT_API_KEY")
        else:
            monkeypatch.setenv("MOONSHOT_API_KEY", key)
        code, printed, errors = run("env")
        command = ["sh", "-c", script, "sh", printed]
        shown = subprocess.run(command, capture_output=True, text=True, env=environment(), timeout=60)
        assert (code, errors) == (0, f"key: {place}; base URL: MOONSHOT_BASE_URL in environment\n")
        assert shown.stdout == f"{key} {run.kimi.base_url} unset\n"
        assert key not in printed


def test_env_gives_no_key_to_plain_http(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The variables would make any program send the key in the clear."""
    monkeypatch.setenv("MOONSHOT_BASE_URL", "http://gateway.example/v1")
    code, out, errors = run("env")
    assert (code, out, "in the clear" in errors) == (2, "", True)


def test_exports_are_quoted() -> None:
    """A base URL is one word for the shell, whatever it contains."""
    settings = resolve(api_key="sk-1", base_url="https://proxy.example/$(id)/v1", env_file=None, environ={})
    line, *_ = exports(settings, {})
    assert shlex.split(line) == ["export", "OPENAI_BASE_URL=https://proxy.example/$(id)/v1"]
