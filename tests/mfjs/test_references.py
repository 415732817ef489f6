"""References: found, inlined, kept where they are recursive, and able to end."""

from __future__ import annotations

from typing import Any

import pytest

from tests.mfjs.shapes import ANY, NODE, NULL, STRING, Case, check, convert, of

MENUS = {"type": "array", "items": {"$ref": "#/$defs/M"}, "description": "d"}
MENUS_OR_NONE = {
    "anyOf": [{"type": "array", "items": {"$ref": "#/$defs/M"}}, {"type": "array", "maxItems": 0}],
    "description": "d",
}
NAMED_MENU = {"type": "object", "properties": {"x": MENUS, "name": STRING}, "required": ["x", "name"]}

CASES: dict[str, Case] = {
    "inlined": ({**of({"$ref": "#/$defs/S"}), "$defs": {"S": {"type": "string", "title": "S"}}}, of(STRING), []),
    "definitions": ({**of({"$ref": "#/definitions/S"}), "definitions": {"S": STRING}}, of(STRING), []),
    "pointer": (
        {"type": "object", "properties": {"y": STRING, "x": {"$ref": "#/properties/y", "description": "d"}}},
        {"type": "object", "properties": {"y": STRING, "x": {"type": "string", "description": "d"}}},
        [],
    ),
    "escaped-pointer": ({**of({"$ref": "#/$defs/a~1b%20c~0"}), "$defs": {"a/b c~": STRING}}, of(STRING), []),
    "nested-defs": (of({"$defs": {"S": STRING}, "$ref": "#/properties/x/$defs/S"}), of(STRING), []),
    "ref-with-siblings": (
        {
            **of({"$ref": "#/$defs/S", "minLength": 2, "description": "here", "default": "abc"}),
            "$defs": {"S": {"type": "string", "maxLength": 9, "description": "there"}},
        },
        of({"type": "string", "minLength": 2, "maxLength": 9, "description": "here", "default": "abc"}),
        [],
    ),
    "remote": (of({"$ref": "https://example.com/s.json"}), of(ANY), ["leads nowhere"]),
    "dangling": (of({"$ref": "#/$defs/S"}), of(ANY), ['properties.x: $ref "#/$defs/S" leads nowhere']),
    "ref-of-no-string": (of({"$ref": 3}), of(ANY), ["$ref 3 leads nowhere"]),
    "recursive": (
        {
            **of({"$ref": "#/definitions/Node"}),
            "definitions": {
                "Node": {"type": "object", "properties": {"next": {"anyOf": [{"$ref": "#/definitions/Node"}, NULL]}}}
            },
        },
        {**of({"$ref": "#/$defs/Node"}), "$defs": {"Node": NODE}},
        [],
    ),
    "recursive-root": ({"$ref": "#/$defs/Node", "$defs": {"Node": NODE}}, {**NODE, "$defs": {"Node": NODE}}, []),
    "recursive-described": (
        {**of({"$ref": "#/$defs/Node", "description": "d"}), "$defs": {"Node": NODE}},
        {**of({"anyOf": [{"$ref": "#/$defs/Node"}], "description": "d"}), "$defs": {"Node": NODE}},
        [],
    ),
    "recursive-odd-name": (
        {**of({"$ref": "#/$defs/N[int]"}), "$defs": {"N[int]": of({"$ref": "#/$defs/N[int]"})}},
        {**of({"$ref": "#/$defs/N_int_"}), "$defs": {"N_int_": of({"$ref": "#/$defs/N_int_"})}},
        [],
    ),
    "self-at-its-own-place": ({**of(STRING), "$ref": "#", "anyOf": [{"$ref": "#"}, of({})]}, of(STRING), []),
    "self": (of({"$ref": "#"}), of({"$ref": "#"}), []),
    "self-required": (of({"$ref": "#"}, required=["x"]), of({"$ref": "#"}), ["root: it requires itself without end"]),
    "required-cycle": (
        {
            **of({"$ref": "#/$defs/A"}),
            "$defs": {
                "A": {**of({"$ref": "#/$defs/B"}), "required": ["x"]},
                "B": {**of({"$ref": "#/$defs/A"}), "required": ["x"]},
            },
        },
        {
            **of({"$ref": "#/$defs/A"}),
            "$defs": {"A": of({"$ref": "#/$defs/B"}), "B": {**of({"$ref": "#/$defs/A"}), "required": ["x"]}},
        },
        ["$defs.A: it requires itself"],
    ),
    "required-cycle-through-a-union": (
        {
            **of({"$ref": "#/$defs/A"}),
            "$defs": {
                "A": {"anyOf": [{"$ref": "#/$defs/B"}, of({"$ref": "#/$defs/A"}, required=["x"])]},
                "B": of({"$ref": "#/$defs/A"}, required=["x"]),
            },
        },
        {**of({"$ref": "#/$defs/A"}), "$defs": {"A": ANY}},
        ["$defs.A: it requires itself"],
    ),
    "required-cycle-in-each-branch": (
        {
            **of({"$ref": "#/$defs/A"}),
            "$defs": {
                "A": {
                    "anyOf": [
                        of({"$ref": "#/$defs/A"}, required=["x"]),
                        {"type": "array", "items": {"$ref": "#/$defs/A"}, "minItems": 1},
                    ]
                }
            },
        },
        {
            **of({"$ref": "#/$defs/A"}),
            "$defs": {"A": {"anyOf": [of({"$ref": "#/$defs/A"}), {"type": "array", "items": {"$ref": "#/$defs/A"}}]}},
        },
        ["$defs.A: it requires itself"],
    ),
    "list-of-itself": (
        {**of({"$ref": "#/$defs/L"}), "$defs": {"L": {"type": "array", "items": {"$ref": "#/$defs/L"}}}},
        {**of({"$ref": "#/$defs/L"}), "$defs": {"L": {"type": "array", "items": {"$ref": "#/$defs/L"}}}},
        [],
    ),
    "only-empty-lists-end-it": (
        {**of({"$ref": "#/$defs/M"}, required=["x"]), "$defs": {"M": of(MENUS, required=["x"])}},
        {**of({"$ref": "#/$defs/M"}, required=["x"]), "$defs": {"M": of(MENUS_OR_NONE, required=["x"])}},
        [],
    ),
    "an-empty-list-beside-a-text": (
        {**of({"$ref": "#/$defs/M"}, required=["x"]), "$defs": {"M": NAMED_MENU}},
        {**of({"$ref": "#/$defs/M"}, required=["x"]), "$defs": {"M": NAMED_MENU}},
        [],
    ),
    "an-alternative-that-is-itself": (
        {
            **of({"$ref": "#/$defs/B"}),
            "$defs": {
                "A": {"$ref": "#/$defs/B"},
                "B": {"anyOf": [{"allOf": [{"$ref": "#/$defs/A"}, STRING]}, NULL], "description": "d"},
            },
        },
        of({"type": "null", "description": "d"}),
        ["$defs.B.anyOf{0}: what stands beside a recursive $ref is not enforced"],
    ),
    "only-references": (
        {**of({"$ref": "#/$defs/A"}), "$defs": {"A": {"$ref": "#/$defs/B"}, "B": {"$ref": "#/$defs/A"}}},
        of(ANY),
        ["$defs.A: it requires itself"],
    ),
    "valid-stays": (
        {**of({"$ref": "#/$defs/S"}), "$defs": {"S": STRING}},
        {**of({"$ref": "#/$defs/S"}), "$defs": {"S": STRING}},
        [],
    ),
}


@pytest.mark.parametrize(("schema", "expected", "notes"), CASES.values(), ids=CASES)
def test_references(schema: Any, expected: Any, notes: list[str]) -> None:
    """Each reference is resolved or kept as the table says, with those notes and no others."""
    check(schema, expected, notes)


def test_shared_definitions_do_not_double() -> None:
    """A chain of definitions that use the next one twice stays a chain; inlined it would be 2**12 schemas."""
    chain = {
        f"D{n}": {"type": "object", "properties": {side: {"$ref": f"#/$defs/D{n + 1}"} for side in "ab"}}
        for n in range(12)
    }
    result = convert({**of({"$ref": "#/$defs/D0", "title": "T"}), "$defs": {**chain, "D12": STRING}})
    assert result.schema == {**of({"$ref": "#/$defs/D0"}), "$defs": {**chain, "D12": STRING}}
    assert result.notes == ()
