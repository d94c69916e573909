# SPDX-License-Identifier: Apache-2.0
"""What the benchmarks compute: ratios, shares, keys, and the chart's text."""
import collections
import functools
import json
import os
import sys
import time
import xml.etree.ElementTree

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), os.pardir, os.pardir, "bench"))

import chart  # noqa: E402
import load  # noqa: E402
import stand  # noqa: E402
import systems  # noqa: E402
import table  # noqa: E402
import workload  # noqa: E402

MACHINE = {"time": "2026-01-02T03:04:05", "cpu": "A & B <C>", "cores": 2, "memory_gb": 1.0,
           "kernel": "6", "wrk": "wrk 4", "stator": "stator 1"}


def row(name="GetItem", **cpu):
    """By system, the CPU of each turn."""
    return {"name": name, "connections": 1, "cells": {
        system.replace("_", "-"): {"runs": [{"cpu_us": each} for each in turns]}
        for system, turns in cpu.items()}}


def test_a_ratio_is_taken_turn_by_turn():
    found = table.ratios(row(stator=[10, 20, 30], moto=[20, 60, 60]), "moto", "stator")
    assert found == [2, 3, 2]


def test_a_system_without_runs_has_no_ratio():
    assert table.ratios(row(stator=[10]), "moto", "stator") == []
    assert table.ratios(row(stator=[10], moto=[]), "moto", "stator") == []


def test_neither_stator_nor_the_floor_is_the_best_peer():
    assert table.best_peer(row(stator=[1], stator_memory=[1], nginx=[1], moto=[9], dynalite=[5])) \
        == "dynalite"
    assert table.best_peer(row(stator=[1], nginx=[1])) is None


def test_the_best_may_be_sought_among_some():
    found = row(stator=[1], moto=[9], dynalite=[5])
    assert table.best_peer(found, {"moto"}) == "moto"
    assert table.best_peer(found, {"dynoxide-disk"}) is None


def test_the_share_of_a_peer_is_of_its_cpu():
    found = row(stator=[10, 20], nginx=[6, 6], dynalite=[40, 80])
    assert table.share_of(found, "dynalite") == 1 / 4
    assert table.share_of(found, None) is None


def test_the_share_above_the_floor_leaves_the_floor_out_of_both():
    assert table.above_floor(row(stator=[10], nginx=[6], dynalite=[46]), "dynalite") == 4 / 40
    assert table.above_floor(row(stator=[10], dynalite=[46]), "dynalite") is None


def test_a_peer_at_the_floor_is_not_divided_by():
    assert table.above_floor(row(stator=[10], nginx=[6], dynalite=[6]), "dynalite") is None


def test_a_goal_is_met_up_to_and_with_its_limit():
    assert table.verdict(0.25, 0.25) == "0.25 met"
    assert table.verdict(0.26, 0.25) == "0.26 NOT MET"
    assert table.verdict(None, 0.25) == ""


def named(*names):
    return [system for system in systems.SYSTEMS if system.name in names]


COLUMNS = named("stator", "stator-memory", "dynoxide", "dynoxide-disk", "dynalite-disk")


def judged(**cpu):
    """What each comparison says of one row: the peer, and our share of its CPU."""
    found = table.verdicts([row(**cpu)], COLUMNS)
    return [(each.ours, verdict.peer, verdict.share)
            for each, verdicts in found.items() for verdict in verdicts]


def test_like_is_compared_with_like_besides_the_best_of_all():
    assert judged(stator=[30], stator_memory=[20], nginx=[9], dynoxide=[80], dynoxide_disk=[300],
                  dynalite_disk=[60]) == [
        ("stator", "dynalite-disk", 30 / 60), ("stator-memory", "dynoxide", 20 / 80),
        ("stator", "dynoxide-disk", 30 / 300)]


def test_a_comparison_that_no_row_has_is_left_out():
    assert judged(stator=[30], dynoxide=[80]) == [("stator", "dynoxide", 30 / 80)]
    assert judged(stator=[30], nginx=[9]) == []
    assert table.of_best([row(stator=[30], nginx=[9])], COLUMNS) == ""


def test_a_goal_is_out_of_reach_where_the_floor_alone_exceeds_it():
    rows = [row("far", stator=[20], nginx=[10], dynoxide=[39]),
            row("near", stator=[20], nginx=[10], dynoxide=[41]),
            row("met", stator=[10], nginx=[10], dynoxide=[400])]
    text = table.of_best(rows, COLUMNS).splitlines()
    assert "0.51 NOT MET, floor 0.26" in text[2]
    assert "0.49 NOT MET " in text[3] and "floor" not in text[3]
    assert "0.03 met " in text[4]
    assert table.counted(next(iter(table.verdicts(rows, COLUMNS).values()))) == ((1, 3), 1, (1, 3))


