"""A raw client: it sends exact bytes and reads answers strictly."""
import socket
import struct
import time

from parsers import Cursor, Incomplete, Malformed, Response, response_body, response_head
from peek import wait_until_read

PATIENCE = 5.0


class Silence(AssertionError):
    """Nothing came within the time that a test is ready to wait."""


class Closed(AssertionError):
    """The connection ended where an answer was due."""


def reset(connection):
    """Closes a socket with a TCP reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


class Client:
    """One connection to `address`: (host, port), or the path of a Unix socket."""

    def __init__(self, address, patience=PATIENCE, receive_buffer=None):
        unix = isinstance(address, str)
        family = socket.AF_UNIX if unix else socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.patience = patience
        self.socket.settimeout(patience)
        self.socket.connect(address)
        if not unix:
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = bytearray()
        self.ended = False
        self.was_reset = False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def reset(self):
        reset(self.socket)

    def half_close(self):
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def send(self, data):
        """Sends all of `data`; a peer that has closed is no error here: what it answered is still to be read."""
        try:
            self.socket.sendall(data)
            return True
        except (BrokenPipeError, ConnectionResetError):
            return False

    def send_pieces(self, pieces):
        """Sends each piece only after the proxy has read the one before."""
        last = len(pieces) - 1
        for index, piece in enumerate(pieces):
            if not self.send(piece):
                return
            if index < last and not wait_until_read(self.socket):
                return

    def fill(self, until=None):
        """Reads once into the buffer. False at the end of the connection; `Silence` if nothing comes in time."""
        if self.ended:
            return False
        left = self.patience if until is None else until - time.monotonic()
        self.socket.settimeout(max(left, 0.001))
        try:
            data = self.socket.recv(1 << 18)
        except TimeoutError:
            raise Silence(f"nothing came within {self.patience} s; so far {bytes(self.buffer[-200:])!r}") from None
        except ConnectionResetError:
            self.was_reset = True
            data = b""
        if not data:
            self.ended = True
        self.buffer += data
        return bool(data)

    def read_exactly(self, count):
        while len(self.buffer) < count:
            if not self.fill():
                raise Closed(f"closed after {len(self.buffer)} of {count} bytes")
        data = bytes(self.buffer[:count])
        del self.buffer[:count]
        return data

    def read_until(self, mark):
        while mark not in self.buffer:
            if not self.fill():
                raise Closed(f"closed before {mark!r}: {bytes(self.buffer)!r}")
        return self.read_exactly(self.buffer.index(mark) + len(mark))

    def read_to_end(self):
        """All bytes up to the end of the connection."""
        until = time.monotonic() + self.patience
        while self.fill(until):
            pass
        data = bytes(self.buffer)
        self.buffer.clear()
        return data

    def read_head(self):
        """The next response head only; the body stays in the buffer."""
        while True:
            cursor = Cursor(self.buffer)
            try:
                head = response_head(cursor)
            except Incomplete:
                if not self.fill():
                    raise Closed(f"closed before a response head: {bytes(self.buffer)!r}") from None
                continue
            del self.buffer[:cursor.at]
            return head

    def read_response(self, method="GET", partial=False):
        """The next final response. `partial`: a body cut by the end of the connection comes back incomplete."""
        interim = []
        while True:
            head = self.read_head()
            if head.status >= 200 or head.status == 101:
                break
            interim.append(head)
        head.interim = interim
        while True:
            cursor = Cursor(self.buffer)
            try:
                response_body(cursor, head, method, self.ended)
            except Incomplete:
                if self.fill():
                    continue
                if not self.was_reset:
                    try:
                        cursor = Cursor(self.buffer)
                        response_body(cursor, head, method, True)
                    except Incomplete:
                        pass
                if not head.complete and not partial:
                    raise Closed(f"the answer was cut: {head.start} {head.headers} {head.body!r:.200}") from None
            del self.buffer[:cursor.at]
            return head

    def expect_closed(self):
        """The proxy ends the connection, and sends nothing more before it does."""
        rest = self.read_to_end()
        assert rest == b"", f"bytes before the end of the connection: {rest!r:.300}"

    def request(self, method="GET", target="/", headers=(), body=b"", host="a", version="HTTP/1.1"):
        """Sends one well-formed request and reads its answer."""
        self.send(encode(method, target, headers, body, host, version))
        return self.read_response(method)


def encode(method="GET", target="/", headers=(), body=b"", host="a", version="HTTP/1.1"):
    """The bytes of a well-formed request; a Content-Length is added when there is a body."""
    fields = list(headers.items() if isinstance(headers, dict) else headers)
    lines = [f"{method} {target} {version}"]
    if host is not None:
        lines.append(f"Host: {host}")
    lines += [f"{name}: {value}" for name, value in fields]
    if body and not any(name.lower() in ("content-length", "transfer-encoding") for name, _ in fields):
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def get(address, target="/", headers=(), host="a", method="GET", body=b""):
    """One request on a connection of its own."""
    with Client(address) as client:
        return client.request(method, target, headers, body, host)


__all__ = ["Client", "Closed", "Malformed", "Response", "Silence", "encode", "get", "reset"]
