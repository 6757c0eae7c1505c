"""HTTP/2 for the harness: what h2load is told and says, and the few frames that ask for one answer."""

import re
import select
import socket
import struct
import time

from .processes import RunFailed

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY = 0, 1, 3, 4, 6, 7
END_STREAM, END_HEADERS = 1, 4
STATUS_200 = b"\x88"  # RFC 7541 appendix A: place 8 of the static table
UNITS = {"us": 1.0, "ms": 1e3, "s": 1e6}


def load_command(program, load, port, seconds):
    """h2load with as many connections and streams as `load` says, for so many seconds."""
    fields = [word for item in load.fields if not item.startswith("Host:") for word in ("-H", item)]
    return [program, "-t", "1", "-c", str(load.connections), "-m", str(load.streams), "-D", f"{round(seconds * 1000)}ms",
            *fields, f"http://127.0.0.1:{port}{load.target}"]


def read_report(text, seconds):
    """What h2load has printed, under the names that our own load generator uses.

    It does not say how many answers were late, only how late they were on average: there is `mean_us` for p50 and p99.
    Requests that are under way when the time is over are not counted, and are no errors.
    """
    requests = re.search(r"requests: \d+ total, \d+ started, (\d+) done, \d+ succeeded, (\d+) failed", text)
    statuses = re.search(r"status codes: (\d+) 2xx", text)
    if requests is None or statuses is None:
        return {"errors": 1, "requests": 0}
    done, failed, good = int(requests[1]), int(requests[2]), int(statuses[1])
    result = {"requests": done, "seconds": seconds, "errors": max(failed, done - good)}
    body = re.search(r"traffic: .* \((\d+)\) data", text)
    result["response_body_bytes"] = int(body[1]) if body else 0
    latency = re.search(r"time for request:\s+(\S+)\s+(\S+)\s+(\S+)", text)
    if latency:
        result["max_us"], result["mean_us"] = microseconds(latency[2]), microseconds(latency[3])
    return result


def microseconds(text):
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s)", text).groups()
    return float(number) * UNITS[unit]


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def question(target):
    """All that a client says for one GET: the preface, empty SETTINGS, and a head whose fields are spelled out."""
    def literal(place, value):
        return bytes([place, len(value)]) + value.encode()
    # GET and http by their places in the static table; :path and :authority by name.
    head = b"\x82\x86" + literal(0x04, target) + literal(0x01, "127.0.0.1")
    return PREFACE + frame(SETTINGS, 0, 0) + frame(HEADERS, END_HEADERS | END_STREAM, 1, head)


class Client:
    """A connection that asks once and stays open."""

    def __init__(self, port, target="/"):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=5)
        self.socket.sendall(question(target))
        self.buffer, self.status, self.is_done = b"", None, False

    def read(self):
        """Reads once what has come. False when the connection has ended."""
        data = self.socket.recv(1 << 16)
        self.buffer += data
        while len(self.buffer) >= 9:
            size = int.from_bytes(self.buffer[:3], "big")
            if len(self.buffer) < 9 + size:
                break
            kind, flags = self.buffer[3], self.buffer[4]
            payload, self.buffer = self.buffer[9:9 + size], self.buffer[9 + size:]
            self.take(kind, flags, payload)
        return bool(data)

    def take(self, kind, flags, payload):
        if kind == SETTINGS and not flags:
            self.socket.sendall(frame(SETTINGS, 1, 0))
        elif kind == HEADERS and self.status is None:
            # The size of the table may be said first: 001xxxxx.
            self.status = payload.lstrip(bytes(range(0x20, 0x40)))[:1]
        elif kind in (RST_STREAM, GOAWAY):
            self.status = b""
        if kind in (DATA, HEADERS) and flags & END_STREAM:
            self.is_done = True

    def answer(self):
        """Waits until the answer is whole; returns whether it was 200."""
        while not self.is_done and self.status != b"":
            if not self.read():
                return False
        return self.status == STATUS_200

    def close(self):
        self.socket.close()


def is_answered(port, target):
    client = Client(port, target)
    try:
        return client.answer()
    finally:
        client.close()


def hold(port, count, in_flight):
    """Opens connections, each of which asks once; returns them when all have been answered."""
    clients, waiting, poll = [], {}, select.epoll()
    deadline = time.monotonic() + 60
    try:
        while len(clients) < count or waiting:
            while len(clients) < count and len(waiting) < in_flight:
                client = Client(port)
                clients.append(client)
                waiting[client.socket.fileno()] = client
                poll.register(client.socket.fileno(), select.EPOLLIN)
            for descriptor, _ in poll.poll(1):
                client = waiting[descriptor]
                if not client.read() or client.status == b"":
                    raise RunFailed("a connection has ended")
                if client.is_done:
                    if client.status != STATUS_200:
                        raise RunFailed("an answer was not 200")
                    poll.unregister(descriptor)
                    del waiting[descriptor]
            if time.monotonic() > deadline:
                raise RunFailed(f"{len(clients) - len(waiting)} of {count} were answered")
    except (RunFailed, OSError):
        for client in clients:
            client.close()
        raise
    finally:
        poll.close()
    return clients
