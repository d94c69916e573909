# SPDX-License-Identifier: Apache-2.0
"""Reads a wire case and plays its steps on a player: requests, and what has to come back."""
import binascii
import decimal
import json
import re
import time

UNTIL_SECONDS = 10

NAMESPACES = {
    "com.amazon.coral.validate#": ["ValidationException"],
    "com.amazon.coral.service#": [
        "SerializationException", "UnknownOperationException", "MissingAuthenticationTokenException",
        "IncompleteSignatureException", "InvalidSignatureException", "UnrecognizedClientException",
        "AccessDeniedException", "InternalFailure"],
    "com.amazon.coral.availability#": ["ThrottlingException"],
}
# The member that carries the message is capitalised in these.
CAPITAL_MESSAGE = {
    "SerializationException", "AccessDeniedException", "TransactionCanceledException",
    "TransactionInProgressException", "IdempotentParameterMismatchException"}


class CaseError(Exception):
    """The case is malformed, or an answer is not what it has to be."""


def qualified(error_type):
    for namespace, names in NAMESPACES.items():
        if error_type in names:
            return namespace + error_type
    return "com.amazonaws.dynamodb.v20120810#" + error_type


# ---- JSON -------------------------------------------------------------------------------------


def unique_members(pairs):
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member is given twice")
    return members


DECODER = json.JSONDecoder(object_pairs_hook=unique_members, parse_float=decimal.Decimal)


def parse(text):
    return DECODER.decode(text)


def differences(expected, actual, is_subset, path="$"):
    """Yields where actual is not what was expected."""
    if expected == "<any>" or kept_name(expected):
        return
    if isinstance(expected, dict) and isinstance(actual, dict):
        yield from member_differences(expected, actual, is_subset, path)
    elif isinstance(expected, list) and isinstance(actual, list):
        if len(expected) != len(actual):
            yield f"{path}: {len(expected)} elements expected, {len(actual)} came"
        for index, pair in enumerate(zip(expected, actual)):
            yield from differences(*pair, is_subset, f"{path}[{index}]")
    elif isinstance(expected, str) and isinstance(actual, str) and "<any>" in expected:
        pattern = ".*".join(re.escape(part) for part in expected.split("<any>"))
        if not re.fullmatch(pattern, actual, re.DOTALL):
            yield f"{path}: {shown(expected)} expected, {shown(actual)} came"
    elif isinstance(expected, bool) != isinstance(actual, bool) or expected != actual:
        yield f"{path}: {shown(expected)} expected, {shown(actual)} came"


def member_differences(expected, actual, is_subset, path):
    for name, value in expected.items():
        here = f"{path}.{name}"
        if value == "<absent>":
            if name in actual:
                yield f"{here}: must be absent, {shown(actual[name])} came"
        elif name not in actual:
            yield f"{here}: is missing, {shown(value)} expected"
        elif name in ("SS", "NS", "BS") and is_set(value) and is_set(actual[name]):
            if sorted(value) != sorted(actual[name]):
                yield f"{here}: {shown(value)} expected, {shown(actual[name])} came"
        else:
            yield from differences(value, actual[name], is_subset, here)
    if not is_subset:
        for name in actual.keys() - expected.keys():
            yield f"{path}.{name}: must be absent, {shown(actual[name])} came"


def kept_name(expected):
    """The name under which "<keep NAME>" keeps a value for later steps, or None."""
    match = re.fullmatch(r"<keep (\w+)>", expected) if isinstance(expected, str) else None
    return match and match.group(1)


def keep(expected, actual, kept):
    """Stores what expected says is to be kept of an answer that is as expected."""
    if kept_name(expected):
        kept[kept_name(expected)] = actual
    elif isinstance(expected, dict):
        for name in expected.keys() & actual.keys():
            keep(expected[name], actual[name], kept)
    elif isinstance(expected, list):
        for pair in zip(expected, actual):
            keep(*pair, kept)


def is_set(value):
    return isinstance(value, list) and all(isinstance(element, str) for element in value)


def shown(value):
    text = json.dumps(value, default=float, ensure_ascii=False)
    return text if len(text) <= 600 else text[:400] + f"… ({len(text)} characters)"


# ---- Reading ----------------------------------------------------------------------------------

