"""Starts the real program, listens to what it logs, and makes sure that it ends."""
import json
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import textwrap
import threading
import time

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.environ.get("SLUICE_BIN", str(REPOSITORY / ".build/debug/sluice"))
# The kernel kills the child when the test process dies, so nothing is left over whatever happens to pytest.
_TIED = ["setpriv", "--pdeathsig", "KILL", "--"]


def parse_address(text):
    """"127.0.0.1:80", "[::1]:80", "unix:/path" or "unix:@abstract" as the socket module wants it."""
    if text.startswith("unix:@"):
        return "\0" + text[6:]
    if text.startswith("unix:"):
        return text[5:]
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)


def run_cli(*args, input=None, env=None, seconds=30, cwd=None):
    """Runs the program to its end; returns the completed process with text output."""
    return subprocess.run([*_TIED, BINARY, *args], input=input, capture_output=True, text=True, timeout=seconds,
                          env={**os.environ, **(env or {})}, cwd=cwd)


class Lines:
    """The lines of a pipe, read by a thread as they come."""

    def __init__(self, pipe):
        self.lines, self.ended = [], False
        self._change = threading.Condition()
        self._thread = threading.Thread(target=self._read, args=(pipe,), daemon=True)
        self._thread.start()

    def _read(self, pipe):
        for line in pipe:
            with self._change:
                self.lines.append(line.rstrip("\n"))
                self._change.notify_all()
        with self._change:
            self.ended = True
            self._change.notify_all()
        pipe.close()

    def wait(self, wanted, seconds=5.0, since=0):
        """The first line from index `since` on for which `wanted(line)` is true; None when time or output ends."""
        found = None

        def look():
            nonlocal found
            found = next((line for line in self.lines[since:] if wanted(line)), None)
            return found is not None or self.ended

        with self._change:
            self._change.wait_for(look, seconds)
        return found

    def join(self):
        self._thread.join(5)


