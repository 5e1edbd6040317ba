"""Tables of what was measured, and their places in docs/performance.md."""

import os
import platform
import re
import subprocess
from datetime import date
from pathlib import Path

from processes import ROOT
from runs import median

PAGE = ROOT / "docs/performance.md"
MIB = 1024 * 1024


def table(heads, rows):
    """Markdown; all columns but the first hold figures."""
    lines = [heads, ["---"] + ["--:"] * (len(heads) - 1), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def number(value):
    return f"{value:,}"


def mib(value):
    return f"{value / MIB:.0f}"


def mb(value):
    return f"{value / 1e6:.1f}"


def whole_row(name, beside):
    """One line of a table of whole runs."""
    runs, some = beside.runs, beside.runs[0]
    totals = some.report
    cpu = median(runs, lambda run: run.cpu)
    return [
        name,
        mb(beside.feed),
        number(totals["rows"]),
        f"{cpu:.2f}",
        f"{cpu / beside.floor:.2f}",
        f"{median(runs, lambda run: run.wall):.2f}",
        mib(median(runs, lambda run: run.peak)),
        number(some.feed_requests()),
        number(some.requests.get("ingest", 0)),
        number(some.storage.total()),
        mb(totals["json_bytes"]),
        f"{mb(totals['wire_bytes'])} ({100 * totals['wire_bytes'] / totals['json_bytes']:.1f} %)",
        f"{median(runs, lambda run: run.simulator_cpu):.2f}",
        len(runs),
    ]


WHOLE = [
    "", "feed MB", "rows", "CPU s", "× floor", "wall s", "peak MiB", "feed requests", "posts", "storage requests",
    "rows' JSON MB", "on the wire MB", "simulator CPU s", "runs",
]


def git(*arguments):
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


def machine():
    """One sentence on where this was measured."""
    info = Path("/proc/cpuinfo").read_text()
    processor = re.search(r"model name\s*: (.*)", info)
    name = processor.group(1) if processor else platform.machine()
    memory = int(re.search(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text()).group(1)) / MIB
    rust = subprocess.run(["rustc", "--version"], capture_output=True, text=True, check=True).stdout.split()[1]
    commit = git("rev-parse", "--short", "HEAD")
    if git("status", "--porcelain", "--", ".", ":!docs", ":!*.md"):
        commit += " with changes"
    return (
        f"Measured on {date.today()} at {commit}: {os.cpu_count()} processors ({name}), {memory:.0f} GiB, "
        f"Linux {platform.release().split('-')[0]}, Rust {rust}."
    )


def write(name, text):
    """Puts a text between the marks of this name in the page."""
    page = PAGE.read_text()
    begin, end = f"<!-- bench:{name} -->", f"<!-- /bench:{name} -->"
    if page.count(begin) != 1 or page.count(end) != 1:
        raise SystemExit(f"scripts/bench: {PAGE.name} must have {begin} and {end} once each")
    head, rest = page.split(begin)
    PAGE.write_text(f"{head}{begin}\n{text}\n{end}{rest.split(end)[1]}")
