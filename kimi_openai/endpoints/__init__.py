"""The endpoints that only Kimi has, or has in another form than OpenAI: balance, token estimate, models, files,
batches, signatures.

Each function takes any `openai` client that points at Kimi; with an asynchronous client, await the result.
"""

from .balance import Balance, get_balance
from .batch_files import batch_results, delete_batch_files
from .batch_jobs import submit_batch, wait_for_batch
from .batch_output import BatchError, BatchResult
from .files import extract_text, upload_media
from .model_list import KimiModel, list_models
from .signatures import Signature, signatures_of, signed, verify_signature
from .token_estimate import estimate_tokens

__all__ = [
    "Balance",
    "BatchError",
    "BatchResult",
    "KimiModel",
    "Signature",
    "batch_results",
    "delete_batch_files",
    "estimate_tokens",
    "extract_text",
    "get_balance",
    "list_models",
    "signatures_of",
    "signed",
    "submit_batch",
    "upload_media",
    "verify_signature",
    "wait_for_batch",
]