STEPS = ("table", "server", "call", "raw", "until", "each", "ok", "ok-like", "fail", "http",
         "status")


def read(path):
    try:
        with open(path, encoding="utf-8") as file:
            lines = file.read().split("\n")
        return Case(path, lines)
    except (ValueError, IndexError) as error:
        raise CaseError(f"{path}: {error}") from error


def expand(text, kept):
    """${text*count} becomes the text repeated, ${NAME} what was kept under this name."""
    text = re.sub(r"\$\{([^*$]+?)\*(\d+)\}", lambda m: m.group(1) * int(m.group(2)), text)
    return re.sub(r"\$\{(\w+)\}",
                  lambda m: str(kept[m.group(1)]) if m.group(1) in kept else m.group(), text)


class Step:
    """One step: its word, the line it stands on, and the text of it and its continuation lines."""

    def __init__(self, number, line, kept):
        self.number = number
        self.kept = kept  # of the whole case
        self.word, _, self.text = line.partition(" ")
        self.marked = []  # the lines of an http step, as (mark, text)

    def words_and_json(self, count):
        """The first words of the text, and the JSON after them, expanded but not parsed."""
        parts = self.text.split(None, count)
        return parts[:count], expand(parts[count], self.kept) if len(parts) > count else None


class Case:
    """A file of steps."""

    def __init__(self, path, lines):
        self.path = path
        if not lines[0].startswith("# "):
            raise CaseError(f"{path}:1: the first line has to say what is claimed")
        self.steps = []
        self.kept = {}
        self.server_flags = []
        for number, line in enumerate(lines, 1):
            self.add_line(number, line)
        self.needs_socket = any(step.word == "http" for step in self.steps)
        if not any(step.word in ("ok", "ok-like", "fail", "status") for step in self.steps):
            raise CaseError(f"{path}: expects nothing")

    def add_line(self, number, line):
        if not line.strip() or line.startswith("#"):
            return
        mark = line[0]
        if mark in "><|=":
            if not self.steps or self.steps[-1].word not in ("http", "status"):
                raise CaseError(f"{self.path}:{number}: '{mark}' belongs to an http step")
            self.steps[-1].marked.append((mark, line[2:]))
        elif mark in " \t}])":
            self.steps[-1].text += "\n" + line.strip()
        else:
            step = Step(number, line, self.kept)
            if step.word not in STEPS:
                raise CaseError(f"{self.path}:{number}: unknown step '{step.word}'")
            if step.word == "server":
                self.server_flags += step.text.split()
            else:
                self.steps.append(step)

    # ---- Playing ------------------------------------------------------------------------------

    def play(self, player):
        steps = iter(self.steps)
        for step in steps:
            try:
                if step.word == "table":
                    create_table(player, step)
                elif step.word == "each":
                    send_each(player, step)
                elif step.word == "http":
                    send_http(player, step, next(steps))
                elif step.word in ("call", "raw", "until"):
                    send(player, step, next(steps))
                else:
                    raise CaseError("answers no request")
            except CaseError as error:
                raise CaseError(f"line {step.number}: {step.word} {step.text[:300]}\n    "
                                f"{error}") from error
            except (ValueError, StopIteration, IndexError, TypeError) as error:
                raise CaseError(f"line {step.number}: malformed: {error!r}") from error


def create_table(player, step):
    name, *keys = step.text.split()
    schema, definitions = [], []
    for role, key in zip(("HASH", "RANGE"), keys):
        attribute, _, kind = key.partition(":")
        schema.append({"AttributeName": attribute, "KeyType": role})
        definitions.append({"AttributeName": attribute, "AttributeType": kind})
    status, body = player.call("CreateTable", json.dumps({
        "TableName": name, "KeySchema": schema, "AttributeDefinitions": definitions,
        "BillingMode": "PAY_PER_REQUEST"}).encode())
    if status != 200:
        raise CaseError(f"the table was not created: {status} {body[:500]!r}")
    description = {"Table": {"TableStatus": "ACTIVE"}}
    repeat_until(player, "DescribeTable", json.dumps({"TableName": name}).encode(),
                 lambda _, body: list(differences(description, parse(body.decode()), True)))