class Sluice:
    """A running proxy with a configuration file of its own.

    `config` is the text, or a dictionary that becomes JSON. `fd_limit` sets RLIMIT_NOFILE; `args` are added to `sluice run -c FILE --log-format json`; `command` replaces
    the whole command line after the program's name.
    """

    def __init__(self, config=None, args=(), command=None, env=None, fd_limit=None, wait=True, started_in=None):
        self.directory = tempfile.TemporaryDirectory(prefix="sluice-wire-")
        self.path = pathlib.Path(self.directory.name)
        self.config_file = self.path / "sluice.yaml"
        if config is not None:
            self.write(config)
        command = command or ["run", "-c", str(self.config_file), "--log-format", "json", *args]
        limit = ["prlimit", f"--nofile={fd_limit}", "--"] if fd_limit else []
        self.process = subprocess.Popen([*_TIED, *limit, BINARY, *command], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace",
                                        env={**os.environ, **(env or {})}, cwd=started_in or self.directory.name)
        self.stdout, self.stderr = Lines(self.process.stdout), Lines(self.process.stderr)
        self.stopped_by_test = False
        if wait:
            self.wait_ready()

    def write(self, config):
        """Replaces the configuration file, as an editor does: a new file is renamed over the old one."""
        fresh = self.path / "sluice.yaml.new"
        fresh.write_text(textwrap.dedent(config) if isinstance(config, str) else json.dumps(config, indent=1))
        fresh.rename(self.config_file)

    def wait_ready(self, seconds=20.0):
        line = self.stderr.wait(lambda line: self._entry(line).get("message") == "ready", seconds)
        if line is None:
            self.kill()
            raise AssertionError("sluice did not become ready:\n" + self.log_text())

    @staticmethod
    def _entry(line):
        try:
            entry = json.loads(line)
        except ValueError:
            return {}
        return entry if isinstance(entry, dict) else {}

    @property
    def pid(self):
        return self.process.pid

    @property
    def log(self):
        """All log entries so far."""
        return [entry for entry in map(self._entry, list(self.stderr.lines)) if entry]

    def log_text(self):
        return "\n".join(self.stderr.lines)

    def addresses(self, listener, since=0):
        """The real addresses of a listener, in the order they were bound."""
        entries = map(self._entry, list(self.stderr.lines)[since:])
        return [parse_address(e["address"]) for e in entries
                if e.get("message") == "listening" and e.get("listener") == listener]

    def address(self, listener="inbound", since=0):
        found = self.addresses(listener, since)
        assert found, f"no listening line for {listener}:\n{self.log_text()}"
        return found[-1]

    def mark(self):
        """A place in the log, for `since`."""
        return len(self.stderr.lines)

    def wait_log(self, message, seconds=5.0, since=0, **fields):
        """Waits for a log line whose message matches the regular expression `message` and whose fields are equal."""
        def wanted(line):
            entry = self._entry(line)
            return re.search(message, entry.get("message", "")) and all(entry.get(k) == v for k, v in fields.items())
        line = self.stderr.wait(wanted, seconds, since)
        assert line is not None, f"no log line {message!r} {fields}; the log:\n{self.log_text()}"
        return self._entry(line)

    def wait_stdout(self, pattern, seconds=5.0, since=0):
        """Waits for a line on standard output that matches the regular expression `pattern`."""
        line = self.stdout.wait(lambda line: re.search(pattern, line), seconds, since)
        assert line is not None, f"no line {pattern!r} on stdout: {self.stdout.lines}"
        return line

    def signal(self, number):
        self.process.send_signal(number)

    def reload(self, config=None, expect="reloaded"):
        """Replaces the configuration, sends SIGHUP and waits for the log line that tells the outcome."""
        if config is not None:
            self.write(config)
        since = self.mark()
        self.signal(signal.SIGHUP)
        return self.wait_log(expect, since=since)

    def wait_exit(self, seconds=10.0):
        """The exit status; the test takes over the end of the process."""
        self.stopped_by_test = True
        status = self.process.wait(seconds)
        self.stdout.join()
        self.stderr.join()
        return status

    def stop(self, seconds=10.0):
        """SIGTERM, and the exit status must be 0."""
        self.signal(signal.SIGTERM)
        assert self.wait_exit(seconds) == 0, self.log_text()

    def kill(self):
        self.stopped_by_test = True
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def finish(self):
        """Ends the process; it must still have been alive unless the test stopped it."""
        died = self.process.poll()
        stopped = self.stopped_by_test
        self.kill()
        self.stdout.join()
        self.stderr.join()
        self.directory.cleanup()
        assert stopped or died is None, f"sluice died with status {died}:\n{self.log_text()}"

    def memory(self):
        """Proportional set size in KiB."""
        text = pathlib.Path(f"/proc/{self.pid}/smaps_rollup").read_text()
        return int(re.search(r"^Pss:\s+(\d+)", text, re.M)[1])

    def heap(self):
        """Resident memory that belongs to no file, in KiB: unlike `memory` it does not depend on other processes."""
        text = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(r"^RssAnon:\s+(\d+)", text, re.M)[1])

    def reset_peak(self):
        """Begins to watch for the highest resident memory; returns what is resident now, in KiB."""
        pathlib.Path(f"/proc/{self.pid}/clear_refs").write_text("5")
        return self.peak()

    def peak(self):
        """The most that was resident since `reset_peak`, in KiB."""
        text = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(r"^VmHWM:\s+(\d+)", text, re.M)[1])

    def state(self):
        """The letter that the kernel gives for what the process does: T is stopped."""
        return pathlib.Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0]

    def fds(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def wait_fds(self, condition, seconds=5.0):
        """Waits until `condition(number of open descriptors)` holds; the kernel tells no other way."""
        end = time.monotonic() + seconds
        while not condition(count := self.fds()):
            assert time.monotonic() < end, f"{count} descriptors are open"
            os.sched_yield()
        return count

    def cpu(self):
        """User and system time so far, in seconds."""
        fields = pathlib.Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
