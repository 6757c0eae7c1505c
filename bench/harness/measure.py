"""One measured run of one proxy."""

import json
import os
import resource
import shutil
import socket
import ssl
import subprocess
import tempfile
import time

from . import http2, install
from .processes import RunFailed, cpu_of_threads, free_port

START_LIMIT = 60  # seconds until a proxy must have answered
SETTLE = 0.5      # seconds that a process gets before its memory is read
DESCRIPTORS = 65536


def raise_descriptor_limit():
    """Children inherit it. An ordinary user keeps the hard limit, which may be too low for 10,000 connections."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS, max(hard, DESCRIPTORS)))
    except ValueError:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


class Bench:
    """The two cores, the origin, and the tools; measures one proxy at a time."""

    def __init__(self, children, tools, proxy_core, load_core):
        self.children = children
        self.loadgen = os.path.join(tools, "loadgen")
        self.proxy_core, self.load_core = proxy_core, load_core
        self.certificates = self.second_origin = None
        self.directory = tempfile.TemporaryDirectory(prefix="bench-")
        os.sched_setaffinity(0, {load_core})
        self.start_origin(tools)

    def start_origin(self, tools):
        """Sets `origin`, the process, and `origin_port`, which is what proxies are configured with."""
        self.origin = self.children.start(
            [os.path.join(tools, "origin")], self.directory.name, {self.load_core}, stdout=subprocess.PIPE)
        self.origin_port = int(self.origin.process.stdout.readline())

    def h2_origin(self):
        """The port of nghttpd, which speaks HTTP/2 and serves the 13 bytes that our own origin answers with."""
        if self.second_origin is None:
            files = tempfile.mkdtemp(dir=self.directory.name)
            with open(os.path.join(files, "index.html"), "w") as file:
                file.write("Hello, world\n")
            self.h2_origin_port = free_port()
            self.second_origin = self.children.start(
                [install.find_program("nghttpd"), "--no-tls", "-a", "127.0.0.1", "-m", "1000", "-d", files,
                 str(self.h2_origin_port)], self.directory.name, {self.load_core})
            wait_for_answer(self.second_origin, self.h2_origin_port, "/", tls=False, h2=True)
        return self.h2_origin_port

    def start(self, proxy, job):
        """Starts a proxy and waits for its first answer. Returns (child, port, seconds until that answer)."""
        for attempt in (1, 2, 3):
            directory = tempfile.mkdtemp(dir=self.directory.name)
            if job.tls:
                shutil.copytree(self.certificate_folder(), directory, dirs_exist_ok=True)
            port = free_port()
            command = proxy.prepare(job, directory, port, self.h2_origin() if job.h2_upstream else self.origin_port)
            target = f"/{job.routes - 1:05}/" if job.routes else "/"
            child = self.children.start(command, directory, self.cores(job))
            try:
                return child, port, wait_for_answer(child, port, target, job.tls, job.h2)
            except RunFailed as failure:
                log = child.log()
                self.children.end(child)
                # Somebody may have taken the free port in between: try another.
                if attempt == 3 or "in use" not in log.lower():
                    raise RunFailed(f"did not start: {failure}; {' '.join(command)}\n{log}") from failure

    def cores(self, job):
        """Two workers need two cores, one of which is the load's as well: for CPU time per request, not for speed."""
        return {self.proxy_core} if job.workers == 1 else {self.proxy_core, self.load_core}

    def certificate_folder(self):
        """The certificate and key (ECDSA, P-256) that all proxies show: made once, for this run."""
        if self.certificates is None:
            self.certificates = tempfile.mkdtemp(dir=self.directory.name)
            key, certificate, both = (
                os.path.join(self.certificates, f"server.{kind}") for kind in ("key", "crt", "pem"))
            subprocess.run(
                ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-keyout",
                 key, "-out", certificate, "-days", "30", "-subj", "/CN=localhost",
                 "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"], check=True, capture_output=True)
            with open(both, "w") as file:
                for path in (certificate, key):
                    with open(path) as part:
                        file.write(part.read())
        return self.certificates

    def generate(self, load, port, seconds):
        return self.result_of(self.begin_load(load, port, seconds), load, seconds)

    def begin_load(self, load, port, seconds):
        """Starts a load generator, and does not wait for it."""
        if load.streams:
            command = http2.load_command(install.find_program("h2load"), load, port, seconds)
        else:
            command = [self.loadgen, *load.arguments(port, seconds)]
        return self.children.start(command, self.directory.name, {self.load_core}, stdout=subprocess.PIPE)

    def result_of(self, generator, load, seconds):
        """Waits for a load generator that was given so many seconds; returns what it saw."""
        output = generator.process.stdout.read()
        generator.process.wait()
        log = generator.log()
        self.children.end(generator)
        if load.streams:
            result = http2.read_report(output.decode(), seconds)
        else:
            result = json.loads(output) if output else {"errors": 1, "requests": 0}
        if result["errors"] or not result["requests"]:
            result["problem"] = f"{result['errors']} errors; {log.strip() or 'no request was answered'}"
        elif not load.shook_hands_as_meant(result):
            result["problem"] = (f"{result['full_handshakes']} full handshakes and {result['resumed_handshakes']} resumed "
                                 f"ones for {result['requests']} requests")
        elif not load.compressed_as_meant(result):
            result["problem"] = "answers were not compressed"
        return result

    def load(self, proxy, variant, seconds):
        """Requests per second, CPU per request, latency, and memory after the run."""
        child, port, _ = self.start(proxy, variant.job)
        self.generate(variant.load, port, min(1.0, seconds / 2))  # pools fill, caches warm up
        core_before, before = core_busy(self.proxy_core), child.cpu()
        origin = self.second_origin if variant.job.h2_upstream else self.origin
        origin_before = cpu_of_threads(origin.pid)
        result = self.generate(variant.load, port, seconds)
        user, system = child.cpu().since(before)
        core = core_busy(self.proxy_core) - core_before
        result["origin_cpu_seconds"] = (cpu_of_threads(origin.pid) - origin_before) / 1e9
        result["memory"] = child.memory()
        if result["requests"]:
            self.summarise(result, user, system, core, variant.load)
        return result

    @staticmethod
    def summarise(result, user, system, core, load):
        requests, seconds = result["requests"], result["seconds"]
        # What is compressed is counted as it was before.
        answers = requests * load.plain or result["response_body_bytes"]
        gibibytes = (answers + requests * load.body) / (1 << 30)
        result["rps"] = requests / seconds
        result["user_us"] = user / 1e3 / requests
        result["system_us"] = system / 1e3 / requests
        result["cpu_us"] = (user + system) / 1e3 / requests
        result["cpu_seconds_per_gib"] = (user + system) / 1e9 / gibibytes if gibibytes else None
        result["busy"] = (user + system) / 1e9 / seconds
        # What else ran on the proxy's core: other people's work, and interrupts.
        result["foreign"] = max(0.0, core / seconds - result["busy"])

    def idle_connections(self, proxy, variant, _seconds):
        """Memory for each of many connections that have served one request and now wait."""
        load = variant.load
        child, port, _ = self.start(proxy, variant.job)
        time.sleep(SETTLE)
        before = child.memory()
        command = [self.loadgen, "-h", *load.arguments(port, 60)]
        holder = self.children.start(command, self.directory.name, {self.load_core}, stdout=subprocess.PIPE)
        result = json.loads(holder.process.stdout.readline() or '{"errors": 1, "requests": 0}')
        time.sleep(SETTLE)
        after = child.memory()
        if result["errors"] or result["requests"] != load.connections:
            result["problem"] = f"{result['requests']} of {load.connections} were answered"
        return self.summarise_idle(result, before, after, load.connections)

    def h2_idle_connections(self, proxy, variant, _seconds):
        """The same over HTTP/2."""
        count = variant.load.connections
        child, port, _ = self.start(proxy, variant.job)
        time.sleep(SETTLE)
        before = child.memory()
        clients = http2.hold(port, count, variant.job.in_flight)
        time.sleep(SETTLE)
        after = child.memory()
        for client in clients:
            client.close()
        return self.summarise_idle({"errors": 0, "requests": count}, before, after, count)

    @staticmethod
    def summarise_idle(result, before, after, connections):
        result["memory"], result["memory_before"] = after, before
        result["bytes_per_connection"] = (after["pss"] - before["pss"]) / connections
        result["pss_per_connection"] = after["pss"] / connections
        return result

    def idle_process(self, proxy, variant, _seconds):
        """Time to the first answer, and the memory of a process that has nothing to do."""
        child, _, started = self.start(proxy, variant.job)
        time.sleep(SETTLE)
        result = {"start_ms": started * 1e3, "memory": child.memory(), "threads": thread_count(child)}
        return result

    def scrape(self, proxy, variant, seconds):
        """What a scrape costs, and how long requests wait while one is written."""
        child, port, _ = self.start(proxy, variant.job)
        for number in range(variant.job.clusters):
            ask(port, f"/{number:04}/")
        quiet = self.generate(variant.load, port, seconds)
        socket_path = os.path.join(child.directory, "admin.sock")
        scrape(socket_path)
        text, count, before = "", 20, child.cpu()
        for _ in range(count):
            text = scrape(socket_path)
        user, system = child.cpu().since(before)
        loaded = self.begin_load(variant.load, port, seconds)
        deadline = time.perf_counter() + seconds
        while time.perf_counter() < deadline:
            # Whoever reads it is on the core of the load, and must not hold that up.
            subprocess.run(["chrt", "--idle", "0", "curl", "-s", "-o", "/dev/null", "--unix-socket", socket_path,
                            "http://a/stats/prometheus"], check=True)
            time.sleep(0.1)
        scraped = self.result_of(loaded, variant.load, seconds)
        return {
            "scrape_cpu_ms": (user + system) / 1e6 / count, "scrape_kib": len(text) / 1024,
            "series": sum(1 for line in text.splitlines() if not line.startswith("#")),
            "quiet_max_ms": quiet["max_us"] / 1e3, "scraped_max_ms": scraped["max_us"] / 1e3,
            "quiet_p99_us": quiet["p99_us"], "scraped_p99_us": scraped["p99_us"],
            "delay_ms": max(0.0, scraped["max_us"] - quiet["max_us"]) / 1e3, "memory": child.memory()}

    def parser(self, proxy, _variant, _seconds):
        """Time for the head of a browser's request, by bench/micro's program beside the proxy's."""
        program = os.path.join(os.path.dirname(proxy.program), "MicroBench")
        if not os.access(program, os.X_OK):
            raise RunFailed(f"no {program}: run `swift build -c release`")
        timer = self.children.start(
            [program, "--batches", "100", "parse a request"], self.directory.name, {self.proxy_core},
            stdout=subprocess.PIPE)
        lines = [line.split() for line in timer.process.stdout.read().decode().splitlines() if line.startswith("parse")]
        timer.process.wait()
        if not lines:
            raise RunFailed(f"{program} measured nothing")
        # The longest of the requests; of its batches the fastest.
        return {"parse_ns": max(float(line[-2]) for line in lines)}

    def measure(self, scenario, proxy, variant, seconds):
        try:
            result = getattr(self, scenario.kind)(proxy, variant, seconds)
        except (RunFailed, FileNotFoundError, ProcessLookupError) as failure:  # the latter two: a process that went
            result = {"problem": str(failure)}
        finally:
            logs = self.end_all_but_origin()
        if "problem" in result and logs:
            result["problem"] += f"\n{logs}"
        result["load_average"] = os.getloadavg()[0]
        return result

    def end_all_but_origin(self):
        """Returns what the ended processes had logged."""
        logs = []
        for child in [child for child in self.children.children if child not in (self.origin, self.second_origin)]:
            logs.append(child.log().strip())
            self.children.end(child)
        return "\n".join(filter(None, logs))


