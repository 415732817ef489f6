"""Random schemas of any keywords that may or may not fit together, as hypothesis strategies and as a seeded list."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

__all__ = ["IMPROPER", "NAMES", "ODD", "PROPER", "SCALARS", "documents", "examples", "mixtures"]

Json = dict[str, Any]

NAMES = st.sampled_from(
    ["a", "b", "title", "format", "type", "required", "anyOf", "$ref", "$defs", "a/b", "{a}", "", "items"]
)
COUNTS = st.integers(0, 4)
NUMBERS = st.integers(-5, 5) | st.sampled_from([-0.5, 1.5, 2.0])
SCALARS = st.sampled_from(["a", "b", "", 1, 2, 2.5, 1.0, True, False, None])
TYPES = st.sampled_from(["string", "integer", "number", "boolean", "object", "array", "null"])


def keywords(schemas: st.SearchStrategy[Any]) -> dict[str, st.SearchStrategy[Any]]:
    """Every keyword of JSON Schema that matters here, with values that it allows."""
    few = st.lists(schemas, min_size=1, max_size=3)
    named = st.dictionaries(NAMES, schemas, max_size=3)
    return {
        "type": TYPES | st.lists(TYPES, min_size=1, max_size=3, unique=True),
        "enum": st.lists(SCALARS | st.just({"a": 1}) | st.just(["a", "b"]), min_size=1, max_size=4),
        "const": SCALARS | st.just({"a": [1]}),
        **dict.fromkeys(("anyOf", "oneOf", "allOf", "prefixItems"), few),
        **dict.fromkeys(("properties", "patternProperties", "dependentSchemas"), named),
        **dict.fromkeys(("items", "additionalProperties", "not", "if", "then", "contains", "propertyNames"), schemas),
        **dict.fromkeys(("unevaluatedProperties", "unevaluatedItems"), schemas),
        "required": st.lists(NAMES, max_size=3, unique=True),
        **dict.fromkeys(("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"), COUNTS),
        **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), NUMBERS),
        "multipleOf": st.sampled_from([1, 2, 0.5]),
        "pattern": st.sampled_from(["^a", "b$"]),
        "format": st.sampled_from(["date", "uri"]),
        "uniqueItems": st.booleans(),
        "default": SCALARS | st.just([]),
        **dict.fromkeys(("title", "description", "$comment"), st.sampled_from(["one", "two"])),
        "$ref": st.sampled_from(["#", "#/$defs/A", "#/$defs/B", "#/properties/a"]),
    }


@st.composite
def mixtures(draw: st.DrawFn, schemas: st.SearchStrategy[Any], odd: st.SearchStrategy[Any] | None = None) -> Json:
    """A few keywords that may or may not fit together; with `odd`, some have a value that JSON Schema forbids."""
    known = keywords(schemas)
    chosen = draw(st.lists(st.sampled_from(sorted(known)), max_size=4, unique=True))
    return {key: draw(known[key] if odd is None or draw(st.integers(0, 4)) else odd) for key in chosen}


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3) | NAMES, inner, max_size=2),
    max_leaves=4,
)
PROPER = st.recursive(st.booleans() | st.builds(dict, type=TYPES), lambda inner: mixtures(inner), max_leaves=8)
IMPROPER = st.recursive(st.booleans() | st.builds(dict, type=TYPES), lambda inner: mixtures(inner, ODD), max_leaves=8)


def documents(schemas: st.SearchStrategy[Any]) -> st.SearchStrategy[Json]:
    """A root object with properties and two definitions, to which references can lead."""
    parts = st.dictionaries(NAMES, schemas, max_size=2)
    return st.builds(
        lambda a, more, defs, root: {**root, "type": "object", "properties": {**more, "a": a}, "$defs": defs},
        schemas,
        parts,
        st.fixed_dictionaries({"A": schemas, "B": schemas}),
        mixtures(schemas),
    )


def examples(count: int, number: int) -> list[Json]:
    """Documents that are proper JSON Schemas: always the same ones for a count and the number of the seed."""
    found: list[Json] = []

    @seed(number)
    @settings(
        max_examples=count, database=None, phases=[Phase.generate], deadline=None, suppress_health_check=[*HealthCheck]
    )
    @given(documents(PROPER))
    def collect(document: Json) -> None:
        found.append(document)

    collect()
    return found
