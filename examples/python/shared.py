# SPDX-License-Identifier: Apache-2.0
"""What every example shares: connections, a table that lives as long as the example, and checks."""

import os
import sys
import uuid
from contextlib import contextmanager
from pathlib import Path

import boto3
from botocore.exceptions import ClientError

# boto3 signs every request, so it needs credentials even where nobody checks them.
if "AWS_ACCESS_KEY_ID" not in os.environ:
    os.environ["AWS_ACCESS_KEY_ID"] = "local"
    os.environ["AWS_SECRET_ACCESS_KEY"] = "local"

SKIPPED = 77  # The exit code of an example whose data is not there.


def connect():
    """A connection of its own. It speaks plain Python values, with Decimal for numbers."""
    return boto3.resource(
        "dynamodb",
        region_name="us-east-1",
        endpoint_url=os.environ.get("AWS_ENDPOINT_URL_DYNAMODB") or "http://127.0.0.1:8000",
    )


def attributes(**types):
    """attributes(PK="S", at="N"): the AttributeDefinitions of a table."""
    return [{"AttributeName": name, "AttributeType": kind} for name, kind in types.items()]


def key(partition, sort=None):
    """key("PK", "SK"): the KeySchema of a table or an index; the sort key is optional."""
    schema = [{"AttributeName": partition, "KeyType": "HASH"}]
    if sort:
        schema.append({"AttributeName": sort, "KeyType": "RANGE"})
    return schema


@contextmanager
def temporary_table(name, **definition):
    """A table that is ACTIVE inside the with block and deleted after it, whatever happens.

    Its name ends in random characters, so that examples may run side by side.
    """
    name = f"{name}-{uuid.uuid4().hex[:8]}"
    definition = {"BillingMode": "PAY_PER_REQUEST", **definition}
    table = connect().create_table(TableName=name, **definition)
    try:
        wait_until("table_exists", table)
        yield table
    finally:
        table.delete()
        wait_until("table_not_exists", table)


def wait_until(state, table):
    waiter = table.meta.client.get_waiter(state)
    waiter.wait(TableName=table.name, WaiterConfig={"Delay": 0.2, "MaxAttempts": 300})


def query_all(table, **query):
    """All items of a Query, however many pages it takes."""
    paginator = table.meta.client.get_paginator("query")
    pages = paginator.paginate(TableName=table.name, **query)
    return [item for page in pages for item in page["Items"]]


def check(claim, actual, expected):
    """Says what holds, or ends the example saying what does not."""
    if actual != expected:
        sys.exit(f"not so: {claim}\nexpected: {expected!r}\n  actual: {actual!r}")
    print(f"ok: {claim}")


def check_fails(claim, code, function, *arguments):
    """Checks that a call fails with the named error, whose response it returns."""
    try:
        function(*arguments)
    except ClientError as error:
        check(claim, error.response["Error"]["Code"], code)
        return error.response
    sys.exit(f"not so: {claim}\nexpected: {code}\n  actual: no error")


def shared_data(name):
    """The path of a data file that does not belong to the repository; without it, skip."""
    beside = Path(__file__).resolve().parents[3] / "shared" / "data"
    path = Path(os.environ.get("STATOR_SHARED") or beside) / name
    if not path.exists():
        print(f"skipped: {path} is not there (STATOR_SHARED can name another folder)")
        sys.exit(SKIPPED)
    return path
