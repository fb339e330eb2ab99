"""Random JSON Schemas, random texts that the grammar of each admits, and an independent validator's opinion of them.

    pip install 'jsonschema[format]'
    python Tools/fuzz_json_schema.py --radish .build/release/radish --walks 10000

For each schema `radish grammar sample` walks through the masks (any allowed token, all equally likely); every text must
parse, and `jsonschema` must accept it. The other way round, values made by chance and texts changed by chance are judged
by `radish grammar check` and by `jsonschema`, which must agree. A schema that radish refuses is counted; one that it calls
unsatisfiable is checked against values made by chance. Ends with status 1 at the first contradiction, printing seed and
schema.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
from decimal import Decimal, getcontext

from jsonschema import Draft7Validator, Draft202012Validator, FormatChecker, validators

# Exponents have up to four digits, and remainders must be exact.
getcontext().prec = 20_000

NAMES = ["a", "b", "c", "id", "name", "kind", "x-y", "é", 'q"t']
PATTERNS = ["^[a-z]+$", "^x", "[0-9]{2}", "^(a|b)c?$", "o", "^.{2,4}$", "z$"]
FORMATS = ["date", "date-time", "time", "ipv4", "ipv6", "uuid", "email", "hostname", "json-pointer", "uri"]


class Schemas:
    """Makes random schemas of bounded depth."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.definitions = 0

    def root(self):
        chance = self.random.random()
        draft = "http://json-schema.org/draft-07/schema#" if chance < 0.3 else "https://json-schema.org/draft/2020-12/schema"
        self.modern = chance >= 0.3
        self.keyword = "$defs" if self.modern else "definitions"
        # Validators differ in what a format is, so formats stand only where nothing is negated.
        self.formats = self.maybe(0.3)
        self.definitions = 0 if self.formats else self.random.choice([0, 0, 1, 2])
        schema = self.schema(3)
        if isinstance(schema, bool):
            schema = {"not": {}} if not schema else {}
        if "$ref" in schema and not self.modern:
            schema = {"allOf": [schema]}
        schema[self.keyword] = {f"d{i}": self.schema(2, inside=True) for i in range(self.definitions)}
        return {"$schema": draft, **schema}

    def maybe(self, probability):
        return self.random.random() < probability

    def schema(self, depth, inside=False):
        r = self.random
        if self.maybe(0.05):
            return r.choice([True, True, False])
        if depth <= 0:
            return self.scalar()
        if self.definitions and not inside and self.maybe(0.12):
            schema = {"$ref": f"#/{self.keyword}/d{r.randrange(self.definitions)}"}
            return {**schema, **self.scalar()} if self.modern and self.maybe(0.2) else schema
        kind = r.choice(["scalar", "array", "object", "object", "combination", "mixed"])
        if kind == "scalar":
            return self.scalar()
        if kind == "array":
            return self.array(depth)
        if kind == "object":
            return self.object(depth)
        if kind == "mixed":
            return {**self.scalar(typed=False), **self.array(depth, typed=False), **self.object(depth, typed=False)}
        return self.combination(depth)

    def scalar(self, typed=True):
        r = self.random
        kind = r.choice(["integer", "number", "string", "string", "enum", "const", "simple"])
        schema = {}
        if kind in ("integer", "number"):
            if typed:
                schema["type"] = kind
            step = 1 if kind == "integer" else 0.25
            low, high = sorted([r.randint(-200, 200) * step, r.randint(-200, 200) * step])
            if self.maybe(0.4):
                schema[r.choice(["minimum", "exclusiveMinimum"])] = low
            if self.maybe(0.4):
                schema[r.choice(["maximum", "exclusiveMaximum"])] = high
            if self.maybe(0.3):
                schema["multipleOf"] = r.choice([2, 3, 7, 10, 12, 0.5, 0.01, 2.5])
        elif kind == "string":
            if typed:
                schema["type"] = "string"
            if self.maybe(0.3):
                schema["minLength"] = r.randint(0, 4)
            if self.maybe(0.3):
                schema["maxLength"] = r.randint(2, 8)
            if self.maybe(0.3):
                schema["pattern"] = r.choice(PATTERNS)
            elif self.formats and self.maybe(0.5):
                schema = {"type": "string", "format": r.choice(FORMATS)}
        elif kind == "enum":
            schema["enum"] = [self.value(2) for _ in range(r.randint(1, 4))]
        elif kind == "const":
            schema["const"] = self.value(2)
        else:
            schema["type"] = r.choice(["null", "boolean", ["null", "string"], ["integer", "boolean"], "array", "object"])
        return schema

    def array(self, depth, typed=True):
        r = self.random
        schema = {"type": "array"} if typed else {}
        prefix = "prefixItems" if self.modern else "items"
        if self.maybe(0.3):
            schema[prefix] = [self.schema(depth - 1) for _ in range(r.randint(1, 3))]
            if self.maybe(0.5):
                schema["items" if self.modern else "additionalItems"] = self.schema(depth - 1)
        elif self.maybe(0.8):
            schema["items"] = self.schema(depth - 1)
        if self.maybe(0.3):
            schema["minItems"] = r.randint(0, 3)
        if self.maybe(0.4):
            schema["maxItems"] = r.randint(1, 4)
        if not self.formats and self.maybe(0.2):
            schema["contains"] = self.schema(depth - 1)
            if self.modern and self.maybe(0.5):
                schema["minContains"] = r.randint(0, 2)
                schema["maxContains"] = r.randint(1, 3)
        if self.maybe(0.1):
            schema["uniqueItems"] = True
            if self.maybe(0.7):
                schema["items"] = {"enum": [self.value(1) for _ in range(r.randint(1, 5))]}
                schema.pop("prefixItems", None)
                schema.pop("additionalItems", None)
        if self.modern and not self.formats and self.maybe(0.08):
            schema["unevaluatedItems"] = self.schema(depth - 1)
        return schema

    def object(self, depth, typed=True):
        r = self.random
        schema = {"type": "object"} if typed else {}
        names = r.sample(NAMES, r.randint(0, 4))
        if names:
            schema["properties"] = {name: self.schema(depth - 1) for name in names}
        if self.maybe(0.5):
            schema["required"] = r.sample(names or NAMES, min(len(names or NAMES), r.randint(1, 2)))
        if self.maybe(0.5):
            schema["additionalProperties"] = r.choice([False, False, self.schema(depth - 1)])
        if self.maybe(0.2):
            schema["patternProperties"] = {r.choice(PATTERNS): self.schema(depth - 1) for _ in range(r.randint(1, 2))}
        if self.maybe(0.1):
            schema["propertyNames"] = r.choice([{"pattern": r.choice(PATTERNS)}, {"maxLength": 4}, {"enum": NAMES[:5]}])
        if self.maybe(0.15):
            schema["minProperties"] = r.randint(0, 3)
        if self.maybe(0.15):
            schema["maxProperties"] = r.randint(1, 4)
        if self.maybe(0.12):
            keyword = "dependentRequired" if self.modern else "dependencies"
            schema[keyword] = {r.choice(NAMES): r.sample(NAMES, 2)}
        if self.modern and self.maybe(0.1):
            schema["dependentSchemas"] = {r.choice(NAMES): self.schema(depth - 1)}
        if self.modern and not self.formats and self.maybe(0.08):
            schema["unevaluatedProperties"] = r.choice([False, self.schema(depth - 1)])
        return schema

    def combination(self, depth):
        r = self.random
        keyword = r.choice(["allOf", "anyOf"] if self.formats else ["allOf", "anyOf", "oneOf", "not", "if"])
        if keyword == "not":
            schema = {"not": self.schema(depth - 1)}
        elif keyword == "if":
            schema = {"if": self.schema(depth - 1), "then": self.schema(depth - 1), "else": self.schema(depth - 1)}
        else:
            schema = {keyword: [self.schema(depth - 1) for _ in range(r.randint(1, 3))]}
        if self.maybe(0.5):
            schema.update(self.object(depth - 1) if self.maybe(0.6) else self.scalar())
        return schema

    def value(self, depth):
        r = self.random
        kind = r.choice(["null", "bool", "int", "float", "string", "string"] + (["list", "dict"] if depth else []))
        return {
            "null": lambda: None,
            "bool": lambda: self.maybe(0.5),
            "int": lambda: r.randint(-5, 300),
            "float": lambda: r.randint(-40, 40) / 8,
            "string": lambda: r.choice(["", "a", "ac", "xyz", "12", "é\n", 'say "hi"', "\\", "😀"]),
            "list": lambda: [self.value(depth - 1) for _ in range(r.randint(0, 2))],
            "dict": lambda: {r.choice(NAMES): self.value(depth - 1) for _ in range(r.randint(0, 2))},
        }[kind]()