def test_durable_is_who_syncs_before_the_answer():
    durable = {system.name for system in systems.SYSTEMS if system.is_durable}
    assert durable == {"stator", "dynamodb-local-disk", "dynoxide-disk"}


def test_what_a_peer_cannot_do_is_said_and_is_no_number():
    failed = row(stator=[10], moto=[])
    failed["cells"]["moto"].update(failure="UnknownOperation", word=table.NOT_SUPPORTED)
    columns = [systems.OURS, systems.SYSTEMS[-1]]
    text = table.page(MACHINE, {"operations": [failed]}, columns)
    assert f"| {table.NOT_SUPPORTED} " in text
    assert "GetItem, moto not supported: UnknownOperation" in text


def test_what_was_sent_one_request_at_a_time_is_marked():
    slow = row(stator=[10], moto=[900])
    assert table.cell(slow, "moto", "stator") == "90.0 (90.0-90.0)"
    slow["cells"]["moto"]["is_alone"] = True
    assert table.cell(slow, "moto", "stator") == "90.0 (90.0-90.0)" + table.ALONE


def test_all_lines_of_a_table_are_equally_long():
    text = table.of_rows([row(stator=[1], nginx=[2], moto=[3000]), row("Q", stator=[10.5])],
                         [systems.OURS, systems.SYSTEMS[-1]])
    for part in text.split("\n\n"):
        assert not part.startswith("|") or len({len(line) for line in part.splitlines()}) == 1


@pytest.mark.parametrize("count", (10, 1000, 10_000_000))
def test_zipf_ranks_stay_below_the_count(count):
    assert load.zipf_rank(count, 0) == 0
    assert load.zipf_rank(count, 1 - 1e-16) == count - 1
    assert load.zipf_rank(count, 1) == count - 1


def test_zipf_keys_fall_off_with_their_rank():
    counts = collections.Counter(load.zipf_keys(1000, 1 << 16)).most_common()
    # The integral of 1/x from 1 to 2 over that from 1 to 1001 is a tenth, nearly.
    assert 0.08 < counts[0][1] / (1 << 16) < 0.12
    # From rank 0 to rank 9: log(2) over log(11/10).
    assert 6 < counts[0][1] / counts[9][1] < 9


def test_scattered_ranks_do_not_meet():
    for count in (10, 1000, 10_000):
        assert len({load.scattered(rank, count) for rank in range(count)}) == count


def test_keys_in_bodies_are_as_long_as_their_marks():
    request = workload.put_load()
    bodies = list(request.samples(3, first=41))
    assert [len(body) for body in bodies] == [len(request.body)] * 3
    assert '"000000000043"' in bodies[2]


def test_loads_of_one_name_never_send_the_same_key():
    class Server:
        sequences = {}
    puts, batches = workload.put_load("puts"), workload.batch_work("puts").load
    puts.sent(Server, 7)
    assert batches.first(Server) == 7
    batches.sent(Server, 2)
    assert puts.first(Server) == 7 + 2 * load.BATCH


@pytest.mark.parametrize("size", (100, 1000, 100_000))
def test_a_sized_item_has_that_size(size):
    item = workload.sized_item("0" * load.WIDTH, size)
    assert sum(map(len, item)) + load.WIDTH + 2 + len(item["note"]["S"]) == size


def size_of(item):
    """By DynamoDB's formula, of items whose numbers have up to 2 digits or 6."""
    value = {"S": len, "N": lambda number: 2 if len(number) <= 2 else 4, "BOOL": lambda _: 1}
    return sum(len(name) + value[kind](text) for name, typed in item.items()
               for kind, text in typed.items())


def test_a_mark_changes_an_item_but_not_its_size():
    plain, marked = (workload.item_of("0" * load.WIDTH, mark)
                     for mark in (workload.UNMARKED, f"{7:012}"))
    assert size_of(plain) == size_of(marked) == workload.ITEM_BYTES
    assert plain != marked
    assert workload.is_whole(plain) and workload.is_whole(marked)


def test_an_item_with_another_difference_is_not_whole():
    item = workload.item_of("0" * load.WIDTH, f"{7:012}")
    assert not workload.is_whole({**item, "age": {"N": "37"}})
    assert not workload.is_whole({**item, "note": {"S": item["note"]["S"][:-1]}})


