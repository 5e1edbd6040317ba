"""What is measured: whole runs, the floor, idle ticks, starts."""

import collections
import json
import socket
import statistics
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from link import Link
from processes import RELEASE, ROOT, Simulator, cpu_of, kind, need_room, peak_of, run, workspace

CONNECTOR = RELEASE / "labelstream"
# Where requests of the simulator are counted under.
FEED = ("start", "stop", "subscriptions", "list", "retrieve")
CONTENT_TYPES = 3
# The simulator's mixes of records: a company's, and the one in which 100,000 records have 94 MB.
COMPANY, PUBLISHED = "company", "published"


@dataclass
class Volume:
    """What is in the feed."""

    records: int
    share: float
    per_content: int
    mix: str  # the simulator's: what records there are
    latency_ms: int = 0
    gzip: bool = False


@dataclass
class Measured:
    """One run of the connector, from its start to its end."""

    cpu: float
    wall: float
    peak: int
    simulator_cpu: float
    simulator_peak: int  # bytes
    requests: dict  # of the simulator, by endpoint
    storage: collections.Counter  # requests to the storage, by kind
    report: dict

    def feed_requests(self):
        return sum(self.requests.get(name, 0) for name in FEED)

    def all_requests(self):
        return sum(self.requests.values()) + self.storage.total()


def environment(simulator, settings):
    return {**simulator.started["environment"], **settings}


def whole(volume, storage, files=None):
    """Runs `labelstream pull` once, from nothing, with its state in the storage emulator."""
    simulator = Simulator(
        volume.records, volume.share, volume.per_content, volume.mix, volume.latency_ms, volume.gzip, files
    )
    with simulator, Link(storage.port, volume.latency_ms) as link:
        settings = storage.settings(link.port if volume.latency_ms else None)
        ended = run([CONNECTOR, "pull"], environment(simulator, settings))
        cost = simulator.cost()
        requests = simulator.requests()["by_endpoint"]
        stored = collections.Counter(kind(*request) for request in storage.requests(settings))
        report = simulator.report()
        memory = peak_of(simulator.process.pid)
        return Measured(ended.cpu, ended.wall, ended.peak, cost, memory, requests, stored, report)


def median(measured, what):
    return statistics.median(what(one) for one in measured)


def several(volume, storage, times):
    """The same run several times, each from a fresh state and a fresh feed."""
    return [whole(volume, storage) for _ in range(times)]


@dataclass
class Beside:
    """Runs of the connector and of the floor on the same data."""

    runs: list
    floor: float  # processor seconds, the median
    floors: list  # those of each run
    feed: int  # bytes of the contents


def beside_the_floor(volume, storage, times):
    """Runs of the connector and of the floor, in turn, on the same data.

    The floor's contents are those of a run before the others, and its rows are what that run posted.
    """
    with workspace() as folder:
        folder = Path(folder)
        # In the mix with the longer ones a record has 1,260 bytes and a row 1,750.
        need_room(folder, int(volume.records * (1_400 + 2_000 * volume.share)))
        first = whole(volume, storage, folder)
        # There is a content on each line.
        feed = (folder / "contents").stat().st_size - first.report["published_contents"]
        floor = [RELEASE / "labelstream-floor", folder / "contents", folder / "posts"]
        runs, floors = [], []
        for _ in range(times):
            runs.append(whole(volume, storage))
            ended = run(floor)
            did = json.loads(ended.output)
            totals = first.report
            expected = {
                "records": totals["published_records"],
                "label_events": totals["published_deliveries"],
                "posts": totals["posts"],
                "json_bytes": totals["json_bytes"],
                "wire_bytes": totals["wire_bytes"],
            }
            if did != expected:
                raise SystemExit(f"scripts/bench: the floor did {did}, the connector {expected}")
            floors.append(ended.cpu)
        return Beside(runs, statistics.median(floors), floors, feed)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Handler:
    """The connector as the Functions host starts it."""

    TIMER = (ROOT / "tests/samples/host/timer-later.http").read_bytes()

    def __init__(self, settings):
        self.port = free_port()
        port = {"FUNCTIONS_CUSTOMHANDLER_PORT": str(self.port), "FUNCTIONS_APP_ROOT_PATH": str(ROOT)}
        self.clock = time.time()
        self.begun = time.monotonic()
        self.process = subprocess.Popen(
            [CONNECTOR], env={**settings, **port}, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, cwd=ROOT,
        )
        while not (answer := self._try(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")):
            if self.process.poll() is not None:
                raise SystemExit("scripts/bench: the handler ended")
            time.sleep(0.000_2)
        self.ready = time.monotonic() - self.begun
        self._expect(answer)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def tick(self):
        """Fires the timer with a request that a real host sent, and waits for the end of the run."""
        self._expect(self._try(self.TIMER))

    def _try(self, request):
        """The first bytes of the answer, which has its status; nothing where nobody listens yet."""
        try:
            with socket.create_connection(("127.0.0.1", self.port)) as connection:
                connection.sendall(request)
                return connection.recv(4096)
        except ConnectionRefusedError:
            return b""

    def _expect(self, answer):
        if not answer.startswith(b"HTTP/1.1 200"):
            raise SystemExit(f"scripts/bench: the handler answered {answer[:200]!r}")


def idle(storage, times):
    """Ticks with nothing new: processor seconds and requests of each in a process that runs on, and of a new process.

    Returns (seconds by tick, requests by tick, seconds of new processes, what the storage was asked in the last tick).
    """
    with Simulator(10_000, 0.4, 100, PUBLISHED) as simulator:
        settings = storage.settings()
        everything = environment(simulator, settings)
        with Handler(everything) as handler:
            handler.tick()
            seconds, asked, stored = [], [], []
            for _ in range(times):
                feed, before = counted(simulator), len(storage.requests(settings))
                cpu = cpu_of(handler.process.pid)
                handler.tick()
                time.sleep(0.05)  # what follows the answer is of the tick too
                seconds.append(cpu_of(handler.process.pid) - cpu)
                stored = storage.requests(settings)[before:]
                asked.append(counted(simulator) - feed + len(stored))
        fresh = [run([CONNECTOR, "pull"], everything).cpu for _ in range(times)]
        simulator.report()
        return seconds, asked, fresh, stored


def counted(simulator):
    requests = simulator.requests()["by_endpoint"]
    return sum(requests.get(name, 0) for name in FEED)


def starts(storage, times):
    """Seconds from the start of the process to the answer of `GET /`, and to the first request for a content, where the
    timer fires as soon as that answer is there."""
    ready, first = [], []
    for _ in range(times):
        with Simulator(100, 0.4, 100, PUBLISHED) as simulator:
            with Handler(environment(simulator, storage.settings())) as handler:
                ready.append(handler.ready)
                handler.tick()
                first.append(simulator.requests()["first_calls"]["retrieve"] / 1e6 - handler.clock)
    return ready, first