def changed(value, schemas):
    """The value with one part changed, dropped or added."""
    r = schemas.random
    if isinstance(value, dict) and value and r.random() < 0.8:
        key = r.choice(list(value))
        kind = r.random()
        if kind < 0.25:
            return {name: part for name, part in value.items() if name != key}
        if kind < 0.4:
            return {**value, r.choice(NAMES): schemas.value(1)}
        if kind < 0.55:
            items = list(value.items())
            r.shuffle(items)
            return dict(items)
        return {**value, key: changed(value[key], schemas)}
    if isinstance(value, list) and value and r.random() < 0.8:
        index = r.randrange(len(value))
        kind = r.random()
        if kind < 0.3:
            return value[:index] + value[index + 1 :]
        if kind < 0.5:
            return value + [r.choice(value)]
        return value[:index] + [changed(value[index], schemas)] + value[index + 1 :]
    if isinstance(value, (int, Decimal)) and not isinstance(value, bool) and r.random() < 0.7:
        return value + r.choice([1, -1, Decimal("0.5"), Decimal("0.01"), 10])
    if isinstance(value, str) and r.random() < 0.7:
        return r.choice([value + "a", value[1:], value + "\n", value.upper(), "x" + value])
    return schemas.value(2)


def written(value):
    """JSON text without exponents, with spaces."""
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return json.dumps(value)
    if isinstance(value, (int, float, Decimal)):
        text = format(Decimal(value), "f")
        return text if len(text) < 400 else "0"
    if isinstance(value, list):
        return "[" + ", ".join(map(written, value)) + "]"
    return "{" + ", ".join(f"{json.dumps(name)}: {written(part)}" for name, part in value.items()) + "}"


