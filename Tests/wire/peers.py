"""Other programs that tests talk to: each is started with a config of its own, and gone at the end of the test."""
import pathlib
import shutil
import socket
import subprocess
import time

import pytest

_TIED = ["setpriv", "--pdeathsig", "KILL", "--"]


def free_port():
    """A port that nobody has at this moment; for programs that cannot say which one the kernel picked."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


class Program:
    """A program that listens at `address` once it is ready."""

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
                return socket.create_connection(self.address).close()
            except ConnectionRefusedError:
                assert time.monotonic() < end and self.process.poll() is None, self.log.read_text()

    def kill(self):
        self.process.kill()
        self.process.wait()


@pytest.fixture
def program(tmp_path):
    """`program(command, port)` starts one that listens on a port of this machine."""
    running = []

    def start(command, port):
        one = Program(command, ("127.0.0.1", port), tmp_path / f"program-{len(running)}.log")
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
