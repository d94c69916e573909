# SPDX-License-Identifier: Apache-2.0
"""The server as an HTTP server: what lies around the JSON, and what a hostile client sends."""
import binascii
import gzip
import http.client
import json
import socket
import threading
import time

import pytest

from conftest import definition
from server import SLOWNESS, signed_headers

MEGABYTE = 1024 * 1024


def put_body(name, value_length, filler="x"):
    return json.dumps({"TableName": name, "Item": {"id": {"S": "a"},
                                                   "v": {"S": filler * value_length}}}).encode()


def test_health_names_the_host_it_was_asked_by(connection):
    status, headers, body = connection.request("GET", headers={"Host": "stator.example:8000"})
    assert (status, body) == (200, b"healthy: stator.example:8000 ")
    assert headers["x-amz-crc32"] == str(binascii.crc32(body))


def test_every_answer_has_its_headers(connection):
    seen = set()
    for _ in range(20):
        status, headers, body = connection.raw_call("ListTables", b"{}")
        assert status == 200
        assert headers["content-type"] == "application/x-amz-json-1.0"
        assert headers["x-amz-crc32"] == str(binascii.crc32(body))
        assert len(headers["x-amzn-requestid"]) == 52
        assert int(headers["content-length"]) == len(body)
        assert "date" in headers
        seen.add(headers["x-amzn-requestid"])
    assert len(seen) == 20


def test_large_answers_are_compressed_for_those_who_accept_it(connection, table):
    name = table("id:S")
    assert connection.raw_call("PutItem", put_body(name, 100_000))[0] == 200
    get = json.dumps({"TableName": name, "Key": {"id": {"S": "a"}}}).encode()
    status, headers, body = connection.raw_call("GetItem", get, {"Accept-Encoding": "gzip"})
    assert status == 200 and headers["content-encoding"] == "gzip"
    # The checksum is that of the bytes as sent.
    assert headers["x-amz-crc32"] == str(binascii.crc32(body))
    assert len(json.loads(gzip.decompress(body))["Item"]["v"]["S"]) == 100_000
    status, headers, body = connection.raw_call("GetItem", get, {"Accept-Encoding": "gzip;q=0"})
    assert "content-encoding" not in headers and len(body) > 100_000
    status, headers, body = connection.raw_call("GetItem", get)
    assert "content-encoding" not in headers and len(body) > 100_000


def test_compressed_requests_are_read(connection, table):
    name = table("id:S")
    body = gzip.compress(put_body(name, 50_000))
    status, _, answer = connection.raw_call("PutItem", body, {"Content-Encoding": "gzip"})
    assert (status, answer) == (200, b"{}")
    item = connection.must("GetItem", {"TableName": name, "Key": {"id": {"S": "a"}}})["Item"]
    assert len(item["v"]["S"]) == 50_000


@pytest.mark.parametrize("body", [
    b"", b"not gzip at all", gzip.compress(b'{"TableName": "a"}')[:-9], gzip.compress(b"{") + b"x",
])
def test_damaged_compressed_requests_are_refused(connection, body):
    status, _, _ = connection.raw_call("ListTables", body, {"Content-Encoding": "gzip"})
    assert status == 400
    assert connection.raw_call("ListTables", b"{}")[0] == 200


def test_a_request_that_inflates_beyond_the_limit_is_refused(connection):
    body = gzip.compress(b" " * (100 * MEGABYTE))
    status, _, _ = connection.raw_call("ListTables", body, {"Content-Encoding": "gzip"})
    assert status == 413


def test_a_body_beyond_16_megabytes_is_refused(server):
    with server.connection() as connection:
        body = b'{"Limit": 1}' + b" " * (16 * MEGABYTE - 12)
        assert connection.raw_call("ListTables", body)[0] == 200
    with server.connection() as connection:
        try:
            status, _, answer = connection.raw_call("ListTables", body + b" ")
            assert (status, answer) == (413, b"")
        except (BrokenPipeError, ConnectionResetError):
            pytest.fail("the server closed the connection before the client could read why")


def test_a_body_beyond_16_megabytes_is_refused_when_chunked(server):
    with server.connection() as connection:
        headers = signed_headers("ListTables", b"", server.port)
        chunks = (b" " * MEGABYTE for _ in range(18))
        try:
            connection.http.request("POST", "/", chunks, headers, encode_chunked=True)
            status = connection.http.getresponse().status
        except (BrokenPipeError, ConnectionResetError):
            status = 413  # closed while we were still sending, which is its right
        assert status == 413
    with server.connection() as connection:
        assert connection.raw_call("ListTables", b"{}")[0] == 200


def test_chunked_bodies_are_read(server):
    with server.connection() as connection:
        headers = signed_headers("ListTables", b"{}", server.port)
        connection.http.request("POST", "/", iter([b"{", b"}"]), headers, encode_chunked=True)
        response = connection.http.getresponse()
        assert response.status == 200 and "TableNames" in json.loads(response.read())


