"""nginx in place of Sluice, to try the harness and to compare verdicts: WIRE_PROXY=nginx Tests/wire/run -k bank"""
import pathlib
import socket
import subprocess
import tempfile
import time


class Nginx:
    """A reverse proxy with one route to `endpoint`."""

    def __init__(self, endpoint):
        self.directory = tempfile.TemporaryDirectory(prefix="nginx-wire-")
        path = pathlib.Path(self.directory.name)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.bound = free.getsockname()
        (path / "nginx.conf").write_text(f"""
            daemon off; master_process off; pid {path}/pid; error_log {path}/error.log; worker_rlimit_nofile 4096;
            events {{ worker_connections 1024; }}
            http {{
              access_log off; client_body_temp_path {path}/b; proxy_temp_path {path}/p; fastcgi_temp_path {path}/f;
              uwsgi_temp_path {path}/u; scgi_temp_path {path}/s;
              upstream app {{ server {endpoint}; keepalive 8; }}
              server {{ listen 127.0.0.1:{self.bound[1]}; location / {{
                proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection "";
                proxy_read_timeout 1s; proxy_set_header Host $http_host; }} }}
            }}""")
        self.process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "--", "nginx", "-c", str(path / "nginx.conf"),
                                         "-p", str(path)], stderr=subprocess.DEVNULL)
        end = time.monotonic() + 5
        while True:
            try:
                socket.create_connection(self.bound).close()
                return
            except ConnectionRefusedError:
                assert time.monotonic() < end and self.process.poll() is None

    def address(self, listener="inbound"):
        return self.bound

    def finish(self):
        self.process.kill()
        self.process.wait()
        self.directory.cleanup()
