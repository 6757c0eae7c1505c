"""A small strict HTTP/1 parser, and the oracle made of it, httptools and h11.

The strict parser takes only what the RFCs let a careful sender write: no bare CR or LF, no folding, one framing
field, no chunk extension. It reads what the proxy wrote, upstream and to clients, so strictness here is the test.
"""
import re
from dataclasses import dataclass, field

import h11
import httptools

_TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(rb"[\t \x21-\x7e\x80-\xff]*")
_TARGET = re.compile(rb"[\x21-\x7e]+")
_REASON = re.compile(rb"[\t \x21-\x7e\x80-\xff]*")
_DIGITS = re.compile(rb"[0-9]+")
_HEX = re.compile(rb"[0-9a-fA-F]+")


class Malformed(Exception):
    """Bytes that are no message in normal form."""


class Incomplete(Exception):
    """The bytes end before the message does."""


@dataclass
class Message:
    """A request or a response; header names keep their case."""
    start: tuple
    headers: list
    body: bytes = b""
    trailers: list = field(default_factory=list)
    complete: bool = True
    interim: list = field(default_factory=list)

    def all(self, name):
        return [v for n, v in self.headers if n.lower() == name.lower()]

    def get(self, name, default=None):
        values = self.all(name)
        return values[0] if values else default

    def has(self, name):
        return bool(self.all(name))

    @property
    def names(self):
        return [n for n, _ in self.headers]


class Request(Message):
    method = property(lambda self: self.start[0])
    target = property(lambda self: self.start[1])
    version = property(lambda self: self.start[2])


class Response(Message):
    version = property(lambda self: self.start[0])
    status = property(lambda self: self.start[1])
    reason = property(lambda self: self.start[2])


class Cursor:
    """Reads lines and byte runs from a buffer; `Incomplete` at its end."""

    def __init__(self, buffer, at=0):
        self.buffer, self.at = buffer, at

    def line(self):
        end = self.buffer.find(b"\n", self.at)
        if end < 0:
            raise Incomplete
        line = bytes(self.buffer[self.at:end + 1])
        if not line.endswith(b"\r\n") or b"\r" in line[:-2]:
            raise Malformed(f"bare CR or LF in {line!r}")
        self.at = end + 1
        return line[:-2]

    def take(self, count):
        if len(self.buffer) - self.at < count:
            raise Incomplete
        self.at += count
        return bytes(self.buffer[self.at - count:self.at])

    def available(self, limit):
        got = bytes(self.buffer[self.at:self.at + limit])
        self.at += len(got)
        return got


def _fields(cursor):
    fields = []
    while line := cursor.line():
        name, colon, value = line.partition(b":")
        if not colon or not _TOKEN.fullmatch(name):
            raise Malformed(f"field line {line!r}")
        value = value.strip(b" \t")
        if not _VALUE.fullmatch(value):
            raise Malformed(f"field value {value!r}")
        fields.append((name.decode("latin-1"), value.decode("latin-1")))
    return fields


def _framing(message):
    """Returns "chunked", a length, or None when no field frames the body."""
    codings, lengths = message.all("transfer-encoding"), message.all("content-length")
    if codings and lengths:
        raise Malformed("both Transfer-Encoding and Content-Length")
    if codings:
        if [c.lower() for c in codings] != ["chunked"]:
            raise Malformed(f"Transfer-Encoding {codings}")
        return "chunked"
    if not lengths:
        return None
    if len(lengths) > 1 or not _DIGITS.fullmatch(lengths[0].encode()) or len(lengths[0]) > 18:
        raise Malformed(f"Content-Length {lengths}")
    return int(lengths[0])


def _chunks(cursor, message):
    body = bytearray()
    try:
        while True:
            size = cursor.line()
            if not _HEX.fullmatch(size):
                raise Malformed(f"chunk size line {size!r}")
            wanted = int(size, 16)
            if wanted == 0:
                message.trailers = _fields(cursor)
                return
            part = cursor.available(wanted)
            body += part
            if len(part) < wanted:
                raise Incomplete
            if cursor.take(2) != b"\r\n":
                raise Malformed("chunk data without CRLF after it")
    finally:
        message.body = bytes(body)


def _read_body(cursor, message, framing):
    if framing == "chunked":
        return _chunks(cursor, message)
    message.body = cursor.available(framing)
    if len(message.body) < framing:
        raise Incomplete


