# SPDX-License-Identifier: Apache-2.0
"""Ratios between the systems, and the table of them.

A row is {"name", "connections", "cells"}: by system, the runs of one operation ({"runs": [{"cpu_us",
"rate", ...}], ...}), or why it has none ({"failure": text}). Runs of one turn belong together, so a
ratio is taken turn by turn; its median and extremes are what the table shows.
"""
import collections
import statistics

OURS, OURS_IN_MEMORY, FLOOR = "stator", "stator-memory", "nginx"
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


def share_of(row, peer, ours=OURS):
    """Our CPU over the peer's."""
    found = ratios(row, ours, peer) if peer else []
    return median(found) if found else None


def above_floor(row, peer, ours=OURS):
    """What of our CPU lies above the floor, over the same of the peer's; None where there is no
    floor, or the peer is at it."""
    cpu = cpu_medians(row)
    if not {peer, ours, FLOOR} <= set(cpu) or cpu[peer] <= cpu[FLOOR]:
        return None
    return (cpu[ours] - cpu[FLOOR]) / (cpu[peer] - cpu[FLOOR])


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


# ---- How far ahead of the best peer ------------------------------------------------------------

SHARE_GOAL, ABOVE_FLOOR_GOAL = 1 / 4, 1 / 10  # of the best peer's CPU

# Of ours with the best of some peers. is_among says of a System whether it is one of them.
Comparison = collections.namedtuple("Comparison", "ours best is_among")
# The first is the goal as it stands, in which a server that syncs every write stands beside those
# that keep nothing. The others compare like with like.
COMPARISONS = (
    Comparison(OURS, "best peer", lambda system: True),
    Comparison(OURS_IN_MEMORY, "best peer in memory", lambda system: not system.on_disk),
    Comparison(OURS, "best durable peer", lambda system: system.is_durable),
)


class Verdict:
    """One row by one comparison; what there is nothing to say about is None."""

    def __init__(self, row, comparison, columns):
        among = {column.name for column in columns if comparison.is_among(column)}
        self.peer = best_peer(row, among)
        self.share = share_of(row, self.peer, comparison.ours)
        self.above = above_floor(row, self.peer, comparison.ours)
        self.floor = floor_share(row, self.peer)

    def is_out_of_reach(self):
        """Whether the floor alone takes more of the peer's CPU than the goal allows."""
        return self.floor is not None and self.floor > SHARE_GOAL

    def cells(self):
        if self.share is None:
            return ["", "", ""]
        share = verdict(self.share, SHARE_GOAL)
        if self.share > SHARE_GOAL and self.is_out_of_reach():
            share += f", floor {self.floor:.2f}"
        return [self.peer, share, verdict(self.above, ABOVE_FLOOR_GOAL)]


def verdict(value, goal):
    return "" if value is None else f"{value:.2f} {'met' if value <= goal else 'NOT MET'}"


def verdicts(rows, columns):
    """By comparison, one of each row that can be compared so; without those that none can."""
    found = {comparison: [each for each in (Verdict(row, comparison, columns) for row in rows)
                          if each.share is not None] for comparison in COMPARISONS}
    return {comparison: each for comparison, each in found.items() if each}


def counted(judged):
    """How many meet their goals: of CPU, those that cannot whoever serves them, and of CPU above
    the floor, each with how many there are."""
    shares = [each.share <= SHARE_GOAL for each in judged]
    hopeless = [each.is_out_of_reach() for each in judged if each.share > SHARE_GOAL]
    above = [each.above <= ABOVE_FLOOR_GOAL for each in judged if each.above is not None]
    return (sum(shares), len(shares)), sum(hopeless), (sum(above), len(above))


def of_best(rows, columns):
    """How far ahead of the best peers, row by row, and the number of goals that are met."""
    comparisons = verdicts(rows, columns)
    if not comparisons:
        return ""
    cells = [["Operation", *(text for each in comparisons for text in (
        each.best, f"{each.ours} over it, goal {SHARE_GOAL:g}",
        f"above the floor, goal {ABOVE_FLOOR_GOAL:g}"))]]
    for row in rows:
        line = [text for each in comparisons for text in Verdict(row, each, columns).cells()]
        if any(line):
            cells.append([row["name"], *line])
    return (aligned(cells) + "\n\n" + of_counts(comparisons) + "\n\n"
            "Where a floor is given, nginx alone takes that much of the peer's CPU, more than the "
            "goal: it is out of reach.")


def of_counts(comparisons):
    cells = [["Goals met", f"at most {SHARE_GOAL:g} of its CPU", "not met and out of reach",
              f"at most {ABOVE_FLOOR_GOAL:g} of its CPU above the floor"]]
    for comparison, judged in comparisons.items():
        shares, hopeless, above = counted(judged)
        cells.append([f"{comparison.ours} with the {comparison.best}",
                      f"{shares[0]} of {shares[1]}", str(hopeless), f"{above[0]} of {above[1]}"])
    return aligned(cells)


# ---- As text -----------------------------------------------------------------------------------


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
    """Tables below each other, as one would be too wide: over Stator, over the floor, and ours
    over the best peers."""
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
    return (f"# Stator and its peers\n\nTables: CPU of one request, median of the turns "
            f"(least-most): microseconds, then ratios;{ALONE} where a system is so slow that it was "
            f"sent one request at a time. Each server on one core.\n\n{head}\n\nDurability "
            f"differs:\n\n{kinds}\n\n{tables}\n"
            + (f"\n## What peers did not do\n\n{reasons}\n" if reasons else ""))
