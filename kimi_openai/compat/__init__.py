"""Changes requests written for OpenAI into requests that Kimi accepts.

`adapt` is called for each request, and `pipeline` lists the rules and applies them. `rule` defines what a rule is. Each
kind of rule has a module named after the field that it changes.

What OpenAI code sends, what Kimi answers to it, and what the client does about it (`kimi_openai.responses` has the same
for the Responses API):

    `temperature=0.2`, `top_p`, `presence_penalty`, `frequency_penalty`
        Kimi: 400 `invalid temperature: only 1 is allowed for this model`
        client: left out; the pinned value itself is sent
    `n=3`
        Kimi: 400 `invalid n: only 1 is allowed for this model`
        client: left out: one answer comes back
    `response_format` with a schema
        Kimi: strict schemas are MFJS as well
        client: rewritten in that dialect
    a tool schema with `$ref`, `type` beside `anyOf`, `oneOf`, `format`, ... (pydantic's)
        Kimi: 400 `tools.function.parameters is not a valid moonshot flavored json schema, details: <...>`
        client: rewritten in that dialect; a note says what it cannot express
    `functions=[...]`, `function_call=...`
        Kimi: not supported
        client: sent as `tools`, `tool_choice`; answered as `function_call`
    a tool call replayed without `reasoning_content`, or with an empty one
        Kimi: K2: 400 `thinking is enabled but reasoning_content is missing in assistant tool call message at index N`
        client: sent with the reasoning that the client remembers (see below); K2 without it: with the text `(not kept)`
    `messages.append(answer.choices[0].message)`, after `parse()` too
        Kimi: wants its own fields back, `reasoning_content` among them
        client: sent without nulls and what the SDK added
    a message of any role without content, or with an empty text part
        Kimi: 400 `the message at position N with role '...' must not be empty`
        client: left out; a tool's result is sent as `(empty)`
    `prompt_cache_breakpoint` in a content part
        Kimi: 400
        client: left out
    `role: developer`
        Kimi: 400 `ROLE_UNSPECIFIED` or `tokenization failed`
        client: sent as `system`
    `tool_choice={"type": "function", ...}`
        Kimi: 400 `tool_choice 'specified' is incompatible with thinking enabled`
        client: only that tool is offered, K3 with `required`, K2.7 with `auto`; K2.6: thinking disabled instead
    `tool_choice="required"`
        Kimi: K2: 400 `tool_choice 'required' is incompatible with thinking enabled`
        client: K3: sent; K2.6: thinking disabled for the request; K2.7: `auto`
    `tool_choice="required"` without tools
        Kimi: 400
        client: left out
    `image_url` with an http(s) URL
        Kimi: 400 `unsupported image url: https://...`
        client: `CompatError`; with `fetch_images=True` https images are fetched
    `reasoning_effort="none"`, `"minimal"`, `"medium"`, `"xhigh"`
        Kimi: K3 knows `low`, `high`, `max`; K2 has no levels and answers 400 to `none`
        client: K3: `low`, `low`, `high`, `max`; K2: left out (K2.6, `none`: thinking disabled)
    `max_tokens=500`
        Kimi: works, deprecated; it pays for the reasoning too
        client: sent as `max_completion_tokens`; given both, that one is kept
    `extra_body={"max_output_tokens": 500}`, `stop_sequences`, `thinking_budget`, ...
        Kimi: ignores the names of other APIs
        client: sent under Kimi's name, or left out
    `extra_body={"temprature": 1}`
        Kimi: ignores what it does not know
        client: sent, and a note says which name is likely
    `user="..."`
        Kimi: accepted, without effect
        client: sent as `safety_identifier`
    `parallel_tool_calls=...`
        Kimi: it is not documented and one user reports timeouts with it
        client: left out (answer every call of a turn)
    `seed=...`
        Kimi: it is not in Kimi's schema and its effect is not documented
        client: left out (answers cannot be made to repeat)
    `stop` with more than 5 texts, or one over 32 bytes
        Kimi: 400 `stop array too long ...`
        client: the rest is sent
    a tool message without its call, a call without its tool message
        Kimi: 400 `tool_call_id ... is not found`
        client: `CompatError` that names the place
    tool calls without an id
        Kimi: 400
        client: sent with the id `name_N`, as are their tool messages, in order
    tool calls whose id an earlier call of the messages has
        Kimi: 400 `tool call id ... is duplicated`
        client: the later ones are sent as `name_N`, with their tool messages
    tool calls whose arguments the model wrote as broken JSON
        Kimi: 400 for the whole history
        client: sent as valid JSON, or as `{}` if nothing can be read
    a tool named `fs.read`, `2nd`
        Kimi: refuses it
        client: sent as `fs_read`, `_2nd`; calls in answers and streams have your name
    a system message with tools and content, or with a tool that is offered already
        Kimi: 400 `cannot be used with content`, `function name ... is duplicated`
        client: sent as two messages; offered once, or `CompatError` if the two differ
    a property named `required`, `$ref`, ... in a schema
        Kimi: 400 `property name 'required' is reserved for JSON Schema keywords`
        client: sent as `required_`, `_ref`; arguments and JSON answers have your name, in streams too
    a lone surrogate, numpy's numbers and arrays, `Decimal`, `datetime`, `bytes`, a `set`
        Kimi: JSON has none of them
        client: the nearest JSON: U+FFFD, a number, a list, a text; a `CompatError` names the place of any other
            value
    `messages="Hi"`, `messages={...}`
        Kimi: wants a list of messages
        client: `CompatError`
    `model="kimi-k2.5"`, `"moonshot-v1-8k"`, ...
        Kimi: 404, retired
        client: `kimi-k3`
    `model="gpt-4o"`
        Kimi: 404 `Not found the model gpt-4o or Permission denied`
        client: what `model_aliases` says instead
    a line of a batch file (`files.create(purpose="batch")`)
        Kimi: its body is a request
        client: changed as above before the upload, or `CompatError` with the line's number
    `files.create(purpose="assistants")`, `"user_data"`
        Kimi: 400 `Invalid purpose: ...`
        client: sent as `file-extract` (`vision`: `image`)

A JSON answer that comes in a Markdown fence is parsed without the fence, and noted. Usage is put where OpenAI code
looks for it, in streams too.

Reasoning: Kimi wants `reasoning_content` back with the tool calls that it came with, and langchain, openai-agents,
llama-index and others drop it. The client remembers it, whichever way the answer came (`create`, `parse`, streams,
`complete`, `run_tools`), and puts it back when the same calls (ids, names and arguments; agno numbers the ids anew)
return after the same messages without it. What the caller sent is never replaced. It holds the reasoning of answers
that called tools, with a digest of the calls and of the conversation before them: at most 2,000 of them and 16 MB, in
memory only, shared by the copies of a client until the last of them is deleted; those used least recently are dropped
first. If the messages before a call change (a system prompt with the time in it, a history cut short), it is not sent:
it could be another user's. Each use is a quiet `Note`: a log line at debug level, no warning.
`remember_reasoning=False` switches it off, and so does `compat="off"`.
"""

from .adapt import last_notes
from .pipeline import shape

__all__ = ["last_notes", "shape"]
