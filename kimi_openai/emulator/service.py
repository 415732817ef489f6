"""Kimi without sockets: a request record goes in, an answer of frames comes out.

Routing, authentication, the order of checks and all state meet here; rules, engine and bodies are decided in their own rooms.
"""

from __future__ import annotations

import hashlib
import hmac
import random
import re
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from kimi_openai.models import facts

from .account import Account, PromptCache, quota_problem
from .answers import default_answer
from .behaviour import Behaviour
from .chat import facts_of, messages_of, thinks
from .engine import Reply, draft, frames
from .faults import Damage, Fault, damaged, parse_fault
from .files import Files, form_fields
from .record import Request
from .rules import broken_rule, shape_problem
from .script import Step, steps_of
from .tokens import Chunking, message_tokens, prompt_overhead
from .wire import (
    BAD_KEY,
    CLOSED_API,
    EVENT_STREAM,
    NO_KEY,
    Answer,
    Cut,
    Envelope,
    Frame,
    Json,
    Pause,
    Problem,
    encode,
    is_object,
    json_answer,
    url_not_found,
)

__all__ = ["Script", "Service"]

Script = str | Step | Iterable[Step]
"""A script: its text form, one step, or steps."""

MODELS_CREATED = 1788143653
NONCE, SIGNATURE = "X-Msh-Request-Nonce", "reqsigv1_"
FAULT_HEADER = "X-Emulator-Fault"


