"""What a request reserves of the account's tokens: its prompt, estimated offline, and its output limit. Pure.

Kimi's tokenizer is not used: it would be a download and a dependency. The estimate starts high and is corrected by the
`prompt_tokens` of the answers. Source: platform docs, limits page: prompt plus `max_completion_tokens`, or its default.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from kimi_openai._internal.json_values import is_array, is_dict
from kimi_openai.models.catalog import facts

__all__ = ["Estimator", "Reservation", "prompt_estimate", "reservation_of"]

CHARACTERS_PER_TOKEN = 3.5
"""Of text in Latin letters: about 4 in English prose, less in code and JSON."""

WIDE = re.compile(r"[ᄀ-퟿豈-﫿︰-﹏＀-￯𠀀-𳍿]")
"""A letter of Chinese, Japanese or Korean, about two of which make three tokens at most."""

PER_WIDE, PER_MESSAGE, PREAMBLE = 0.8, 6, 80
"""Tokens. K3's thinking adds a preamble of about 67 (measured on 2026-09-03)."""

IMAGE = 4_400
"""Tokens of an image at most (measured by a user, forum.moonshot.ai t/450). A video counts as ten of them: no figure is
known."""

VIDEO = 10 * IMAGE

LIMITED_PATHS: Mapping[str, tuple[str, ...]] = {
    "/chat/completions": ("max_completion_tokens", "max_tokens"),
    "/responses": ("max_output_tokens",),
    "/messages": ("max_tokens",),
}
"""The endpoints that generate tokens, and the fields that limit how many, best first."""


@dataclass(frozen=True, slots=True)
class Reservation:
    """`prompt` tokens and `output` tokens; `is_capped` if the request limits its output, for which the field `cap` is
    best. `model` as it is sent."""

    prompt: int = 0
    output: int = 0
    is_capped: bool = True
    model: str = ""
    cap: str = field(default="max_completion_tokens", repr=False)

    @property
    def tokens(self) -> int:
        """What counts against TPM and TPD."""
        return self.prompt + self.output


class Estimator:
    """Estimates prompts, with a factor that follows what the answers say."""

    def __init__(self) -> None:
        self.factor = 1.0

    def prompt(self, body: Mapping[str, Any]) -> int:
        """The tokens of the prompt in a body."""
        return int(prompt_estimate(body) * self.factor) + 1

    def learn(self, prompt_tokens: int, estimated: int) -> None:
        """An answer says how many tokens the prompt had. The factor rises at once and falls slowly."""
        if prompt_tokens > 0 and estimated > 0:
            right = min(max(self.factor * prompt_tokens / estimated, 0.25), 4.0)
            self.factor += (right - self.factor) * (0.5 if right > self.factor else 0.05)


def reservation_of(path: str, body: object, estimator: Estimator) -> Reservation:
    """What a request reserves; nothing if its endpoint generates no tokens.

    >>> body = {"model": "kimi-k3", "messages": [{"role": "user", "content": "hi"}]}
    >>> reservation_of("/chat/completions", body, Estimator())
    Reservation(prompt=91, output=131072, is_capped=False, model='kimi-k3')
    >>> reservation_of("/files", None, Estimator()).tokens
    0
    """
    path = "/" + path.partition("?")[0].strip("/")
    fields = next((names for end, names in LIMITED_PATHS.items() if path.endswith(end)), None)
    if fields is None or not is_dict(body):
        return Reservation()
    model = str(body.get("model") or "")
    given = next((body[name] for name in fields if isinstance(body.get(name), int)), None)
    output = (facts(model).default_output or 0) if given is None else max(given, 0)
    return Reservation(estimator.prompt(body), output, given is not None, model, fields[0])


def prompt_estimate(body: Mapping[str, Any]) -> float:
    """The tokens of the prompt in a body of any endpoint: everything in it that the model reads.

    >>> round(prompt_estimate({"messages": [{"role": "user", "content": "Say hello to everybody, please!"}]}))
    99
    """
    read = [body.get(name) for name in ("messages", "input", "instructions", "system", "tools", "response_format")]
    return PREAMBLE + sum(map(_size, read))


def _size(value: Any) -> float:
    if isinstance(value, str):
        return _text_size(value)
    if is_array(value):
        return sum(map(_size, value)) + PER_MESSAGE * len(value) / 3
    if is_dict(value):
        media = _media_size(value.get("type"))
        return media if media else 2.0 + _sum(value.items())
    return 1.0


def _sum(items: Iterable[tuple[str, Any]]) -> float:
    return sum((len(name) if isinstance(value, dict | list) else 0) / 4 + _size(value) for name, value in items)


def _media_size(kind: object) -> int:
    if kind in ("image_url", "input_image", "image"):
        return IMAGE
    return VIDEO if kind in ("video_url", "video") else 0


def _text_size(text: str) -> float:
    wide = 0 if text.isascii() else len(WIDE.findall(text))
    return (len(text) - wide) / CHARACTERS_PER_TOKEN + wide * PER_WIDE