def test_writing_over_items_never_sends_the_same_item_twice():
    class Server:
        sequences = {}
    request, sent = workload.overwrite_load(1), []
    for _ in range(2):
        sent += request.samples(5, request.first(Server))
        request.sent(Server, 5)
    assert len(set(sent)) == 10


class Store:
    """What load.py takes for a server and for a connection to it. Of writes it does those that
    it is told to."""

    pid = os.getpid()
    port = 1
    has_items = True

    def __init__(self, count, writes):
        self.items = {f"{key:012}": workload.item_of(f"{key:012}") for key in range(count)}
        self.sequences = {}
        self.writes = writes

    def __call__(self, _):
        return self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def call(self, _, **members):
        return {"Item": self.items[members["Key"]["id"]["S"]]}

    def call_raw(self, _, body):
        item = json.loads(body)["Item"]
        if self.writes:
            self.items[item["id"]["S"]] = item
        return b"{}"


@pytest.mark.parametrize("writes", (True, False))
def test_a_write_that_changes_nothing_is_noticed_before_a_run(monkeypatch, writes):
    store = Store(10, writes)
    monkeypatch.setattr(load, "Client", store)
    look = functools.partial(workload.overwrite_load(10).try_out, store, workload.is_done)
    if writes:
        assert look().count == load.SAMPLES
    else:
        with pytest.raises(load.Failure, match="is read where"):
            look()


@pytest.mark.parametrize("is_zipf", (False, True))
@pytest.mark.parametrize("writes", (True, False))
def test_a_run_that_changes_nothing_is_noticed(monkeypatch, writes, is_zipf):
    store, request = Store(1000, writes), workload.overwrite_load(1000)
    request.is_zipf = is_zipf
    monkeypatch.setattr(load, "Client", store)
    keys = load.zipf_keys(1000)[:1000] if is_zipf else range(0, 1000, 2)
    for mark, key in enumerate(keys):
        store.call_raw("PutItem", json.dumps({
            "Item": workload.item_of(f"{key:012}", f"{mark:012}")}))
    request.sent(store, len(keys))
    if writes:
        request.expect_changed(store, 0, {"requests": len(keys)})
    else:
        with pytest.raises(load.Failure, match="are changed"):
            request.expect_changed(store, 0, {"requests": len(keys)})


WORK = "import time; time.sleep({before}); sum(range({work})); print(); time.sleep(60)"


@pytest.mark.parametrize("before, work, most", ((0, 10**7, 20), (60, 0, 2)))
def test_what_is_waited_for_is_what_a_process_does_and_no_longer(before, work, most):
    with stand.spawn([sys.executable, "-c", WORK.format(before=before, work=work)],
                     stdout=stand.subprocess.PIPE) as process:
        started = time.monotonic()
        used = stand.wait_until_quiet(process.pid, 60, 0.3)
        took = time.monotonic() - started
        try:
            if work:
                assert process.stdout.read(1) and used >= 0.05
            assert took < most
        finally:
            process.kill()


def test_nobody_is_waited_for_without_end():
    with stand.spawn([sys.executable, "-c", "while True: pass"]) as process:
        try:
            started = time.monotonic()
            stand.wait_until_quiet(process.pid, 0.3, 0.1)
            assert 0.3 <= time.monotonic() - started < 5
        finally:
            process.kill()


def test_a_long_body_is_put_together_from_variables():
    body = "{'" + "x" * 3 * systems.NGINX_TEXT_MAX
    text = systems.nginx_server(body, 1)
    assert "${part0}${part1}${part2}${part3}" in text
    assert "set $part0 '{\\'xxx" in text


def test_a_chart_is_well_formed_whatever_names_say():
    rows = [row("Query <10> & more", stator=[10, 11], nginx=[6, 7], moto=[900, 1100])]
    text = chart.of_groups(MACHINE, {"operations": rows}, systems.SYSTEMS)
    words = "".join(xml.etree.ElementTree.fromstring(text).itertext())
    assert "Query <10> & more" in words and "A & B <C>" in words


def test_a_chart_has_a_mark_for_each_median_where_the_axis_says():
    axis = chart.Axis([0.5, 100])
    assert axis.at(10) - axis.at(1) == pytest.approx(axis.at(100) - axis.at(10))
    assert chart.LEFT <= axis.at(0.5) < axis.at(100) <= chart.WIDTH - chart.RIGHT