def ask(port, target):
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
        if not connection.recv(4096).startswith(b"HTTP/1.1 200"):
            raise RunFailed(f"{target} was not answered well")


def scrape(path):
    """The statistics as Prometheus would read them."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(path)
        connection.sendall(b"GET /stats/prometheus HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        parts = []
        while part := connection.recv(1 << 20):
            parts.append(part)
    return b"".join(parts).partition(b"\r\n\r\n")[2].decode()


def thread_count(child):
    return sum(len(os.listdir(f"/proc/{pid}/task")) for pid in child.pids())


def unverified():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def is_answered(port, target, context):
    """Whether a GET over HTTP/1 is answered with 200."""
    request = f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode()
    with socket.create_connection(("127.0.0.1", port), timeout=5) as plain, \
            context.wrap_socket(plain) if context else plain as connection:
        connection.sendall(request)
        return connection.recv(4096).startswith(b"HTTP/1.1 200")


def wait_for_answer(child, port, target, tls, h2=False):
    """Seconds from the start of the process to its first 200, found by trying in a tight loop."""
    context = unverified() if tls else None
    deadline = child.started + START_LIMIT
    while time.perf_counter() < deadline:
        try:
            if http2.is_answered(port, target) if h2 else is_answered(port, target, context):
                return time.perf_counter() - child.started
        except OSError:
            pass
        if not child.alive():
            raise RunFailed(f"it ended with status {child.process.returncode}")
    raise RunFailed(f"no answer within {START_LIMIT} s")


def core_busy(core):
    """Seconds that a core has been busy since boot, with time stolen by the machine below."""
    with open("/proc/stat") as file:
        for line in file:
            name, *ticks = line.split()
            if name == f"cpu{core}":
                user, nice, system, _idle, _wait, irq, softirq, steal = map(int, ticks[:8])
                return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")
    raise RuntimeError(f"no core {core}")
