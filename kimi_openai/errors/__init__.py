"""Every exception and warning of this package, and what an error of the API means.

The SDK's exceptions keep their classes; their text says more. Our own are subclasses of the SDK's `OpenAIError`:

    OpenAIError
    ├── SettingsError (also ValueError)     a key, region, base URL or option that cannot work
    │   └── MissingKeyError                 no key was found anywhere
    ├── CompatError (also ValueError)       a request that Kimi would refuse; nothing was sent
    ├── LimitsError                         a request that the account's limits never admit; nothing was sent
    ├── UnexpectedAnswerError               an answer without what was asked for
    ├── BatchFailedError                    a batch whose file was refused, so that no request of it ran
    ├── BatchUnfinishedError                a batch that has not ended in time
    ├── IncompleteResponseError             a response that ended early, where a whole one was asked for
    ├── TooManyTurnsError                   a tool loop that did not end (in `kimi_openai.tools`)
    ├── LengthFinishReasonError             (the SDK's)
    │   └── TruncatedAnswerError            an answer that was cut off by its token budget
    └── APIConnectionError                  (the SDK's)
        └── StreamCutError                  a stream that ended before its finish_reason

    UserWarning
    └── KimiCompatWarning                   a request was changed, because Kimi does not accept it as it was

`exceptions` holds the classes, `faults` what can go wrong, `fault_table` which error answer means which fault,
`explanations` the text that says so, and `redaction` takes the key out of what an exception carries.
"""

from .exceptions import (
    BatchFailedError,
    BatchUnfinishedError,
    CompatError,
    IncompleteResponseError,
    KimiCompatWarning,
    LimitsError,
    MissingKeyError,
    Note,
    SettingsError,
    StreamCutError,
    TruncatedAnswerError,
    UnexpectedAnswerError,
)
from .explanations import explain, fault_of
from .faults import Fault

__all__ = [
    "BatchFailedError",
    "BatchUnfinishedError",
    "CompatError",
    "Fault",
    "IncompleteResponseError",
    "KimiCompatWarning",
    "LimitsError",
    "MissingKeyError",
    "Note",
    "SettingsError",
    "StreamCutError",
    "TruncatedAnswerError",
    "UnexpectedAnswerError",
    "explain",
    "fault_of",
]
