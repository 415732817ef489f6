"""Tracing tools record of our client what they record of the SDK's. Each is run by `recording.py` and compared."""

import pytest

pytest.register_assert_rewrite("tests.tracing.comparison")
