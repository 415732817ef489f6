"""Kimi's Responses API in OpenAI's dialect: the rules for a request, and the memory that replaces OpenAI's storage.

Pure rules and one SQLite store; nothing here sends a request. `client` imports these modules with the first request
to `/responses`. Kimi's own API stores nothing and takes few fields (platform docs, Responses page, 2026-09-03), so
`previous_response_id`, `conversation` and `retrieve` are answered from `ResponseMemory`.

`create`, streams, `.stream()` and `parse` are for the K3 family, which alone has this API. `previous_response_id`,
`conversation`, `retrieve`, `input_items.list` and `client.conversations` work from the memory: the last 1000 responses
or 64 MB, also after a restart if it is a file (`create_client(response_memory="responses.sqlite")`). openai-agents and
LangChain (`use_responses_api=True`) run on it as they are. What OpenAI code sends, what Kimi answers to it, and what
the client does about it:

    `previous_response_id`, `conversation`
        Kimi: stateless
        client: the earlier items are put before the input; an unknown id is a `CompatError`
    `tool_choice="required"`, a named tool, `"none"`
        Kimi: 400 `unsupported tool_choice value: "required"`
        client: `auto`, and only that tool is offered; `none`: no tools
    `text.format` with a schema, `json_object`
        Kimi: MFJS; 400 `unsupported type "json_object"`
        client: rewritten; left out
    `reasoning.effort` `none`, `minimal`, `medium`, `xhigh`
        Kimi: 400 `reasoning.effort value "none" is not supported`
        client: `low`, `low`, `high`, `max`
    `web_search_preview`, `search_context_size`
        Kimi: 400 `unsupported tool type`, `search_context_size is not supported`
        client: `web_search` without it; other hosted tools: `CompatError` that names the place
    a message or the result of a call without content, `prompt_cache_breakpoint` in a part
        Kimi: 400 `must not be empty`
        client: left out, the result sent as `(empty)`; left out
    a tool that is offered twice, in `tools` or in `additional_tools` items
        Kimi: 400 `function name f is duplicated`
        client: offered once, or `CompatError` if the two differ
    `extra_body={"max_completion_tokens": 500}`, `stop`, `max_output_token`, ...
        Kimi: ignores what it does not know
        client: sent under the name that it has here, or left out; a name that looks misspelt is noted
    role `system`, http images, `input_file`
        Kimi: not listed, not fetched, 400 `unknown content part type`
        client: `developer`; `fetch_images=True`; `CompatError`
    `store`, `background`, `truncation`, `metadata`, `include`, `temperature`, ...
        Kimi: ignored or 400
        client: left out, with a note if something is lost
    a call id that an earlier turn has
        Kimi: `name_0` again in each turn
        client: a unique id, in answers too
    a stream without `response.completed`; `status: "failed"`
        client: `StreamCutError` with the text so far; the error it stands for
    `model="kimi-k2.6"`
        Kimi: documented for K3 only
        client: `CompatError` that names chat completions
"""

from .memory import ResponseMemory

__all__ = ["ResponseMemory"]
