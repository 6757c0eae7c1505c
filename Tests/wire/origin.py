"""Origins: upstream servers that a test scripts, on ports that the kernel picks."""
import fcntl
import os
import select
import socket
import struct
import termios
import threading
import time

from client import reset
from parsers import Cursor, Incomplete, Malformed, request_body, request_head
from peek import wait_until_read

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def answer(body=b"ok", status="200 OK", headers=()):
    """A response with a length."""
    fields = "".join(f"{name}: {value}\r\n" for name, value in headers)
    return f"HTTP/1.1 {status}\r\n{fields}Content-Length: {len(body)}\r\n\r\n".encode("latin-1") + body


def chunked(parts, trailers=(), headers=()):
    """A chunked response with a chunk per part."""
    fields = "".join(f"{name}: {value}\r\n" for name, value in headers)
    end = "".join(f"{name}: {value}\r\n" for name, value in trailers)
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts)
    head = f"HTTP/1.1 200 OK\r\n{fields}Transfer-Encoding: chunked\r\n\r\n".encode("latin-1")
    return head + chunks + b"0\r\n" + end.encode("latin-1") + b"\r\n"


class Peer:
    """One connection that the proxy made. A script reads requests from it and sends bytes."""

    def __init__(self, origin, connection, number):
        self.origin, self.socket, self.number = origin, connection, number
        self.received = bytearray()
        self.parsed = 0
        self.ended = False
        self.was_reset = False
        self.lock = threading.Lock()
        self._finished = False

    def fill(self, seconds=None):
        """Reads once; False when the proxy has ended the connection."""
        if self.ended:
            return False
        ready = select.poll()
        ready.register(self.socket, select.POLLIN)
        if not ready.poll(None if seconds is None else seconds * 1000):
            raise TimeoutError("the proxy sent nothing")
        with self.lock:
            try:
                data = self.socket.recv(1 << 18)
            except ConnectionError:
                self.was_reset = True
                data = b""
            except OSError:
                data = b""
            self.received += data
            self.ended = not data
        self.origin.changed()
        return bool(data)

    def read_head(self):
        """The next request head, or None at the end of the connection."""
        while True:
            cursor = Cursor(self.received, self.parsed)
            try:
                request = request_head(cursor)
            except Incomplete:
                if not self.fill():
                    return None
                continue
            except Malformed as error:
                self.origin.faults.append(error)
                raise
            self.parsed = cursor.at
            return request

    def read_body(self, request):
        """Reads the body of a request whose head was read; False if the connection ended first."""
        while True:
            cursor = Cursor(self.received, self.parsed)
            try:
                request_body(cursor, request)
            except Incomplete:
                if not self.fill():
                    return False
                continue
            except Malformed as error:
                self.origin.faults.append(error)
                raise
            self.parsed = cursor.at
            self.origin.finished(request, self)
            return True

    def read_request(self):
        """The next whole request, or None at the end of the connection; says 100 when the proxy asks for it."""
        request = self.read_head()
        if request is None:
            return None
        if request.get("expect", "").lower() == "100-continue" and self.parsed == len(self.received):
            self.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        return request if self.read_body(request) else None

    def send(self, data):
        try:
            self.socket.sendall(data)
            return True
        except OSError:
            return False

    def send_pieces(self, pieces):
        """Sends each piece only after the proxy has read the one before."""
        last = len(pieces) - 1
        for index, piece in enumerate(pieces):
            if not self.send(piece) or (index < last and not wait_until_read(self.socket)):
                return

    def half_close(self):
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def close(self):
        self._finished = True
        self.socket.close()

    def reset(self):
        self._finished = True
        reset(self.socket)

    def wait_end(self):
        """Reads until the proxy ends the connection."""
        while self.fill():
            pass

    @property
    def is_open(self):
        """Whether the proxy had not ended the connection when the kernel was asked, read or not."""
        if self._finished:
            return False
        ended = select.poll()
        ended.register(self.socket, select.POLLRDHUP)
        return not ended.poll(0)

    @property
    def settled(self):
        """True when all that the proxy has sent so far was taken from the kernel."""
        with self.lock:
            if self.ended or self._finished:
                return True
            try:
                waiting = struct.unpack("i", fcntl.ioctl(self.socket, termios.FIONREAD, bytes(4)))[0]
            except (OSError, ValueError):
                return True
            if waiting:
                return False
            ready = select.poll()
            ready.register(self.socket, select.POLLIN)
            return not ready.poll(0)


def serve(peer):
    """The plain script: answers every request with 200 and two bytes."""
    while peer.read_request():
        if not peer.send(OK):
            return


class Origin:
    """A server that runs `script(peer)` in a thread for every connection, and keeps every byte it got."""

    def __init__(self, script=serve, family=socket.AF_INET, path=None, backlog=1024, host=None, port=0):
        self.script, self.path = script, path
        self.peers, self.requests, self.faults, self.threads = [], [], [], []
        self.most_open = 0
        self._change = threading.Condition()
        self._stopping = False
        if path:
            self.listener = socket.socket(socket.AF_UNIX)
            self.listener.bind(path)
            self.listener.listen(backlog)
        else:
            if host:
                family = socket.AF_INET6 if ":" in host else socket.AF_INET
            host = host or ("::1" if family == socket.AF_INET6 else "127.0.0.1")
            self.listener = socket.create_server((host, port), family=family, backlog=backlog)
        self.bound = self.listener.getsockname()
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    @property
    def endpoint(self):
        """How a configuration names this origin."""
        if self.path:
            return f"unix:{self.path}"
        host, port = self.bound[:2]
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            if not self.path:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._change:
                peer = Peer(self, connection, len(self.peers))
                self.peers.append(peer)
                self.most_open = max(self.most_open, sum(peer.is_open for peer in self.peers))
                self._change.notify_all()
            thread = threading.Thread(target=self._run, args=(peer,), daemon=True)
            self.threads.append(thread)
            thread.start()

    def _run(self, peer):
        try:
            self.script(peer)
        except Malformed:
            pass
        except Exception as error:
            if not self._stopping:
                self.faults.append(error)
        finally:
            if not peer._finished:
                peer.close()
            self.changed()

    def changed(self):
        with self._change:
            self._change.notify_all()

    def finished(self, request, peer):
        with self._change:
            request.peer = peer
            self.requests.append(request)
            self._change.notify_all()

    def wait_for(self, condition, seconds=5.0, what="the origin never saw it"):
        """Waits until `condition(self)` holds; it is looked at whenever a peer read, ended or finished a request."""
        with self._change:
            assert self._change.wait_for(lambda: condition(self), seconds), what

    def settle(self, seconds=5.0):
        """Returns when no connection holds bytes that were not read."""
        end = time.monotonic() + seconds
        while not all(peer.settled for peer in list(self.peers)):
            assert time.monotonic() < end, "the origin does not keep up"
            os.sched_yield()

    def stop(self):
        """Closes the listener and all connections."""
        self._stopping = True
        for close in [lambda: self.listener.shutdown(socket.SHUT_RDWR), self.listener.close]:
            try:
                close()
            except OSError:
                pass
        for peer in list(self.peers):
            try:
                peer.socket.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def refused_port():
    """A bound socket that does not listen, and its endpoint: connecting to it is refused, and no one can take it."""
    holder = socket.socket()
    holder.bind(("127.0.0.1", 0))
    return holder, "127.0.0.1:%d" % holder.getsockname()[1]
