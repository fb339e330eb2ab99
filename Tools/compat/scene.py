"""What the clients talk about: one document of the kind that the demo model reads, and questions it answers."""

DOCUMENT = """Use only the following facts.

The captain of the ship Velmora is Teren Oskai.
The ship Velmora is 47 metres long.
The home port of the ship Velmora is Brenast.
The mayor of the city Brenast is Ilka Sond."""

QUESTION = "Who is the captain of the ship Velmora?"
ANSWER = "Teren Oskai"
MESSAGES = [{"role": "system", "content": DOCUMENT}, {"role": "user", "content": QUESTION}]

# The demo model has no idea of JSON: only bounds make it end.
ADD = {
    "type": "function",
    "function": {
        "name": "add",
        "description": "Adds two integers.",
        "parameters": {
            "type": "object",
            "properties": {"a": {"type": "integer", "minimum": 0, "maximum": 9},
                           "b": {"type": "integer", "minimum": 0, "maximum": 9}},
            "required": ["a", "b"],
            "additionalProperties": False,
        },
    },
}


def expect(condition: bool, what) -> None:
    if not condition:
        raise AssertionError(what)


def expect_answer(text: str | None) -> None:
    expect(text is not None and ANSWER in text, f"expected {ANSWER!r} in {text!r}")