def request_head(cursor):
    """Reads one request head, strictly."""
    line = cursor.line()
    parts = line.split(b" ")
    if len(parts) != 3 or not _TOKEN.fullmatch(parts[0]) or not _TARGET.fullmatch(parts[1]):
        raise Malformed(f"request line {line!r}")
    if parts[2] not in (b"HTTP/1.1", b"HTTP/1.0"):
        raise Malformed(f"version {parts[2]!r}")
    request = Request(tuple(part.decode("latin-1") for part in parts), _fields(cursor), complete=False)
    if len(request.all("host")) != 1:
        raise Malformed(f"{len(request.all('host'))} Host fields")
    return request


def request_body(cursor, request):
    """Reads the body after `request_head`; fills what is there before it raises `Incomplete`."""
    _read_body(cursor, request, _framing(request) or 0)
    request.complete = True


def response_head(cursor):
    """Reads one response head, strictly."""
    line = cursor.line()
    version, _, rest = line.partition(b" ")
    code, space, reason = rest.partition(b" ")
    if version != b"HTTP/1.1" or len(code) != 3 or not code.isdigit() or not space or not _REASON.fullmatch(reason):
        raise Malformed(f"status line {line!r}")
    start = (version.decode(), int(code), reason.decode("latin-1"))
    return Response(start, _fields(cursor), complete=False)


def response_body(cursor, response, method, ended):
    """Reads the body after `response_head`. `ended`: the connection has ended, so a body without length has too."""
    framing = _framing(response)
    if method == "HEAD" or response.status in (204, 304) or response.status < 200:
        response.complete = True
        return
    if framing is None:
        response.body = cursor.available(len(cursor.buffer))
        if not ended:
            raise Incomplete
    else:
        _read_body(cursor, response, framing)
    response.complete = True


def strict_requests(raw):
    """Returns (complete requests, the unfinished one or None) in `raw`."""
    cursor, done = Cursor(raw), []
    while cursor.at < len(raw):
        request = None
        try:
            request = request_head(cursor)
            request_body(cursor, request)
        except Incomplete:
            return done, request or Request(("", "", ""), [], complete=False)
        done.append(request)
    return done, None


class _Listener:
    def __init__(self):
        self.bodies, self.body = [], None

    def on_message_begin(self):
        self.body = b""

    def on_body(self, body):
        self.body += body

    def on_message_complete(self):
        self.bodies.append(self.body)


def httptools_bodies(raw):
    """The bodies of the complete requests that llhttp sees."""
    listener = _Listener()
    try:
        httptools.HttpRequestParser(listener).feed_data(raw)
    except httptools.HttpParserUpgrade:
        pass
    return listener.bodies


def h11_bodies(raw):
    """The bodies of the complete requests that h11 sees."""
    connection, bodies, body = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 20), [], b""
    connection.receive_data(raw)
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA or event is h11.PAUSED:
            return bodies
        if isinstance(event, h11.Data):
            body += bytes(event.data)
        if isinstance(event, h11.EndOfMessage):
            bodies.append(body)
            body = b""
            if connection.their_state is h11.MIGHT_SWITCH_PROTOCOL:
                return bodies
            connection.send(h11.Response(status_code=200, headers=[("content-length", "0")]))
            connection.send(h11.EndOfMessage())
            if connection.our_state is h11.MUST_CLOSE:
                return bodies
            connection.start_next_cycle()


def agree(raw):
    """Parses upstream bytes three ways; returns what `strict_requests` returns, or raises `Malformed`."""
    raw = bytes(raw)
    done, rest = strict_requests(raw)
    ours = [request.body for request in done]
    theirs = {}
    for name, parse in (("httptools", httptools_bodies), ("h11", h11_bodies)):
        try:
            theirs[name] = parse(raw)
        except httptools.HttpParserInvalidMethodError:
            continue  # llhttp knows a fixed list of methods; any token is one
        except Exception as error:
            raise Malformed(f"{name} refuses what was forwarded: {error!r}: {raw[:300]!r}") from error
    for name, bodies in theirs.items():
        if bodies != ours:
            raise Malformed(f"{name} sees {len(bodies)} messages {bodies!r:.200}, we see {len(ours)} {ours!r:.200}")
    return done, rest
