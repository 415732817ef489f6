"""Images behind https URLs: Kimi fetches none, so they are put into the request if the client has `fetch_images=True`.

`adapt` calls `inlined` before the rules. Without that option `content` refuses such images; `fetch` downloads one.
"""

from __future__ import annotations

import http.client
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Any

import anyio.to_thread
import openai

from kimi_openai._internal.flow import AnyClient, Flow
from kimi_openai._internal.json_values import as_dict, as_list, is_object
from kimi_openai._internal.secrets import shown_url
from kimi_openai.errors.exceptions import CompatError

from .fetch import fetch_image
from .rule import fatal

__all__ = ["fetched", "inlined", "inlined_now", "remote_url"]


def remote_url(part: Any, kind: str = "image_url") -> str | None:
    """The http(s) URL of a content part of that kind; None for data, uploaded files and other parts."""
    media = as_dict(part).get(kind) if as_dict(part).get("type") == kind else None
    url = as_dict(media).get("url") if is_object(media) else media
    return url if isinstance(url, str) and url[:8].lower().startswith(("http://", "https://")) else None


def inlined(client: AnyClient, body: dict[str, Any]) -> Flow[dict[str, Any]]:
    """The body with its remote images as data URLs, as a flow; the same object if it has none. Raises `CompatError` if
    an image cannot be fetched."""
    images = yield from fetched(client, _remote_images(body))
    if not images:
        return body
    return {**body, "messages": [_with_images(message, images) for message in body["messages"]]}


def fetched(client: AnyClient, found: Iterable[tuple[str, str]]) -> Flow[dict[str, str]]:
    """The data URLs of images by their URLs, as a flow. `found` has the place and the URL of each.

    Every request fetches its images again, each URL once. Raises `CompatError` if an image cannot be fetched.
    """
    places = {url: where for where, url in found}
    if not places:
        return {}
    work = partial(_fetch_all, places)
    images: dict[str, str] = yield anyio.to_thread.run_sync(work) if isinstance(client, openai.AsyncOpenAI) else work()
    return images


def inlined_now(body: dict[str, Any]) -> dict[str, Any]:
    """`inlined` in the thread of the caller."""
    images = _fetch_all({url: where for where, url in _remote_images(body)})
    return {**body, "messages": [_with_images(message, images) for message in body["messages"]]} if images else body


def _fetch_all(places: Mapping[str, str]) -> dict[str, str]:
    return {url: _fetch(url, where) for url, where in places.items()}


def _remote_images(body: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for index, message in enumerate(as_list(body.get("messages"))):
        for number, part in enumerate(as_list(as_dict(message).get("content"))):
            url = remote_url(part)
            if url:
                yield f"messages.{index}.content.{number}", url


def _fetch(url: str, where: str) -> str:
    try:
        return fetch_image(url)
    except (OSError, ValueError, http.client.HTTPException) as problem:
        why = f"the image {shown_url(url, 100)} could not be fetched: {problem or type(problem).__name__}"
        note = fatal("remote_image", where, why, "pass the image itself: kimi_openai.image_part(path or bytes)")
        raise CompatError((note,)) from problem


def _with_images(message: Any, images: Mapping[str, str]) -> Any:
    content = as_list(as_dict(message).get("content"))
    if not any(map(remote_url, content)):
        return message
    return {**message, "content": [_with_image(part, images) for part in content]}


def _with_image(part: Any, images: Mapping[str, str]) -> Any:
    url = remote_url(part)
    if url is None:
        return part
    image = part["image_url"]
    return {**part, "image_url": {**image, "url": images[url]} if is_object(image) else images[url]}
