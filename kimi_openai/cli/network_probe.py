"""Why a server cannot be reached, in words: the proxy, the name (DNS), the clock, the certificate, or the connection.

`probe.py` asks after a request that got no answer. What is tried: a look-up of the name, and a connection that is
closed at once. Nothing is sent.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from urllib.parse import urlsplit

from kimi_openai._internal.secrets import shown_url

__all__ = ["NetworkProblem", "why_unreachable"]

TIMEOUT = 5.0

PORTS = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}

NOT_YET_VALID, EXPIRED = 9, 10
"""OpenSSL's codes of a certificate that is out of its time."""


@dataclass(frozen=True, slots=True)
class NetworkProblem:
    """Why there was no answer. `kind`: what is at fault; `what`: what happened; `todo`: what to do about it."""

    kind: Literal["proxy", "clock", "certificate", "dns", "connection"]
    what: str
    todo: str


def why_unreachable(base_url: str, proxy: str | None, error: BaseException, now: datetime) -> NetworkProblem | None:
    """What is at fault, if that can be found out. `error`: what the request raised; `now`: what this machine's clock
    says."""
    host = urlsplit(base_url).hostname or ""
    certificate = next((each for each in _causes(error) if isinstance(each, ssl.SSLCertVerificationError)), None)
    if certificate is not None:
        return _certificate_problem(host, certificate, now)
    if proxy:
        problem = _connection_problem(proxy)
        todo = f"start it, or correct HTTPS_PROXY / ALL_PROXY, or set NO_PROXY={host}"
        return problem and NetworkProblem("proxy", f"{_place(proxy)}: {problem.what}", todo)
    return _connection_problem(base_url)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what it came from."""
    seen: list[BaseException] = []
    while error is not None and error not in seen:
        seen.append(error)
        yield error
        error = error.__cause__ or error.__context__


def _certificate_problem(host: str, error: ssl.SSLCertVerificationError, now: datetime) -> NetworkProblem:
    if error.verify_code in (NOT_YET_VALID, EXPIRED):
        state = "not valid yet" if error.verify_code == NOT_YET_VALID else "expired"
        what = f"the certificate of {host} is {state}, and this machine's clock says {now:%Y-%m-%d %H:%M}"
        return NetworkProblem("clock", what, "if that is not the time, set this machine's clock")
    return NetworkProblem(
        "certificate",
        f"the certificate of {host} is not accepted ({error.verify_message})",
        "if a company's proxy reads TLS, set SSL_CERT_FILE to its certificates",
    )


def _connection_problem(url: str) -> NetworkProblem | None:
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or PORTS.get(parts.scheme, 443)
    network = "check that this machine is on the network, and"
    try:
        socket.create_connection((host, port), TIMEOUT).close()
    except socket.gaierror as error:
        todo = f"{network} how {host} is spelled and which DNS server is used"
        return NetworkProblem("dns", f"the name {host} cannot be looked up (DNS: {error.strerror})", todo)
    except ConnectionRefusedError:
        what = f"nothing listens at {host}, port {port} (connection refused)"
        return NetworkProblem("connection", what, "check the base URL, and that the server runs")
    except TimeoutError:
        what = f"{host}, port {port} does not answer within {TIMEOUT:.0f} s"
        return NetworkProblem("connection", what, f"{network} its firewall; it may need a proxy (HTTPS_PROXY)")
    except OSError as error:
        return NetworkProblem("connection", f"{host}, port {port}: {error.strerror or error}", f"{network} its routes")
    return None


def _place(url: str) -> str:
    """The scheme, host and port of a URL, without user and password."""
    parts = urlsplit(url)
    return shown_url(f"{parts.scheme}://{parts.netloc}")