def send_each(player, step):
    (first, last, operation), text = step.words_and_json(3)
    for number in range(int(first), int(last) + 1):
        request = text.replace("${i}", str(number))
        parse(request)
        status, body = player.call(operation, request.encode())
        if status != 200:
            raise CaseError(f"request {number} failed: {status} {body[:500]!r}")


def send(player, step, expectation):
    (operation,), text = step.words_and_json(1)
    if step.word == "raw":
        body = unescape(text or "")
    else:
        parse(text)  # a slip in the case is not a test of the server
        body = text.encode()

    def check(status, answer):
        return list(check_answer(expectation, status, answer))

    if step.word == "until":
        repeat_until(player, operation, body, check)
        return
    problems = check(*player.call(operation, body))
    if problems:
        raise CaseError(f"line {expectation.number}: " + "\n    ".join(problems))


def repeat_until(player, operation, body, check):
    deadline = time.monotonic() + UNTIL_SECONDS
    while True:
        problems = check(*player.call(operation, body))
        if not problems:
            return
        if time.monotonic() > deadline:
            raise CaseError("still, after ten seconds: " + "\n    ".join(map(str, problems)))
        time.sleep(0.01)


def unescape(text):
    return re.sub(rb"\\x([0-9a-f]{2})", lambda m: binascii.unhexlify(m.group(1)), text.encode())


def check_answer(step, status, answer):
    if step.word == "fail":
        yield from check_failure(step, status, answer)
    elif step.word in ("ok", "ok-like"):
        if status != 200:
            yield f"status 200 expected, {status} came with {answer[:1500].decode(errors='replace')}"
            return
        if not step.text:
            if answer:
                yield f"an empty body expected, {answer[:500]!r} came"
            return
        expected = parse(expand(step.text, step.kept))
        yield from compare(expected, answer, step.word == "ok-like", step.kept)
    else:
        raise CaseError(f"line {step.number}: ok, ok-like or fail has to follow")


def compare(expected, answer, is_subset, kept):
    try:
        actual = parse(answer.decode())
    except ValueError as error:
        yield f"the answer is no JSON ({error}): {answer[:1500]!r}"
        return
    problems = list(differences(expected, actual, is_subset))
    yield from problems
    if not problems:
        keep(expected, actual, kept)
    if problems:
        yield f"the whole answer: {answer[:2500].decode(errors='replace')}"


def check_failure(step, status, answer):
    (expected_status, error_type), text = step.words_and_json(2)
    expected = {"__type": qualified(error_type)}
    if text:
        message, end = DECODER.raw_decode(text)
        expected["Message" if error_type in CAPITAL_MESSAGE else "message"] = message
        if text[end:].strip():
            expected.update(parse(text[end:].strip()))
    if status != int(expected_status):
        yield f"status {expected_status} expected, {status} came"
    yield from compare(expected, answer, False, step.kept)


# ---- Requests as they are ---------------------------------------------------------------------


def send_http(player, step, expectation):
    method, path = step.text.split()
    headers = [tuple(text.split(": ", 1)) for mark, text in step.marked if mark == ">"]
    body = b"\n".join(unescape(expand(text, step.kept)) for mark, text in step.marked if mark == "|")
    status, answer_headers, answer = player.http(method, path, headers, body)
    problems = []
    if expectation.word != "status":
        raise CaseError("an http step needs a status step")
    if status != int(expectation.text):
        problems.append(f"status {expectation.text} expected, {status} came")
    for mark, text in expectation.marked:
        if mark == "<":
            problems += header_differences(*text.split(": ", 1), answer_headers, answer)
    texts = [text for mark, text in expectation.marked if mark == "="]
    if texts and unescape("\n".join(texts)) != answer.removesuffix(b"\n"):
        problems.append(f"body {texts!r} expected, {answer[:1500]!r} came")
    if problems:
        raise CaseError("\n    ".join(problems))


def header_differences(name, value, headers, body):
    actual = headers.get(name.lower())
    if value == "<crc32>":
        value = str(binascii.crc32(body))
    if value == "<absent>":
        is_good = actual is None
    elif value == "<any>":
        is_good = actual is not None
    else:
        is_good = actual == value
    return [] if is_good else [f"header {name}: {value} expected, {actual} came"]
