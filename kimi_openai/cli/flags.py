"""Errors in the words of the command line: flags and variables instead of the arguments of Python functions.

The errors of the package are written for programs. Here is a table of what they advise, and what that is called on the
command line. Only advice is replaced, not the words of the platform.
"""

from __future__ import annotations

import re

from kimi_openai._internal.secrets import mask_keys

__all__ = ["error_text", "in_flags"]

PHRASES: tuple[tuple[str, str], ...] = (
    # settings
    (r"pass api_key=\.\.\., or set", "set"),
    (r"the api_key argument", "the key"),
    (r"pass base_url=\.\.\., or set (\w+) in the environment", r"set \1 in the environment"),
    (r"make it a UTF-8 file of yours, or pass env_file=None for no file", "make it a UTF-8 file of yours"),
    (r"pass env_file=('[^']*'|\"[^\"]*\") if you mean it", "copy it if you mean it, or set the variables"),
    (r"pass allow_http=True if that is meant", "use a local address"),
    (r", or pass a key of platform", " to a key of platform"),
    (r"\(argument or (KIMI_\w+)\)", r"(in \1)"),
    (r"\(region='ai' or 'cn'\)", "(MOONSHOT_REGION=ai or cn; `kimi-openai doctor` says which)"),
    (r"the region argument", "the region"),
    (r"base_url's /v1", "the /v1 of MOONSHOT_BASE_URL"),
    (r"check that base_url is Kimi's", "check that MOONSHOT_BASE_URL is Kimi's"),
    (r"(check [\w, ]*)\bbase_url", r"\1MOONSHOT_BASE_URL (`kimi-openai doctor` looks)"),
    # thinking
    (r"effort='(\w+)' is the least it can do", r"--effort \1 is the least it can do"),
    (r"leave out enabled=False or effort", "leave out --no-thinking or --effort"),
    (r"leave `enabled` out", "leave out --no-thinking"),
    (r"leave `effort` out", "leave out --effort"),
    (r"^effort (is|says)", r"--effort \1"),
    (r"write model='([^']*)'", r"use --model \1"),
    (r", or model_aliases=\.\.\.", ""),
    (r"list_models", "kimi-openai models"),
    # budgets and limits
    (r"send fewer \(max_concurrency=\.\.\. on the client\)", "send fewer at once"),
    (r"set a smaller max_completion_tokens( \(max_output_tokens in Responses\))?", "set a smaller --max-tokens"),
    (r"lower max_completion_tokens", "lower --max-tokens"),
    (r"\(estimate_tokens counts before sending\)", "(`kimi-openai tokens` counts before sending)"),
    (r"\(kimi_openai\.estimate_tokens counts that\)", "(`kimi-openai tokens` counts that)"),
    (r"raise timeout=\.\.\., or use stream=True", "ask again"),
    (r"use stream=True", "ask again"),
    (r"ask again, or use kimi_openai\.\w+, which [^;(]*?(?= \(|;|$)", "ask again"),
    (r"write Limits\(\.\.\.\), one of", "write one of"),
    # files and batches
    (r"(pass the bytes or the path|pass the image itself: kimi_openai\.image_part\(path or bytes\))", "pass its path"),
    (
        r"upload it with upload_media( and pass the ms:// reference)?",
        "upload it (`kimi-openai files upload`) and pass ms://ID",
    ),
    (r"send their references \(upload_media\)", "send their references (`kimi-openai files upload`)"),
    (r"pass mime_type=\.\.\.", "give its name the usual ending"),
    (r"go on later with wait_for_batch and its id", "go on later with `kimi-openai batch wait ID`"),
    (r"pass model=\.\.\. \(--model\)", "pass --model"),
    (r"pass ids=\.\.\.", "delete it by its id (`kimi-openai files delete ID`)"),
)
TABLE = tuple((re.compile(pattern, re.MULTILINE), words) for pattern, words in PHRASES)


def error_text(error: BaseException) -> str:
    """The message of an error in the words of the command line, without keys; a file's name before what is wrong.

    >>> error_text(FileExistsError(17, "File exists", "talk.md"))
    'talk.md: File exists'
    """
    if isinstance(error, OSError) and error.filename is not None:
        return mask_keys(f"{error.filename}: {error.strerror}")
    return in_flags(mask_keys(str(error)))


def in_flags(message: str) -> str:
    """The message with its advice in the words of the command line.

    >>> in_flags("no Kimi API key: pass api_key=..., or set MOONSHOT_API_KEY")
    'no Kimi API key: set MOONSHOT_API_KEY'
    """
    for pattern, words in TABLE:
        message = pattern.sub(words, message)
    return message