def is_integer(_, instance):
    if isinstance(instance, bool):
        return False
    return isinstance(instance, int) or isinstance(instance, Decimal) and instance == instance.to_integral_value()


def is_number(_, instance):
    return isinstance(instance, (int, Decimal)) and not isinstance(instance, bool)


def exact_multiple(validator, divisor, instance, schema):
    if validator.is_type(instance, "number") and Decimal(instance) % Decimal(divisor):
        from jsonschema import ValidationError

        yield ValidationError(f"{instance} is not a multiple of {divisor}")


def as_python(pattern):
    """ECMA-262's `$` and `.` in Python's spelling: there they mean something else before and at line ends."""
    return pattern.replace("$", r"\Z").replace(".", r"[^\n\r\u2028\u2029]")


def with_python_patterns(schema):
    if isinstance(schema, list):
        return [with_python_patterns(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    result = {}
    for key, value in schema.items():
        if key in ("enum", "const"):
            result[key] = value
        elif key == "pattern" and isinstance(value, str):
            result[key] = as_python(value)
        elif key == "patternProperties":
            result[key] = {as_python(pattern): with_python_patterns(part) for pattern, part in value.items()}
        else:
            result[key] = with_python_patterns(value)
    return result


def validator(schema):
    """Numbers are read as decimals: the verdict must not hang on binary rounding."""
    exact = with_python_patterns(json.loads(json.dumps(schema), parse_float=Decimal))
    base = Draft7Validator if "draft-07" in schema["$schema"] else Draft202012Validator
    checker = base.TYPE_CHECKER.redefine_many({"integer": is_integer, "number": is_number})
    kind = validators.extend(base, {"multipleOf": exact_multiple}, type_checker=checker)
    formats = FormatChecker(["date", "ipv4", "ipv6", "email", "uuid"])
    return kind(exact, format_checker=formats)


def sample(radish, path, count, seed, extra):
    command = [radish, "grammar", "sample", "--json-schema", path, "--count", str(count), "--seed", str(seed)]
    done = subprocess.run(command + extra, capture_output=True, text=True, encoding="utf-8")
    return done.returncode, [line for line in done.stdout.split("\n") if line], done.stderr


def disagreements(radish, folder, path, judge, values):
    """Values on which radish and the validator differ, with radish's opinion."""
    texts = [written(value) for value in values]
    files = []
    for index, text in enumerate(texts):
        files.append(f"{folder}/{index}.json")
        with open(files[-1], "w", encoding="utf-8") as file:
            file.write(text)
    command = [radish, "grammar", "check", "--json-schema", path, "--instance", *files]
    lines = subprocess.run(command, capture_output=True, text=True, encoding="utf-8").stdout.split("\n")
    opinions = dict(line.split(": ", 1) for line in lines if ": " in line)
    for file, text in zip(files, texts):
        opinion = opinions.get(file, "nothing")
        if (opinion == "valid") != judge.is_valid(json.loads(text, parse_float=Decimal)):
            yield text, opinion


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--radish", default=".build/release/radish")
    parser.add_argument("--walks", type=int, default=10_000)
    parser.add_argument("--per-schema", type=int, default=12)
    parser.add_argument("--judged", type=int, default=30, help="values judged for each schema")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep-going", action="store_true", help="count contradictions instead of stopping")
    parser.add_argument("--model-path", help="take the vocabulary of this model; default: the embedded one")
    arguments = parser.parse_args()
    counts = dict(schemas=0, walks=0, judged=0, refused=0, unsatisfiable=0, unfinished=0, endless=0, wrong=0)
    reasons = {}
    seed = arguments.seed
    with tempfile.TemporaryDirectory() as folder:
        path = folder + "/schema.json"

        def examine(seed):
            schemas = Schemas(seed)
            schema = schemas.root()
            with open(path, "w", encoding="utf-8") as file:
                json.dump(schema, file)
            extra = schemas.random.choice([[], [], ["--any-order"], ["--whitespace", "spaced"]])
            if arguments.model_path:
                extra = extra + ["--model-path", arguments.model_path]
            status, texts, error = sample(arguments.radish, path, arguments.per_schema, seed, extra)
            counts["schemas"] += 1
            judge = validator(schema)

            def contradiction(what):
                counts["wrong"] += 1
                print(f"CONTRADICTION, seed {seed}: {what}\n  {json.dumps(schema)}", flush=True)
                if not arguments.keep_going:
                    sys.exit(1)

            if status == 2 and "no JSON value satisfies" in error:
                counts["unsatisfiable"] += 1
                for _ in range(0 if schemas.formats else 300):
                    value = json.loads(json.dumps(schemas.value(2)), parse_float=Decimal)
                    if judge.is_valid(value):
                        contradiction(f"called unsatisfiable, yet {value!r} satisfies it")
                        break
                return
            if status == 2:
                counts["refused"] += 1
                reason = error.split(" at #")[0][:100]
                reasons[reason] = reasons.get(reason, 0) + 1
                return
            if status != 0:
                contradiction(f"status {status}: {error[:500]}")
                return
            counts["unfinished"] += arguments.per_schema - len(texts)
            for text in texts:
                counts["walks"] += 1
                try:
                    value = json.loads(text, parse_float=Decimal)
                except (ValueError, ArithmeticError) as problem:
                    contradiction(f"{text!r} is not JSON: {problem}")
                    continue
                problem = next(iter(judge.iter_errors(value)), None)
                if problem is not None:
                    contradiction(f"{text} is not valid: {problem.message[:300]} at {list(problem.absolute_path)}")
            if not schemas.formats and arguments.judged:
                known = [json.loads(text, parse_float=Decimal) for text in texts if len(text) < 2000] or [None]
                values = []
                for index in range(arguments.judged):
                    value = schemas.random.choice(known)
                    for _ in range(schemas.random.randint(1, 2)):
                        value = changed(value, schemas)
                    values.append(value if index % 3 else schemas.value(2))
                counts["judged"] += len(values)
                for text, opinion in disagreements(arguments.radish, folder, path, judge, values):
                    contradiction(f"{text} is said to be {opinion}")
        while counts["walks"] < arguments.walks:
            seed += 1
            try:
                examine(seed)
            except RecursionError:
                # A schema that refers to itself about the same value: the standard gives it no meaning.
                counts["endless"] += 1
            if counts["schemas"] % 100 == 0:
                print(counts, flush=True)
    print(counts)
    for reason, number in sorted(reasons.items(), key=lambda item: -item[1]):
        print(f"  refused {number}: {reason}")
    sys.exit(1 if counts["wrong"] else 0)


if __name__ == "__main__":
    main()