@dataclass(slots=True)
class Service:
    """One account's Kimi."""

    api_key: str
    behaviour: Behaviour
    account: Account
    seed: int
    clock: Callable[[], float]
    chunking: Chunking
    chance: Mapping[Fault, float]
    reply: Callable[[Request], Script | None] | None = None
    scripts: deque[list[Step]] = field(default_factory=deque[list[Step]])
    faults: deque[tuple[Fault, str | None]] = field(default_factory=deque[tuple[Fault, str | None]])
    cache: PromptCache = field(default_factory=PromptCache)
    files: Files = field(init=False)
    _random: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.files = Files(self.behaviour)
        self._random = random.Random(self.seed)

    def id(self, kind: str, number: int, length: int = 24) -> str:
        """A reproducible hexadecimal id, from the seed and the number of the request."""
        return hashlib.sha256(f"{self.seed}/{kind}/{number}".encode()).hexdigest()[:length]

    def respond(self, request: Request) -> Answer:
        """The answer to a request, with the fault that was due for it."""
        try:
            fault = self._fault_for(request)
        except (TypeError, ValueError) as reason:
            return Problem(f"emulator: {FAULT_HEADER}: {reason}").answer()
        if isinstance(fault, Answer):
            return fault
        if fault and fault.chunks == -1:
            return Answer(fault.insert)
        answer = self._refused(request) or self._route(request, as_json=bool(fault and fault.as_json))
        return self._damaged(answer, fault) if fault else answer

    def _damaged(self, answer: Answer, fault: Damage) -> Answer:
        changed = damaged(answer.frames if answer.streaming else _halves(answer.frames), fault)
        return Answer(tuple(changed), answer.status, answer.content_type, answer.headers, answer.streaming)

    def _fault_for(self, request: Request) -> Fault | None:
        asked = request.headers.get(FAULT_HEADER)
        if asked:
            return parse_fault(asked)
        if self.faults and request.path.endswith(self.faults[0][1] or ""):
            return self.faults.popleft()[0]
        return next((fault for fault, chance in self.chance.items() if self._random.random() < chance), None)

    def _refused(self, request: Request) -> Answer | None:
        given = request.headers.get("Authorization", "")
        key = given.removeprefix("Bearer ").strip()
        if not key:
            return NO_KEY.answer()
        return None if self.behaviour.any_key or hmac.compare_digest(key.encode(), self.api_key.encode()) else BAD_KEY.answer()

    def _route(self, request: Request, *, as_json: bool) -> Answer:
        if request.path == "/v1/chat/completions" and request.method == "POST":
            return self._signed(request, self._chat(request, as_json=as_json))
        if request.path == "/v1/embeddings":
            return CLOSED_API.answer()
        for method, pattern, handle in ROUTES:
            found = re.fullmatch(pattern, request.path)
            if found and method == request.method:
                return handle(self, request, *found.groups())
        return url_not_found(request.method, request.path, request.headers.get("User-Agent", ""))

    # Chat ------------------------------------------------------------------------------------------------------------

    def _chat(self, request: Request, *, as_json: bool) -> Answer:
        body: Any = request.json
        problem = shape_problem(body) or broken_rule(body, self.behaviour)
        if problem:
            return problem.answer()
        prompt = self.prompt_tokens(body)
        if self.account.available <= 0:
            return quota_problem(self.behaviour.quota_status).answer()
        try:
            reply = draft(body, self._script(request), prompt=prompt, behaviour=self.behaviour, chunking=self.chunking)
        except Exception as reason:
            return Problem(f"emulator: the script failed: {reason!r}", "server_error", 500).answer()
        usage = self._usage(body, reply, prompt)
        if reply.problem:
            pauses = [h for h in reply.happenings if isinstance(h, Pause)]
            return Answer((*pauses, reply.problem.body), reply.problem.status)
        self.account.charge(str(body["model"]), usage)
        envelope = Envelope(
            f"chatcmpl-{self.id('chat', request.number)}",
            int(self.clock()),
            str(body["model"]),
            f"fpv0_{self.id('fingerprint', 0, 8)}",
        )
        if body.get("stream") and not as_json:
            options: Any = body.get("stream_options") or {}
            stream = frames(reply, envelope, usage, include_usage=bool(options.get("include_usage")))
            return Answer(tuple(stream), content_type=EVENT_STREAM, streaming=True)
        whole = encode(envelope.completion(reply.message, reply.finish_reason, usage)).encode()
        return Answer((*(h for h in reply.happenings if isinstance(h, Pause | Cut)), whole))

    def completion(self, body: Json, number: int) -> tuple[int, Json]:
        """Status and body of a chat request from a batch file, answered without a script."""
        problem = shape_problem(body) or broken_rule(body, self.behaviour)
        if problem:
            return problem.status, {"error": {"message": problem.message, "type": problem.type}}
        prompt = self.prompt_tokens(body)
        reply = draft(body, default_answer(body), prompt=prompt, behaviour=self.behaviour)
        envelope = Envelope(f"chatcmpl-{self.id('batch', number)}", int(self.clock()), str(body["model"]), "")
        return 200, envelope.completion(reply.message, reply.finish_reason, reply.usage(prompt, 0))

    def _script(self, request: Request) -> list[Step]:
        if self.scripts:
            return self.scripts.popleft()
        script = self.reply(request) if self.reply else None
        return default_answer(request.json) if script is None else steps_of(script)

    def prompt_tokens(self, body: Json, *, tools: bool = True, thinking: bool = True) -> int:
        """Tokens of a prompt: messages, tools, response schema and the preamble of K3's thinking."""
        return self._overhead(body, tools=tools, thinking=thinking) + sum(map(message_tokens, messages_of(body)))

    def _overhead(self, body: Json, *, tools: bool = True, thinking: bool = True) -> int:
        preamble = thinking and facts_of(body).control == "reasoning_effort" and thinks(body, self.behaviour)
        extras = (body.get("tools"), (body.get("response_format") or {}).get("json_schema")) if tools else ()
        return prompt_overhead(thinking=preamble, extras=extras)

    def _usage(self, body: Json, reply: Reply, prompt: int) -> Json:
        salt = (body.get("model"), body.get("reasoning_effort"))
        said = [(encode(message), message_tokens(message)) for message in messages_of(body)]
        cached = self.cache.hit(salt, said, self._overhead(body))
        written = prompt - cached if self.behaviour.cache_write_tokens else None
        return reply.usage(prompt, cached, written)

    # Signatures ------------------------------------------------------------------------------------------------------

    def _signature(self, nonce: str, timestamp: int, model: str) -> str:
        text = f"{nonce}\n{timestamp}\n{model}".encode()
        return SIGNATURE + hmac.new(f"signing {self.seed}".encode(), text, hashlib.sha256).hexdigest()

    def _signed(self, request: Request, answer: Answer) -> Answer:
        nonces = request.headers.getall(NONCE, [])
        if len(nonces) != 1 or not nonces[0].strip() or answer.status != 200:
            return answer
        stamp = int(self.clock() * 1000)
        signature = self._signature(nonces[0], stamp, str(request.json.get("model")))
        extra = (("Msh-Request-Timestamp", str(stamp)), ("Msh-Request-Signature", signature))
        return Answer(answer.frames, answer.status, answer.content_type, (*answer.headers, *extra), answer.streaming)

    def _verify(self, request: Request) -> Answer:
        body: Any = request.json
        if not is_object(body) or not all(body.get(key) for key in ("nonce", "timestamp", "model", "signature")):
            return Problem("Invalid request: nonce, timestamp, model and signature are required").answer()
        expected = self._signature(str(body["nonce"]), int(body["timestamp"]), str(body["model"]))
        valid = hmac.compare_digest(expected.encode(), str(body["signature"]).encode())
        return json_answer({"valid": valid}, 200, ("Cache-Control", "no-store"))

    # Models, estimate, balance, files --------------------------------------------------------------------------------

    def _models(self, _: Request) -> Answer:
        return json_answer({"object": "list", "data": [model_entry(id) for id in self.behaviour.models]})

    def _estimate(self, request: Request) -> Answer:
        body: Any = request.json
        problem = shape_problem(body) or broken_rule(body, self.behaviour, estimate=True)
        if problem:
            return problem.answer()
        total = self.prompt_tokens(body, tools=self.behaviour.estimate_counts_tools, thinking=False)
        return json_answer({"data": {"total_tokens": total}})

    def _balance(self, _: Request) -> Answer:
        return json_answer(self.account.body())

    def _upload(self, request: Request) -> Answer:
        fields = form_fields(request.headers.get("Content-Type", ""), request.body)
        if "file" not in fields or "purpose" not in fields:
            missing = "file" if "file" not in fields else "purpose"
            return Problem(f"missing required parameter: {missing}").answer()
        upload, purpose = fields["file"], fields["purpose"].data.decode(errors="replace")
        problem = self.files.problem_with(upload.data, purpose)
        if problem:
            return problem.answer()
        return json_answer(self.files.add(f"file_{self.id('file', request.number)}", int(self.clock()), upload, purpose))

    def _file_list(self, request: Request) -> Answer:
        return json_answer(self.files.list(request.query.get("after")))

    def _file(self, _: Request, id: str) -> Answer:
        return self.files.retrieve(id)

    def _delete_file(self, _: Request, id: str) -> Answer:
        return self.files.delete(id)

    def _file_content(self, _: Request, id: str) -> Answer:
        return self.files.content(id)


