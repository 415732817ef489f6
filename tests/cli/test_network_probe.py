"""Why a server cannot be reached, in words, over real sockets."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
import trustme

from kimi_openai.cli.network_probe import why_unreachable
from kimi_openai.cli.probe import gather_facts

NOW = datetime(2026, 11, 26, 3, 0)
ERROR = ConnectionError()


@pytest.fixture
def closed_port() -> int:
    """A port on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def test_nothing_listens(closed_port: int) -> None:
    """At the server, or at the proxy, whose password is not told."""
    found = why_unreachable(f"http://127.0.0.1:{closed_port}/v1", None, ERROR, NOW)
    assert found
    assert (found.kind, found.what) == (
        "connection",
        f"nothing listens at 127.0.0.1, port {closed_port} (connection refused)",
    )
    found = why_unreachable("https://api.moonshot.ai/v1", f"http://me:secret@127.0.0.1:{closed_port}", ERROR, NOW)
    assert found
    assert found.kind == "proxy"
    assert "NO_PROXY=api.moonshot.ai" in found.todo
    assert "secret" not in found.what


def test_a_name_without_an_address() -> None:
    """DNS is named, and the name."""
    found = why_unreachable("https://nothing.invalid/v1", None, ERROR, NOW)
    assert found
    assert (found.kind, "the name nothing.invalid cannot be looked up" in found.what) == ("dns", True)


def test_a_silent_and_an_unreachable_host(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time-outs and routes."""
    for error, words in ((TimeoutError(), "does not answer within 5 s"), (OSError(101, "no route"), "no route")):

        def fail(*_: object, error: OSError = error) -> None:
            raise error

        monkeypatch.setattr(socket, "create_connection", fail)
        found = why_unreachable("https://example.com/v1", None, ERROR, NOW)
        assert found
        assert words in found.what
        assert found.todo


def test_a_server_that_can_be_reached_is_no_problem() -> None:
    """Then the error itself has to say what it is."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert why_unreachable(f"http://127.0.0.1:{server.getsockname()[1]}/v1", None, ERROR, NOW) is None


@contextmanager
def tls_server(authority: trustme.CA, days: int) -> Iterator[str]:
    """A server whose certificate is valid for two days from `days` on; its base URL."""
    begin = datetime.now(timezone.utc) + timedelta(days=days)
    certificate = authority.issue_cert("127.0.0.1", not_before=begin, not_after=begin + timedelta(days=2))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    client, _ = server.accept()
                except OSError:
                    return
                try:
                    context.wrap_socket(client, server_side=True).close()
                except OSError:
                    client.close()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"https://127.0.0.1:{server.getsockname()[1]}/v1"
        server.shutdown(socket.SHUT_RDWR)
    thread.join()


@pytest.mark.parametrize(
    ("days", "kind", "words"),
    [(-9, "clock", "expired"), (9, "clock", "not valid yet"), (-1, "certificate", "not accepted")],
)
def test_a_certificate_out_of_its_time(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, days: int, kind: str, words: str
) -> None:
    """The clock is named if that can be the reason; an unknown authority is something else."""
    authority = trustme.CA()
    trusted = authority if kind == "clock" else trustme.CA()
    trusted.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    monkeypatch.setenv("MOONSHOT_API_KEY", "sk-0123456789")
    with tls_server(authority, days) as url:
        monkeypatch.setenv("MOONSHOT_BASE_URL", url)
        facts = gather_facts({})
    assert facts.here
    assert facts.here.network, facts.here
    assert (facts.here.network.kind, words in facts.here.network.what) == (kind, True)
    assert facts.here.network.todo
