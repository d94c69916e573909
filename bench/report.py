# SPDX-License-Identifier: Apache-2.0
"""Says what was measured and keeps it: figures as lines, as JSON, and as a table and a chart."""
import json
import os
import platform
import statistics
import time

import chart
import stand
import systems
import table


class Report:
    """What one run of bench/run found."""

    def __init__(self, settings, columns, missing):
        self.machine = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
            "cpu": cpu_name(),
            "cores": len(os.sched_getaffinity(0)),
            "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
            "kernel": platform.release(),
            "load_average": os.getloadavg()[0],
            "nginx": stand.version_of(systems.nginx_binary() or "nginx", "-v"),
            "wrk": " ".join(stand.version_of("wrk", "-v").split()[:2]),
            "redis": stand.version_of(systems.REDIS, "--version"),
            **{each.family: each.version() for each in columns},
            "absent": ", ".join(missing) or "nothing",
            "seconds_each": settings.seconds,
            "rounds": settings.rounds,
        }
        self.is_small = settings.small
        self.columns = columns
        self.figures = {}
        self.comparisons = {}  # by name, the rows of a table, see table.py
        self.texts = {}        # by name, what was printed of a figure
        for name, value in self.machine.items():
            print(f"{name:18}{value}")

    def title(self, name, text, **parameters):
        self.figures[name] = self.current = {"parameters": parameters}
        described = ", ".join(f"{k.replace('_', ' ')} {v}" for k, v in parameters.items())
        self.texts[name] = self.printed = {"title": text, "parameters": described, "lines": [],
                                           "goals": []}
        print(f"\n== {text}\n   {described}")

    def line(self, label, text, **values):
        self.current[label] = values
        self.printed["lines"].append(f"{label.strip()}: {text}")
        print(f"   {label:34}{text}", flush=True)

    def rounds(self, label, rounds, **more):
        """Several runs of one load as one line."""
        cpu, rate = [r["cpu_us"] for r in rounds], [r["rate"] for r in rounds]
        self.line(label, f"{spread(cpu)} us CPU, {median(rate):,.0f}/s, "
                  f"p50 {median([r['p50_us'] for r in rounds]):,.0f} us, "
                  f"p99 {median([r['p99_us'] for r in rounds]):,.0f} us"
                  + "".join(f", {k.replace('_', ' ')} {v}" for k, v in more.items()),
                  runs=rounds, **more)

    def goal(self, what, value, unit, limit, is_most=True):
        """A figure beside what it ought to be. Small runs are too short to be judged."""
        met = value <= limit if is_most else value >= limit
        word = "not judged" if self.is_small else "met" if met else "NOT MET"
        self.current.setdefault("goals", {})[what] = {"value": value, "goal": limit, "met": met}
        text = (f"{what}: {value:.2f}{unit}, goal at {'most' if is_most else 'least'} "
                f"{limit:g}{unit}: {word}")
        self.printed["goals"].append(text)
        print(f"   -> {text}", flush=True)

    def compare(self, name, rows):
        """Rows of all systems: printed as a table now, drawn as a chart at the end."""
        self.comparisons[name] = self.figures[name]["rows"] = rows
        print("\n" + table.of_rows(rows, self.columns))

    def save(self):
        folder = os.path.join(stand.ROOT, "bench", "results")
        os.makedirs(folder, exist_ok=True)
        # Small ones tell nothing: the last is kept, to see that all of this works.
        stem = "small" if self.is_small else time.strftime("%Y%m%d-%H%M%S")
        files = {".json": json.dumps({"machine": self.machine, "figures": self.figures}, indent=1),
                 ".md": table.page(self.machine, self.comparisons, self.columns)
                 + "".join(map(self.section, self.texts))}
        if self.comparisons:
            files[".svg"] = chart.of_groups(self.machine, self.comparisons, self.columns)
        print()
        for ending, text in files.items():
            with open(os.path.join(folder, stem + ending), "w", encoding="utf-8") as file:
                file.write(text)
            print(f"bench/results/{stem}{ending}")


    def section(self, name):
        """One figure's lines as Markdown; where there is a table of it, what is not in there."""
        printed = self.texts[name]
        rows = {f"{row['name']}:" for row in self.comparisons.get(name, ())}
        lines = [line for line in printed["lines"]
                 if not any(line.startswith(row) for row in rows)]
        lines += [f"**{goal}**" for goal in printed["goals"]]
        return (f"\n## {printed['title']}\n\n{printed['parameters']}\n\n"
                + "".join(f"- {line}\n" for line in lines))


def cpu_name():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        names = [line.partition(":")[2].strip() for line in file if line.startswith("model name")]
    return names[0] if names else platform.machine()


def spread(values, digits=2):
    """Median and extremes."""
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f}-{max(values):.{digits}f})"


def median(values):
    return statistics.median(values)
