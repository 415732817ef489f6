"""The batches, and the statuses that a batch goes through. A retrieval moves a batch on, not the clock.

Source: platform docs, batch pages.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from kimi_openai.emulator.json_values import Json

__all__ = ["CANCELLABLE", "NEXT_STATUS", "Batches", "batch_object"]

CANCELLABLE = ("validating", "in_progress", "finalizing")
NEXT_STATUS: Mapping[str, str] = {
    "validating": "in_progress",
    "in_progress": "finalizing",
    "finalizing": "completed",
    "cancelling": "cancelled",
}
"""The status that follows; the others are final."""

TIMES = (
    "in_progress_at",
    "expires_at",
    "finalizing_at",
    "completed_at",
    "failed_at",
    "cancelling_at",
    "cancelled_at",
)


@dataclass(slots=True)
class Batches:
    """BatchObjects by id, oldest first, and how often each was retrieved in its status."""

    by_id: dict[str, Json] = field(default_factory=dict[str, Json])
    polls: dict[str, int] = field(default_factory=dict[str, int])

    def is_due(self, id: str, polls: int) -> bool:
        """Count a retrieval; True if the batch was retrieved `polls` times in its status."""
        self.polls[id] = self.polls.get(id, 0) + 1
        if self.polls[id] < polls:
            return False
        self.polls[id] = 0
        return True


def batch_object(id: str, created: int, body: Json) -> Json:
    """A new BatchObject for a create body."""
    return {
        "id": id,
        "object": "batch",
        "endpoint": body["endpoint"],
        "input_file_id": body["input_file_id"],
        "completion_window": body["completion_window"],
        "status": "validating",
        "output_file_id": None,
        "error_file_id": None,
        "created_at": created,
        **dict.fromkeys(TIMES),
        "request_counts": {"completed": 0, "failed": 0, "total": 0},
        "metadata": body.get("metadata"),
    }
