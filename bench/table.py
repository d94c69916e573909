# SPDX-License-Identifier: Apache-2.0
"""Ratios between the systems, and the table of them.

A row is {"name", "connections", "cells"}: by system, the runs of one operation ({"runs": [{"cpu_us",
"rate", ...}], ...}), or why it has none ({"failure": text}). Runs of one turn belong together, so a
ratio is taken turn by turn; its median and extremes are what the table shows.
"""
import statistics

OURS, FLOOR = "stator", "nginx"
NOT_SUPPORTED, FAILED = "not supported", "failed"  # before a run, and in it
ALONE = " *"  # behind what was sent one request at a time


def median(values):
    return statistics.median(values)


def cpus(row, name):
    return [run["cpu_us"] for run in row["cells"].get(name, {}).get("runs", [])]


def cpu_medians(row):
    """By system, of those that have runs."""
    return {name: median(cpus(row, name)) for name in row["cells"] if cpus(row, name)}


def ratios(row, name, over):
    """Of each turn's CPU; none when one of them did not do this operation."""
    return [a / b for a, b in zip(cpus(row, name), cpus(row, over)) if b > 0]


def over_floor(row):
    return ratios(row, OURS, FLOOR)


def best_peer(row, among=None):
    """The system, other than ours, that takes least CPU; None if there is none."""
    peers = {name: cpu for name, cpu in cpu_medians(row).items()
             if name != FLOOR and not name.startswith(OURS) and (among is None or name in among)}
    return min(peers, key=peers.get) if peers else None


def share_of(row, peer):
    """Our CPU over the peer's."""
    return median(ratios(row, OURS, peer)) if peer else None


def above_floor(row, peer):
    """What of our CPU lies above the floor, over the same of the peer's; None where there is no
    floor, or the peer is at it."""
    cpu = cpu_medians(row)
    if peer is None or FLOOR not in cpu or cpu[peer] <= cpu[FLOOR]:
        return None
    return (cpu[OURS] - cpu[FLOOR]) / (cpu[peer] - cpu[FLOOR])


def floor_share(row, peer):
    """The floor over the peer's: less than this is not to be had by any server."""
    found = ratios(row, FLOOR, peer) if peer else []
    return median(found) if found else None


# ---- As text ----------------------------------------------------------------------------------


def digits(value):
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:,.0f}"


def spread(values):
    """Median and, in brackets, extremes."""
    return f"{digits(median(values))} ({digits(min(values))}-{digits(max(values))})"


def cell(row, name, over):
    if "failure" in row["cells"].get(name, {}):
        return row["cells"][name]["word"]
    values = ratios(row, name, over)
    mark = ALONE if row["cells"].get(name, {}).get("is_alone") else ""
    return spread(values) + mark if values else ""


SHARE_GOAL, ABOVE_FLOOR_GOAL = 1 / 4, 1 / 10  # of the best peer's CPU


def verdict(value, goal):
    return "" if value is None else f"{value:.2f} {'met' if value <= goal else 'NOT MET'}"


def of_best(rows, columns):
    """How far ahead of the best peer, and of the best that keeps its writes as Stator does."""
    durable = {column.name for column in columns if column.is_durable}
    cells = [["Operation", "best peer", f"CPU over its, goal {SHARE_GOAL:g}",
              f"above the floor, goal {ABOVE_FLOOR_GOAL:g}", "nginx over its", "best durable peer",
              f"CPU over its, goal {SHARE_GOAL:g}", f"above the floor, goal {ABOVE_FLOOR_GOAL:g}"]]
    for row in rows:
        best, kept = best_peer(row), best_peer(row, durable)
        if best is None:
            continue
        floor = floor_share(row, best)
        cells.append([row["name"], best, verdict(share_of(row, best), SHARE_GOAL),
                      verdict(above_floor(row, best), ABOVE_FLOOR_GOAL),
                      "" if floor is None else f"{floor:.2f}", kept or "",
                      verdict(share_of(row, kept), SHARE_GOAL),
                      verdict(above_floor(row, kept), ABOVE_FLOOR_GOAL)])
    return aligned(cells) if len(cells) > 1 else ""


def present(rows, columns):
    """The systems that these rows are about, ours first."""
    return [column.name for column in columns if any(column.name in row["cells"] for row in rows)]


def header(names):
    return ["Operation", "stator, us", "nginx, us", *(f"{name} / stator" for name in names[1:]),
            *(f"{name} / nginx" for name in names)]


def lines(rows, names):
    for row in rows:
        floor = cpus(row, FLOOR)
        yield [row["name"], spread(cpus(row, OURS)), spread(floor) if floor else "",
               *(cell(row, name, OURS) for name in names[1:]),
               *(cell(row, name, FLOOR) for name in names)]


def aligned(cells):
    """Markdown that can be read as it is."""
    widths = [max(len(line[at]) for line in cells) for at in range(len(cells[0]))]
    rule = ["-" * width for width in widths]
    return "\n".join("| " + " | ".join(text.ljust(width) for text, width in zip(line, widths)) + " |"
                     for line in [cells[0], rule, *cells[1:]])


def of_rows(rows, columns):
    """Tables below each other, as one would be too wide: over Stator, over the floor, and Stator
    over the best peer."""
    names = present(rows, columns)
    cells = [header(names), *lines(rows, names)]
    middle = 3 + len(names) - 1
    return (aligned([line[:middle] for line in cells]) + "\n\n"
            + aligned([line[:1] + line[middle:] for line in cells])
            + "\n\n" + of_best(rows, columns)).rstrip()


def page(machine, groups, columns):
    """All tables, with what one has to know to read them. groups: rows by what they vary."""
    head = "\n".join(f"- {name.replace('_', ' ')}: {value}" for name, value in machine.items())
    kinds = "\n".join(f"- {column.name}: {column.durability}" for column in columns)
    reasons = "\n".join(f"- {row['name']}, {name} {each['word']}: {each['failure'][:200]}"
                        for rows in groups.values() for row in rows
                        for name, each in row["cells"].items() if "failure" in each)
    tables = "\n\n".join(f"## By {name}\n\n{of_rows(rows, columns)}"
                         for name, rows in groups.items())
    return (f"# Stator and its peers: CPU of one request\n\nMedian of the turns (least-most): "
            f"microseconds, then ratios;{ALONE} where a system is so slow that it was sent one request "
            f"at a time. Each server on one core.\n\n{head}\n\nDurability "
            f"differs:\n\n{kinds}\n\n{tables}\n"
            + (f"\n## What peers did not do\n\n{reasons}\n" if reasons else ""))