def test_cross_origin_pages_may_ask(connection):
    status, headers, _ = connection.request("OPTIONS", headers={
        "Origin": "https://app.example", "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "x-amz-target"})
    assert status == 200
    assert headers["access-control-allow-origin"] == "*"
    assert headers["access-control-max-age"] == "172800"
    _, headers, _ = connection.raw_call("ListTables", b"{}", {"Origin": "https://app.example"})
    assert headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize("body", [
    b"", b"{", b"[]", b"null", b'{"a":}', b"\xff\xfe", b'{"TableName": "\xff"}', b'{"a": 1e}',
    b'{"a": 01}', b"{'a': 1}", b'{"a": "\n"}', b'{"a": "\\x"}', b"[" * 100_000, b'{"a":' * 100_000,
    b'{"TableName": "a"', b"{}{}", b'{"a": "\\ud800"', b"\xef\xbb\xbf{}x",
])
def test_malformed_json_is_told(connection, body):
    status, headers, answer = connection.raw_call("GetItem", body)
    assert status == 400
    error = json.loads(answer)
    assert error["__type"] == "com.amazon.coral.service#SerializationException", error
    assert headers["x-amz-crc32"] == str(binascii.crc32(answer))


def test_unknown_operations_are_told(connection):
    for target in ("DynamoDB_20120810.Nothing", "DynamoDB_20120810.", "Other_20120810.GetItem", "",
                   "DynamoDB_20120810.GetItem.x", "x" * 4000):
        status, _, answer = connection.raw_call("GetItem", b"{}", {"x-amz-target": target})
        assert status == 400
        assert json.loads(answer) == {"__type": "com.amazon.coral.service#UnknownOperationException"}


def exchange(port, data, pieces=None):
    """Sends raw bytes, whole or in pieces, and returns everything until the server closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        for piece in pieces or [data]:
            connection.sendall(piece)
        answer = b""
        while True:
            try:
                part = connection.recv(65536)
            except ConnectionResetError:
                return answer
            if not part:
                return answer
            answer += part


def raw_request(port, operation, body, close=True):
    headers = signed_headers(operation, body, port)
    headers["content-length"] = str(len(body))
    if close:
        headers["connection"] = "close"
    head = "POST / HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in headers.items()) + "\r\n"
    return head.encode() + body


def test_a_request_may_come_byte_by_byte(server):
    data = raw_request(server.port, "ListTables", b"{}")
    pieces = [data[i:i + 1] for i in range(len(data))]
    assert exchange(server.port, None, pieces).startswith(b"HTTP/1.1 200")


def test_requests_may_be_pipelined(server):
    data = raw_request(server.port, "ListTables", b"{}", close=False) * 9
    answer = exchange(server.port, data + raw_request(server.port, "ListTables", b"{}"))
    assert answer.count(b"HTTP/1.1 200") == 10


@pytest.mark.parametrize("data", [
    b"\r\n\r\n", b"nonsense\r\n\r\n", b"GET\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"POST / HTTP/1.1\r\nContent-Length: -1\r\nConnection: close\r\n\r\n",
    b"POST / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\nConnection: close\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\nzz\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 200_000 + b"\r\n\r\n",
    b"GET /" + b"x" * 200_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
])
def test_nonsense_does_no_harm(server, data):
    # An unfinished request may be waited for; what counts is that others are served meanwhile.
    with socket.create_connection(("127.0.0.1", server.port), timeout=0.5) as connection:
        try:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65536):
                pass
        except OSError:
            pass  # thrown out, which is what it deserves
    with server.connection() as connection:
        assert connection.raw_call("ListTables", b"{}")[0] == 200


def test_a_client_that_leaves_in_the_middle_does_no_harm(server):
    data = raw_request(server.port, "ListTables", b"{}")
    for length in range(0, len(data), 37):
        with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
            connection.sendall(data[:length])
    with server.connection() as connection:
        assert connection.raw_call("ListTables", b"{}")[0] == 200


def test_stopping_is_quick_with_idle_connections(new_server):
    # The best of three: a busy machine may delay one of them.
    assert min(seconds_to_stop(new_server()) for _ in range(3)) < 1 * SLOWNESS


def seconds_to_stop(running):
    connections = [running.connection() for _ in range(50)]
    for connection in connections:
        assert connection.raw_call("ListTables", b"{}")[0] == 200
    seconds = running.stop()
    for connection in connections:
        connection.http.close()
    return seconds


def test_stopping_answers_what_was_asked(new_server, tmp_path):
    """Every request that the server began is answered, and what it acknowledged is there."""
    running = new_server(tmp_path / "data")
    with running.connection() as connection:
        connection.must("CreateTable", definition("Things", "id:S"))
    acknowledged = []
    threads = [threading.Thread(target=put_until_refused, args=(running, acknowledged, n))
               for n in range(8)]
    for thread in threads:
        thread.start()
    time.sleep(0.3)
    running.stop()
    for thread in threads:
        thread.join()
    assert len(acknowledged) > 8
    running.start()
    with running.connection() as connection:
        for key in acknowledged:
            answer = connection.must("GetItem", {"TableName": "Things", "Key": {"id": {"S": key}}})
            assert answer == {"Item": {"id": {"S": key}}}


def put_until_refused(running, acknowledged, number):
    with running.connection() as connection:
        for index in range(1_000_000):
            key = f"{number}-{index}"
            try:
                status, _ = connection.call("PutItem", {"TableName": "Things",
                                                        "Item": {"id": {"S": key}}})
            except (OSError, http.client.HTTPException):
                return  # closed: what was not acknowledged is not promised
            if status == 200:
                acknowledged.append(key)
