"""Other programs that tests talk to: each is started with a config of its own, and gone at the end of the test."""
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import pytest

_TIED = ["setpriv", "--pdeathsig", "KILL", "--"]


def free_port():
    """A port that nobody has at this moment; for programs that cannot say which one the kernel picked."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


class Program:
    """A program that listens at `address`, a host and a port or the path of a Unix socket, once it is ready."""

    def __init__(self, command, address, log):
        binary = shutil.which(command[0], path="/usr/sbin:/usr/bin:/sbin:/bin")
        assert binary, f"there is no {command[0]}: scripts/lib/install test"
        self.address, self.log = address, pathlib.Path(log)
        self.command = [*_TIED, binary, *map(str, command[1:])]
        self.start()

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        end = time.monotonic() + 10
        while True:
            try:
                with socket.socket(socket.AF_UNIX if isinstance(self.address, str) else socket.AF_INET) as probe:
                    return probe.connect(self.address)
            except (ConnectionRefusedError, FileNotFoundError):
                assert time.monotonic() < end and self.process.poll() is None, self.log.read_text()

    def kill(self):
        self.process.kill()
        self.process.wait()


@pytest.fixture
def program(tmp_path):
    """`program(command, port)` starts one that listens on a port of this machine, or on the path of a Unix socket."""
    running = []

    def start(command, port):
        address = port if isinstance(port, str) else ("127.0.0.1", port)
        one = Program(command, address, tmp_path / f"program-{len(running)}.log")
        running.append(one)
        return one

    yield start
    for one in running:
        one.kill()


@pytest.fixture
def haproxy(program, tmp_path):
    """`haproxy(frontend, server)`: passes bytes from a port to an endpoint; both may have options behind them."""
    def start(endpoint, bind="", server=""):
        port = free_port()
        file = tmp_path / f"haproxy-{port}.cfg"
        file.write_text(f"""
            defaults
                mode tcp
                timeout connect 5s
                timeout client 30s
                timeout server 30s
            listen all
                bind 127.0.0.1:{port} {bind}
                server one {endpoint} {server}
            """ + "\n")
        return program(["haproxy", "-db", "-f", file], port).address
    return start


@pytest.fixture
def nginx(program, tmp_path):
    """`nginx(listen, location)`: an HTTP server; options of `listen`, and what stands in its only location."""
    def start(listen="", location="return 200 ok;"):
        port = free_port()
        path = tmp_path / f"nginx-{port}"
        path.mkdir()
        (path / "nginx.conf").write_text(f"""
            daemon off; master_process off; pid {path}/pid; error_log {path}/error.log;
            events {{ }}
            http {{
              access_log off; client_body_temp_path {path}/b; proxy_temp_path {path}/p; fastcgi_temp_path {path}/f;
              uwsgi_temp_path {path}/u; scgi_temp_path {path}/s;
              server {{ listen 127.0.0.1:{port} {listen}; location / {{ {location} }} }}
            }}""")
        return program(["nginx", "-c", path / "nginx.conf", "-p", path], port).address
    return start


class Redis:
    """A Redis of the test's own, which keeps nothing on disk."""

    def __init__(self, program, folder, options, on_port):
        self.folder = folder
        place = free_port() if on_port else str(folder / "redis.sock")
        listen = ["--port", place] if on_port else ["--port", 0, "--unixsocket", place]
        self.endpoint = f"127.0.0.1:{place}" if on_port else f"unix:{place}"
        self._client = ["redis-cli", *(["-p", str(place)] if on_port else ["-s", place])]
        self._program = program(["redis-server", *listen, "--save", "", "--dir", folder, *options], place)

    def ask(self, *words):
        """What Redis answers to a command, as text."""
        return subprocess.run([*self._client, *map(str, words)], capture_output=True, text=True, check=True, timeout=10).stdout.strip()

    def start(self):
        self._program.start()

    def kill(self):
        self._program.kill()

    def pause(self):
        """Lets it do nothing, with its connections open."""
        self._program.process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self._program.process.send_signal(signal.SIGCONT)


@pytest.fixture
def redis(program):
    """`redis(*options, on_port=False)`: a Redis on a Unix socket."""
    # Not in `tmp_path`: the path of a socket must be short.
    with tempfile.TemporaryDirectory(prefix="redis-") as folder:
        yield lambda *options, on_port=False: Redis(program, pathlib.Path(folder), options, on_port)
