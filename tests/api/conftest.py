# SPDX-License-Identifier: Apache-2.0
"""Fixtures: a server in memory for all tests, servers on disk for those that stop them, tables."""
import itertools
import os
import random

import pytest

from server import BINARY, Server

counter = itertools.count(1)


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: takes many seconds; left out under sanitizers")
    config.addinivalue_line("markers", "concurrency: many threads at once; also run under TSan")


def pytest_sessionstart():
    if not os.access(BINARY, os.X_OK):
        pytest.exit(f"there is no {BINARY}: build it first", returncode=1)


@pytest.fixture(scope="session")
def shared_server():
    running = Server().start()
    yield running
    running.end()


@pytest.fixture
def server(shared_server):
    """One server in memory, shared by all tests that do not stop it.

    The test that brings it down fails; those after it get it back.
    """
    if shared_server.process.poll() is not None:
        shared_server.start()
    yield shared_server
    assert shared_server.process.poll() is None, f"it ended: {shared_server.printed()}"


@pytest.fixture
def new_server():
    """A function that makes further servers: new_server(data, flags). They end with the test."""
    made = []

    def make(data=None, flags=(), **options):
        made.append(Server(data, flags, **options))
        return made[-1].start()

    yield make
    for running in made:
        running.end()


@pytest.fixture
def disk_server(new_server, tmp_path):
    """A server on a directory of its own; it may be stopped, killed and started again."""
    return new_server(tmp_path / "data")


@pytest.fixture(scope="session")
def shared_client(shared_server):
    return shared_server.client()


@pytest.fixture
def dynamodb(server, shared_client):
    """A boto3 client of the shared server; errors surface at once."""
    return shared_client


@pytest.fixture
def connection(server):
    with server.connection() as made:
        yield made


@pytest.fixture
def table(dynamodb):
    """A function that makes tables of unique names: table("id:S", "n:N", **more) -> name."""
    made = []

    def make(*keys, client=dynamodb, **more):
        name = f"table-{next(counter)}"
        client.create_table(**definition(name, *keys, **more))
        if client is dynamodb:
            made.append(name)
        return name

    yield make
    for name in made:
        dynamodb.delete_table(TableName=name)


def definition(name, *keys, indexes=(), local=(), **more):
    """The CreateTable request of a table. An index is (name, keys..., projection type)."""
    attributes = {}

    def schema(parts):
        roles = []
        for role, part in zip(("HASH", "RANGE"), parts):
            attribute, _, kind = part.partition(":")
            attributes.setdefault(attribute, kind or "S")
            roles.append({"AttributeName": attribute, "KeyType": role})
        return roles

    def described(index):
        index_name, *parts, projection = index
        return {"IndexName": index_name, "KeySchema": schema(parts),
                "Projection": {"ProjectionType": projection}}

    request = {"TableName": name, "KeySchema": schema(keys), "BillingMode": "PAY_PER_REQUEST"}
    if indexes:
        request["GlobalSecondaryIndexes"] = [described(index) for index in indexes]
    if local:
        request["LocalSecondaryIndexes"] = [described(index) for index in local]
    request["AttributeDefinitions"] = [{"AttributeName": attribute, "AttributeType": kind}
                                       for attribute, kind in attributes.items()]
    return {**request, **more}


@pytest.fixture
def seed():
    """A random generator whose seed is printed when the test fails."""
    value = int(os.environ.get("STATOR_SEED") or random.SystemRandom().randrange(2**32))
    print(f"STATOR_SEED={value}")
    return random.Random(value)
