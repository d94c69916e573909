# SPDX-License-Identifier: Apache-2.0
"""A chart of rows (see table.py) as SVG that can be read on its own: one line of dots an operation,
on a logarithmic axis of CPU over Stator's."""
import math

from table import FAILED, FLOOR, NOT_SUPPORTED, OURS, cpu_medians, digits, median, ratios

WIDTH, LEFT, RIGHT = 1120, 300, 40
ROW, HEAD, LEGEND_ROW = 26, 108, 20
LEGEND_COLUMNS = 2
# Colours that the colour-blind can tell apart (Okabe and Ito's); shapes tell disk from memory.
COLOURS = {"stator": "#000000", "nginx": "#999999", "dynamodb-local": "#d55e00",
           "dynoxide": "#0072b2", "dynalite": "#009e73", "moto": "#cc79a7"}
OTHER_COLOUR = "#e69f00"
STYLE = """
text { font-family: Helvetica, Arial, sans-serif; font-size: 12px; fill: #222 }
.title { font-size: 18px; font-weight: bold }
.heading { font-size: 13px; font-weight: bold }
.small { font-size: 11px; fill: #555 }
.grid { stroke: #ddd; stroke-width: 1 }
.minor { stroke: #f0f0f0; stroke-width: 1 }
.one { stroke: #000; stroke-width: 1.5 }
.spread { stroke-width: 2; opacity: 0.45 }
"""


def escaped(text):
    for plain, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;")):
        text = str(text).replace(plain, entity)
    return text


class Axis:
    """From a ratio to a place, by its logarithm."""

    def __init__(self, values):
        low, high = min(values, default=1), max(values, default=1)
        self.low = math.floor(math.log10(min(low, 0.5)) * 10) / 10
        self.high = math.ceil(math.log10(max(high, 2)) * 10) / 10

    def at(self, value):
        share = (math.log10(value) - self.low) / (self.high - self.low)
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def ticks(self):
        """1, 2 and 5 of each decade that is in sight, and whether each deserves a number."""
        for decade in range(math.floor(self.low), math.ceil(self.high) + 1):
            for step in range(1, 10):
                value = step * 10.0 ** decade
                if self.low <= math.log10(value) <= self.high:
                    yield value, step in (1, 2, 5)


def text_at(x, y, text, anchor="start", kind=""):
    return (f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
            + (f' class="{kind}"' if kind else "") + f">{escaped(text)}</text>")


def line_at(x1, y1, x2, y2, kind):
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" {kind}/>'


def colour_of(name):
    return COLOURS.get(name.removesuffix("-disk").removesuffix("-memory"), OTHER_COLOUR)


def mark(name, x, y):
    """A square for what is on a disk, a circle for what is in memory, a bar for the floor."""
    colour = colour_of(name)
    if name == FLOOR:
        return f'<rect x="{x - 1.5:.1f}" y="{y - 8:.1f}" width="3" height="16" fill="{colour}"/>'
    if name.endswith("-disk") or name == OURS:
        return f'<rect x="{x - 4.5:.1f}" y="{y - 4.5:.1f}" width="9" height="9" fill="{colour}"/>'
    return (f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4.2" fill="#fff" stroke="{colour}" '
            'stroke-width="2.4"/>')


def of_groups(machine, groups, columns):
    """groups: rows by what they vary; each begins with that as a heading."""
    rows = [row for each in groups.values() for row in each]
    durability = {FLOOR: "answers the same bytes from memory: the floor of HTTP on this machine",
                  **{column.name: column.durability for column in columns}}
    names = [name for name in durability if any(ratios(row, name, OURS) for row in rows)]
    axis = Axis([value for row in rows for name in names for value in ratios(row, name, OURS)])
    bottom = HEAD + ROW * (len(rows) + len(groups))
    legend = bottom + 56
    height = legend + LEGEND_ROW * math.ceil(len(names) / LEGEND_COLUMNS) + 48
    title = "Stator beside other servers of the DynamoDB API: CPU of one request"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'width="{WIDTH}" height="{height}" role="img">',
        f"<title>{escaped(title)}</title>", f"<style>{STYLE}</style>",
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
        text_at(20, 32, title, kind="title"),
        text_at(20, 54, "User and system time of the server for each request, over Stator's for the "
                "same request. To the right costs more; each step is a factor."),
        text_at(20, 72, "Marks are medians of the turns, bars reach from least to most. In the "
                "labels: Stator's CPU in microseconds. Squares keep data on disk, rings in memory.",
                kind="small"),
        *grid(axis, bottom), *groups_of(groups, names, axis),
        *legend_of(names, durability, legend), *foot_of(machine, height), "</svg>"]
    return "\n".join(parts) + "\n"


def groups_of(groups, names, axis):
    y = HEAD - ROW / 2
    for heading, rows in groups.items():
        y += ROW
        yield text_at(LEFT - 12, y + 5, heading[0].upper() + heading[1:], "end", "heading")
        for row in rows:
            y += ROW
            yield from row_of(row, names, axis, y)


def grid(axis, bottom):
    for value, is_major in axis.ticks():
        x = axis.at(value)
        kind = "one" if value == 1 else "grid" if is_major else "minor"
        yield line_at(x, HEAD - 6, x, bottom, f'class="{kind}"')
        if is_major:
            label = f"{value:g}×"
            yield text_at(x, HEAD - 12, label, "middle", "small")
            yield text_at(x, bottom + 16, label, "middle", "small")
    yield text_at((LEFT + WIDTH - RIGHT) / 2, bottom + 34,
                  "CPU per request over Stator's (logarithmic)", "middle")


def row_of(row, names, axis, y):
    cpu = cpu_medians(row)
    label = f"{row['name']} · {digits(cpu[OURS])} µs"
    yield text_at(LEFT - 12, y + 4, label, "end")
    yield line_at(LEFT, y, WIDTH - RIGHT, y, 'class="minor"')
    for name in names:
        values = sorted(ratios(row, name, OURS))
        if values:
            yield line_at(axis.at(values[0]), y, axis.at(values[-1]), y,
                          f'class="spread" stroke="{colour_of(name)}"')
    for name in names:
        values = sorted(ratios(row, name, OURS))
        if values:
            middle = median(values)
            yield (f"<g><title>{escaped(name)}: {digits(middle)} × Stator, "
                   f"{digits(cpu[name])} µs</title>{mark(name, axis.at(middle), y)}</g>")
    for word in (NOT_SUPPORTED, FAILED):
        missing = [name for name, cell in row["cells"].items() if cell.get("word") == word]
        if missing:
            yield text_at(WIDTH - RIGHT, y + 4, f"{word}: {', '.join(missing)}", "end", "small")


def legend_of(names, durability, top):
    width = (WIDTH - 40) / LEGEND_COLUMNS
    for number, name in enumerate(names):
        x = 28 + width * (number % LEGEND_COLUMNS)
        y = top + LEGEND_ROW * (number // LEGEND_COLUMNS)
        yield mark(name, x, y)
        yield text_at(x + 14, y + 4, f"{name}: {durability[name]}")


def foot_of(machine, height):
    versions = [machine[name] for name in ("stator", "nginx", *COLOURS) if name in machine]
    yield text_at(20, height - 32, f"{machine['time'][:10]}, {machine['cpu']}, {machine['cores']} "
                  f"cores, {machine['memory_gb']} GB, Linux {machine['kernel']}, {machine['wrk']}. "
                  "Server on one core, load on another.", kind="small")
    yield text_at(20, height - 16, "; ".join(dict.fromkeys(versions)), kind="small")