ROUTES: tuple[tuple[str, str, Callable[..., Answer]], ...] = (
    ("GET", "/v1/models", Service._models),
    ("POST", "/v1/tokenizers/estimate-token-count", Service._estimate),
    ("GET", "/v1/users/me/balance", Service._balance),
    ("POST", "/v1/files", Service._upload),
    ("GET", "/v1/files", Service._file_list),
    ("GET", "/v1/files/([^/]+)", Service._file),
    ("DELETE", "/v1/files/([^/]+)", Service._delete_file),
    ("GET", "/v1/files/([^/]+)/content", Service._file_content),
    ("POST", "/v1/signatures/verify", Service._verify),
)


def _halves(frames: tuple[Frame, ...]) -> list[Frame]:
    """A non-streaming body in two writes, so that damage can fall between them."""
    halves: list[Frame] = []
    for frame in frames:
        halves += [frame[: len(frame) // 2], frame[len(frame) // 2 :]] if isinstance(frame, bytes) and len(frame) > 1 else [frame]
    return halves


def model_entry(id: str) -> Json:
    """An entry of `/v1/models` as measured on 2026-09-03; K3.1's is a copy of K3's, since none was captured."""
    known = facts(id)
    entry: Json = {
        "created": MODELS_CREATED,
        "id": id,
        "object": "model",
        "owned_by": "moonshot",
        "permission": [
            {"created": 0, "id": "", "object": "", "organization": "moonshot", "group": "moonshot", "is_blocking": False}
        ],
        "root": "",
        "parent": "",
        "supports_image_in": bool(known.images),
        "supports_video_in": bool(known.videos),
        "supports_reasoning": True,
    }
    if known.control == "reasoning_effort":
        efforts = {"support": True, "valid_efforts": list(known.efforts), "default_effort": known.default_effort}
        entry |= {"supports_dynamic_tools": True, "think_efforts": efforts, "reasoning_efforts": dict(efforts)}
        entry["supports_thinking_type"] = "only"
    return {**entry, "context_length": known.context_length}
