"""Random schemas: any mixture of keywords becomes valid MFJS that accepts no more than the original."""

from __future__ import annotations

import contextlib
from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.mfjs.answers import check_answers
from tests.mfjs.shapes import Json, convert
from tests.schemas.mixtures import IMPROPER, ODD, PROPER, documents, mixtures

RANDOM = settings(max_examples=50, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@given(schema=documents(PROPER))
@RANDOM
def test_random_schemas_become_valid(schema: Json) -> None:
    """Any mixture of keywords becomes MFJS, and converting it again changes nothing."""
    convert(schema)


@given(schema=documents(IMPROPER) | mixtures(IMPROPER, ODD))
@RANDOM
def test_invalid_schemas_become_valid(schema: Json) -> None:
    """Whatever the values of the keywords are, the result is MFJS, or a ValueError about the root."""
    with contextlib.nullcontext() if schema.get("type") == "object" else contextlib.suppress(ValueError):
        convert(schema)
    convert(schema, root_object=False)


@given(schema=documents(PROPER), rng=st.randoms(use_true_random=False))
@RANDOM
def test_answers_satisfy_the_original(schema: Json, rng: Random) -> None:
    """What the result accepts the original accepts, if the conversion noted nothing."""
    check_answers(schema, rng)
