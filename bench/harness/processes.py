"""Starting and ending children, and reading what they cost from /proc."""

import os
import signal
import socket
import subprocess
import time
from dataclasses import dataclass


class RunFailed(Exception):
    """A proxy that did not start, ended, or lost a process in a run."""


@dataclass(frozen=True)
class Cpu:
    """CPU time of all processes and threads of a proxy: exact in total, sampled in its split."""

    total_ns: int
    user_ticks: int
    system_ticks: int
    pids: frozenset

    def since(self, earlier):
        """(user, system) nanoseconds since `earlier`.

        The scheduler's own count (schedstat) gives the total to the nanosecond; the kernel splits user from system
        time only by looking once a tick, so the ticks give the ratio and nothing else.
        """
        if self.pids != earlier.pids:
            raise RunFailed(f"the proxy's processes changed: {sorted(earlier.pids)} -> {sorted(self.pids)}")
        total = self.total_ns - earlier.total_ns
        user = self.user_ticks - earlier.user_ticks
        system = self.system_ticks - earlier.system_ticks
        share = user / (user + system) if user + system else 0.0
        return total * share, total * (1 - share)


def cpu_of_threads(pid):
    """Nanoseconds on a CPU, over all living threads of a process."""
    total = 0
    for thread in os.listdir(f"/proc/{pid}/task"):
        try:
            with open(f"/proc/{pid}/task/{thread}/schedstat") as file:
                total += int(file.read().split()[0])
        except FileNotFoundError:
            pass  # a thread that ended between the two looks
    return total


def stat_fields(pid):
    """The fields of /proc/PID/stat from the third (state) on: the name before it may hold anything."""
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rpartition(")")[2].split()


class Child:
    """A process that we started, in a session of its own, with whatever it starts in turn."""

    def __init__(self, command, directory, cores, stdout=None):
        self.log_path = os.path.join(directory, f"log-{time.monotonic_ns()}")
        before = os.sched_getaffinity(0)
        # A child inherits the cores; a `taskset` in between would add an exec to the start-up time.
        os.sched_setaffinity(0, cores)
        try:
            with open(self.log_path, "wb") as log:
                self.started = time.perf_counter()
                self.process = subprocess.Popen(
                    command, cwd=directory, stdin=subprocess.PIPE, stdout=stdout or log, stderr=log,
                    start_new_session=True)
        finally:
            os.sched_setaffinity(0, before)
        self.pid, self.directory = self.process.pid, directory

    def pids(self):
        """All living processes of the session."""
        found = []
        for name in os.listdir("/proc"):
            if not name.isdigit():
                continue
            try:
                fields = stat_fields(name)
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(fields[3]) == self.pid and fields[0] != "Z":
                found.append(int(name))
        return found

    def cpu(self):
        pids = self.pids()
        stats = [stat_fields(pid) for pid in pids]
        return Cpu(
            sum(cpu_of_threads(pid) for pid in pids), sum(int(s[11]) for s in stats), sum(int(s[12]) for s in stats),
            frozenset(pids))

    def memory(self):
        """Bytes: {"pss", "rss", "private"} over all processes."""
        sums = {"pss": 0, "rss": 0, "private": 0}
        for pid in self.pids():
            with open(f"/proc/{pid}/smaps_rollup") as file:
                for line in file:
                    name, _, rest = line.partition(":")
                    key = {"Pss": "pss", "Rss": "rss", "Private_Clean": "private", "Private_Dirty": "private"}.get(name)
                    if key:
                        sums[key] += int(rest.split()[0]) * 1024
        return sums

    def log(self):
        with open(self.log_path, errors="replace") as file:
            return file.read()[-3000:]

    def alive(self):
        return self.process.poll() is None

    def end(self):
        """Ends every process of the session and waits until they are gone."""
        self._signal(signal.SIGTERM)
        deadline = time.monotonic() + 2
        while time.monotonic() < deadline and (self.alive() or self.pids()):
            time.sleep(0.01)
        self._signal(signal.SIGKILL)
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            if stream:
                stream.close()

    def _signal(self, number):
        self.process.poll()
        for pid in self.pids():  # only members of the session that this child leads
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass


class Children:
    """Everything that was started and has not been ended yet; ends it all on the way out."""

    def __init__(self):
        self.children = []

    def start(self, *arguments, **options):
        child = Child(*arguments, **options)
        self.children.append(child)
        return child

    def end(self, child):
        child.end()
        self.children.remove(child)

    def __enter__(self):
        def leave(number, _):
            raise SystemExit(128 + number)

        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, leave)
        return self

    def __exit__(self, *_):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)  # a second Ctrl-C must not leave half of them behind
        for child in list(self.children):
            self.end(child)


def free_port():
    """A port of 127.0.0.1 that the kernel says is free, for proxies that want a number."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
