"""Fifty schemas as clients send them, for `make structured`. The keywords are those of drafts 7 and 2020-12."""


def obj(properties: dict, required: list | None = None, **more) -> dict:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties) if required is None else required,
        "additionalProperties": False,
        **more,
    }


def arr(items: dict, low: int = 0, high: int = 3, **more) -> dict:
    return {"type": "array", "items": items, "minItems": low, "maxItems": high, **more}


def text(high: int = 12, low: int = 0, **more) -> dict:
    return {"type": "string", "minLength": low, "maxLength": high, **more}


INT = {"type": "integer"}
NUM = {"type": "number"}
BOOL = {"type": "boolean"}
NULL = {"type": "null"}

SCHEMAS = {
    "empty object": obj({}),
    "one string": obj({"name": text()}),
    "one integer": obj({"age": INT}),
    "bounded integer": obj({"age": {"type": "integer", "minimum": 0, "maximum": 150}}),
    "exclusive bounds": obj({"n": {"type": "integer", "exclusiveMinimum": -5, "exclusiveMaximum": 5}}),
    "number": obj({"price": {"type": "number", "minimum": 0, "maximum": 1000}}),
    "boolean and null": obj({"ok": BOOL, "nothing": NULL}),
    "person": obj({"name": text(20, 1), "age": {"type": "integer", "minimum": 0, "maximum": 120}, "email": text(20)}),
    "enum": obj({"colour": {"enum": ["red", "green", "blue"]}}),
    "mixed enum": obj({"value": {"enum": [1, "two", None, True, [3], {"four": 4}]}}),
    "const": obj({"kind": {"const": "ship"}, "length": {"type": "integer", "minimum": 1, "maximum": 400}}),
    "optional members": obj({"a": INT, "b": text(), "c": BOOL}, required=["b"]),
    "all optional": obj({"a": BOOL, "b": BOOL, "c": BOOL}, required=[]),
    "list of integers": arr({"type": "integer", "minimum": 0, "maximum": 99}, 1, 5),
    "list of texts": arr(text(8), 2, 4),
    "list of objects": arr(obj({"id": {"type": "integer", "minimum": 1, "maximum": 999}, "tag": text(6)}), 1, 3),
    "nested lists": arr(arr(BOOL, 1, 2), 1, 2),
    "tuple": {"type": "array", "prefixItems": [INT, text(5), BOOL], "items": False, "minItems": 3},
    "tuple of draft 7": {"type": "array", "items": [INT, BOOL], "additionalItems": False, "minItems": 2},
    "any of types": obj({"value": {"anyOf": [{"type": "integer", "maximum": 9, "minimum": 0}, text(4), NULL]}}),
    "one of shapes": {
        "oneOf": [
            obj({"type": {"const": "circle"}, "radius": {"type": "integer", "minimum": 1, "maximum": 50}}),
            obj({"type": {"const": "square"}, "side": {"type": "integer", "minimum": 1, "maximum": 50}}),
        ]
    },
    "all of": {
        "allOf": [
            {"type": "object", "properties": {"a": {"type": "integer", "minimum": 0}}, "required": ["a"]},
            {"properties": {"a": {"maximum": 9}, "b": BOOL}, "required": ["b"]},
        ],
        "additionalProperties": False,
        "properties": {"a": True, "b": True},
    },
    "type list": obj({"value": {"type": ["boolean", "null"]}}),
    "nullable": obj({"name": {"type": ["string", "null"], "maxLength": 6}}),
    "pattern": obj({"plate": {"type": "string", "pattern": "^[A-Z]{2}-[0-9]{3}$"}}),
    "unanchored pattern": obj({"word": {"type": "string", "pattern": "a+b", "maxLength": 10}}),
    "date": obj({"day": {"type": "string", "format": "date"}}),
    "date-time": obj({"at": {"type": "string", "format": "date-time"}}),
    "time": obj({"at": {"type": "string", "format": "time"}}),
    "uuid": obj({"id": {"type": "string", "format": "uuid"}}),
    "ipv4": obj({"host": {"type": "string", "format": "ipv4"}}),
    "email": obj({"to": {"type": "string", "format": "email", "maxLength": 24}}),
    "multiple of": obj({"n": {"type": "integer", "multipleOf": 7, "minimum": 0, "maximum": 700}}),
    "deep": obj({"a": obj({"b": obj({"c": obj({"d": obj({"e": BOOL})})})})}),
    "definitions": {
        "$defs": {"point": obj({"x": {"type": "integer", "minimum": 0, "maximum": 9}, "y": BOOL})},
        **obj({"from": {"$ref": "#/$defs/point"}, "to": {"$ref": "#/$defs/point"}}),
    },
    "definitions of draft 7": {"definitions": {"flag": BOOL}, **obj({"on": {"$ref": "#/definitions/flag"}})},
    "recursive list": {
        "$defs": {"node": obj({"value": BOOL, "next": {"anyOf": [NULL, {"$ref": "#/$defs/node"}]}})},
        "$ref": "#/$defs/node",
    },
    "recursive tree": {
        "$defs": {"tree": obj({"leaf": BOOL, "children": arr({"$ref": "#/$defs/tree"}, 0, 2)})},
        "$ref": "#/$defs/tree",
    },
    "pattern properties": {
        "type": "object",
        "patternProperties": {"^[a-c]$": {"type": "integer", "minimum": 0, "maximum": 9}},
        "additionalProperties": False,
        "minProperties": 1,
    },
    "additional properties": {
        "type": "object",
        "additionalProperties": BOOL,
        "propertyNames": {"pattern": "^[a-z]{1,3}$"},
        "minProperties": 1,
        "maxProperties": 3,
    },
    "any properties": obj({"id": BOOL}, additionalProperties=True),
    "dependent required": obj({"card": BOOL, "code": BOOL}, required=[], dependentRequired={"card": ["code"]}),
    "if then else": {
        **obj({"member": BOOL, "number": {"type": "integer", "minimum": 0, "maximum": 99}}, required=["member"]),
        "if": {"properties": {"member": {"const": True}}},
        "then": {"required": ["number"]},
    },
    "not": obj({"word": {"type": "string", "enum": ["yes", "no", "never"], "not": {"const": "never"}}}),
    "unique enumerated items": arr({"enum": ["a", "b", "c"]}, 2, 3, uniqueItems=True),
    "unicode names": obj({"größe": {"type": "integer", "minimum": 1, "maximum": 9}, "名前": text(4)}),
    "quotes in names": obj({'a "b" \\ c': BOOL}),
    "plain string": text(10, 1),
    "plain integer": {"type": "integer", "minimum": -100, "maximum": 100},
    "order": obj(
        {
            "order_id": {"type": "string", "pattern": "^[0-9]{4}$"},
            "customer": obj({"name": text(10, 1), "vip": BOOL}),
            "lines": arr(obj({"sku": text(6, 1), "count": {"type": "integer", "minimum": 1, "maximum": 9}}), 1, 2),
            "state": {"enum": ["open", "paid", "shipped"]},
        }
    ),
}
assert len(SCHEMAS) == 50, len(SCHEMAS)
