"""A small service that knows others only by ports of its own host, as a process of its own; see pod.py.

It answers at --listen, and asks --peer from several threads without a pause, each with a connection that it keeps until it
is told to end it. Half of what it asks may not be asked twice, and nothing is. On TERM it goes on for --linger seconds, makes its last calls, finishes what it has, and closes its port last. What it has to say
of its own calls is the one line on its output: JSON.
"""
import argparse
import http.client
import http.server
import json
import os
import signal
import sys
import threading
import time


class Count:
    """What became of calls."""

    def __init__(self):
        self.lock = threading.Lock()
        self.asked, self.lost = 0, []
        self.by = {}

    def answered(self, by):
        with self.lock:
            self.asked += 1
            self.by[by] = self.by.get(by, 0) + 1

    def failed(self, why):
        with self.lock:
            self.asked += 1
            self.lost.append({"at": time.time(), "why": why})

    def report(self):
        with self.lock:
            return {"asked": self.asked, "lost": list(self.lost), "by": dict(self.by)}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def do_GET(self):
        server = self.server
        with server.busy:
            server.active += 1
        try:
            if self.path == "/count":
                body = json.dumps(server.count.report()).encode()
            else:
                time.sleep(server.work)
                body = json.dumps({"service": server.service, "asked": self.path}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            if server.ends:
                self.send_header("Connection", "close")
                self.close_connection = True
            self.end_headers()
            self.wfile.write(body)
        finally:
            with server.busy:
                server.active -= 1
                server.busy.notify_all()

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, address, service, work, count):
        super().__init__(address, Handler)
        self.service, self.work, self.count = service, work, count
        self.busy, self.active, self.ends = threading.Condition(), 0, False


class Caller(threading.Thread):
    """Asks the peer again and again on one connection, as long as that lasts."""

    def __init__(self, number, address, service, count, stop):
        super().__init__(daemon=True)
        self.number, self.address, self.service, self.count, self.stop = number, address, service, count, stop
        self.connection = None

    def run(self):
        asked = 0
        while not self.stop.is_set():
            self.ask(f"/{self.service}/{self.number}/{asked}", "POST" if asked % 2 else "GET")
            asked += 1
            time.sleep(0.002)
        # What a service writes away at its end.
        for last in range(3):
            self.ask(f"/{self.service}/{self.number}/last/{last}")

    def ask(self, path, method="GET"):
        if self.connection is None:
            self.connection = http.client.HTTPConnection(*self.address, timeout=15)
        try:
            self.connection.request(method, path, b"once" if method == "POST" else None, {"Host": "peer"})
            response = self.connection.getresponse()
            body = response.read()
        except (OSError, http.client.HTTPException) as error:
            self.drop()
            return self.count.failed(f"{method} {path}: {error!r}")
        if response.will_close:
            self.drop()
        if response.status != 200:
            return self.count.failed(f"{method} {path}: {response.status} {body[:200]!r}")
        answer = json.loads(body)
        if answer["asked"] != path:
            return self.count.failed(f"{method} {path}: the answer is for {answer['asked']}")
        self.count.answered(answer["service"])

    def drop(self):
        self.connection.close()
        self.connection = None


def address(text):
    host, _, port = text.rpartition(":")
    return host, int(port)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--name", required=True)
    parser.add_argument("--listen", type=address, required=True)
    parser.add_argument("--peer", type=address, required=True)
    parser.add_argument("--callers", type=int, default=2)
    parser.add_argument("--linger", type=float, default=1.0)
    parser.add_argument("--work", type=float, default=0.002)
    options = parser.parse_args()

    told, stop, count = threading.Event(), threading.Event(), Count()
    begin = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: told.set())
    signal.signal(signal.SIGUSR1, lambda *_: begin.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    server = Server(options.listen, options.name, options.work, count)
    serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    serving.start()
    print("serving", flush=True)

    # Others are asked once they are there.
    while not begin.wait(0.05) and not told.is_set():
        pass
    callers = [Caller(number, options.peer, options.name, count, stop) for number in range(options.callers)]
    for caller in callers:
        caller.start()
    while not told.wait(0.1):
        pass
    time.sleep(options.linger)
    stop.set()
    for caller in callers:
        caller.join(20)
    server.ends = True
    with server.busy:
        server.busy.wait_for(lambda: server.active == 0, 5)
    server.shutdown()
    server.server_close()
    print(json.dumps(count.report()), flush=True)
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
