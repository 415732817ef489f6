"""Many requests under the account's limits: `bulk`, from a file or a table to a file of answers that is its checkpoint.

`requests` reads the input, `plan` checks it and estimates the cost, `runner` asks, `answering` gets one answer,
`output` writes it so that nothing is lost. `index` knows in little memory what is done.
"""

from .errors import BulkStoppedError, InputError, OutputError
from .estimate import Estimate
from .report import BulkReport, Progress
from .run import bulk

__all__ = ["BulkReport", "BulkStoppedError", "Estimate", "InputError", "OutputError", "Progress", "bulk"]
