"""The processes of a measurement: the simulator, the storage emulator, the connector and the floor."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RELEASE = ROOT / "target/release"
# The emulator's account and its key, which is public (README of Azurite).
ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


@dataclass
class Ended:
    """What a process cost."""

    cpu: float  # seconds, user and system
    wall: float  # seconds
    peak: int  # bytes of memory
    output: str


# Starts a command and tells what it cost. A child begins as a copy of its parent, whose memory the system counts as the
# child's: so the parent is an interpreter of 9 MB that has loaded nothing.
STARTER = """
import os, sys, time
begun = time.monotonic()
_, status, used = os.wait4(os.posix_spawn(sys.argv[2], sys.argv[2:], os.environ), 0)
figures = (os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime, time.monotonic() - begun, used.ru_maxrss)
os.write(int(sys.argv[1]), repr(figures).encode())
"""


def run(command, environment=None):
    """Runs a command to its end. What it cost is counted by the system, from its start to its end."""
    reading, writing = os.pipe()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
        try:
            subprocess.run(
                [sys.executable, "-ISc", STARTER, str(writing), *command], env=environment, cwd=ROOT, check=True,
                stdin=subprocess.DEVNULL, stdout=out, stderr=errors, pass_fds=[writing],
            )
            code, cpu, wall, peak = ast.literal_eval(os.read(reading, 4096).decode())
        finally:
            os.close(reading)
            os.close(writing)
        out.seek(0)
        errors.seek(0)
        if code != 0:
            said = errors.read().decode(errors="replace")
            raise SystemExit(f"scripts/bench: {command[0]} ended with {code}:\n{said}")
        return Ended(cpu, wall, peak * 1024, out.read().decode())


def cpu_of(pid):
    """The processor time of all threads that a process has, in seconds, to the nanosecond."""
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            total += int((task / "schedstat").read_text().split()[0])
        except FileNotFoundError:  # it just ended
            continue
    return total / 1e9


def peak_of(pid):
    """The most memory that a process has had, in bytes."""
    return int(re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text()).group(1)) * 1024


class Simulator:
    """The Microsoft side, in a process of its own, with a new past. Contents are rendered before it answers."""

    def __init__(self, records, share, per_content, mix, latency_ms=0, gzip=False, files=None):
        command = [RELEASE / "labelstream-simulator", "--bulk", "--hold-contents", "--judge-later", "--forget-rows"]
        command += ["--records", str(records), "--label-share", str(share), "--page-size", "200"]
        command += ["--mix", mix]
        command += ["--records-per-content", str(per_content), "--latency-ms", str(latency_ms)]
        command += [] if gzip else ["--no-gzip"]
        if files is not None:
            command += ["--contents-file", files / "contents", "--posts-file", files / "posts"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT)
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit("scripts/bench: the simulator did not start")
        self.started = json.loads(line)
        self.begun = cpu_of(self.process.pid)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def ask(self, path):
        with urllib.request.urlopen(f"{self.started['address']}/_sim/{path}") as answer:
            return json.load(answer)

    def requests(self):
        return self.ask("requests")["requests"]

    def report(self):
        """What arrived, held against what was published. Any loss or double ends the measurement."""
        report = self.ask("report")
        for what in ("missing", "unexpected", "doubled"):
            if report[what] != 0:
                raise SystemExit(f"scripts/bench: {report[what]} label events are {what}: no figure is worth that")
        return report

    def cost(self):
        """Its processor time since it began to serve, in seconds."""
        return cpu_of(self.process.pid) - self.begun


class Storage:
    """The storage emulator, with blobs in memory. Its log tells the requests."""

    REQUEST = re.compile(r'"([A-Z]+) (\S+) HTTP')

    def __init__(self):
        subprocess.run([ROOT / "scripts/azurite"], check=True)
        command = ["node", "serve.js", "--blobHost", "127.0.0.1", "--blobPort", "0"]
        command += ["--inMemoryPersistence", "--disableTelemetry"]
        self.process = subprocess.Popen(
            command, cwd=ROOT / "tests/azurite", stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for line in self.process.stdout:
            if found := re.search(r"Blob service.* listens on http://127\.0\.0\.1:(\d+)", line):
                self.port = int(found.group(1))
                break
        else:
            raise SystemExit("scripts/bench: the storage emulator did not start")
        self.containers = 0
        self.lines = []
        threading.Thread(target=self._read, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def _read(self):
        for line in self.process.stdout:
            if found := self.REQUEST.search(line):
                self.lines.append(found.groups())

    def settings(self, port=None):
        """The settings of a state that nobody has used, at another port where there is something between."""
        self.containers += 1
        address = f"http://127.0.0.1:{port or self.port}/{ACCOUNT}"
        connection = f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={KEY};BlobEndpoint={address};"
        return {"AzureWebJobsStorage": connection, "STATE_CONTAINER": f"bench{self.containers}"}

    def requests(self, settings):
        """The requests to one state so far, as (method, path). The log comes through a pipe, a moment later."""
        count = -1
        while count != len(self.lines):
            count = len(self.lines)
            time.sleep(0.02)
        container = settings["STATE_CONTAINER"]
        mark = re.compile(rf"/{container}(?=[/?]|$)")
        return [(method, path) for method, path in self.lines if mark.search(path)]


def kind(method, path):
    """A request to the storage without what differs from blob to blob: `PUT contents?comp=appendblock`."""
    blob, _, query = path.partition("?")
    tenant = blob.split("%2F")
    what = tenant[1].split(".")[0] if len(tenant) > 1 else "container"
    comp = re.search(r"comp=\w+", query)
    prefix = re.search(r"prefix=[^&]*?%2F([a-z-]+)", query)
    return f"{method} {prefix.group(1) if prefix else what}{'?' + comp.group() if comp else ''}"


def build():
    """Builds what is measured, as it is released."""
    subprocess.run(["cargo", "build", "--release", "--locked", "--workspace", "--bins"], cwd=ROOT, check=True)


def workspace():
    """A folder for contents and posts, on the disk, where the system keeps it in memory as long as there is room."""
    return tempfile.TemporaryDirectory(prefix="labelstream-bench-")


def need_room(folder, wanted):
    """Ends the measurement where the disk has less than `wanted` bytes."""
    if (free := shutil.disk_usage(folder).free) < wanted:
        place = f"{folder} has room for {free:,} bytes, and {wanted:,} are needed"
        raise SystemExit(f"scripts/bench: {place}; set TMPDIR to another place")
