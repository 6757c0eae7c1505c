"""HTTP/2 by hand: frames that no library would write, and both ends of a connection that read what comes back.

`F`, `L`, `P`, `H`, `rq`, `post`, `ids` build bytes; flags add up. `H2Client` is a client, `H2Peer` the server's end.
"""
import struct
import time
from dataclasses import dataclass, field

import hpack

from client import Client, Closed, Silence

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEAD, PRIO, RST, SETT, PUSH, PING, GOAW, WUPD, CONT = range(10)
ES, ACK, EH, PAD, PRI = 1, 1, 4, 8, 32
NO_ERROR, PROTOCOL, INTERNAL, FLOW, TIMEOUT, CLOSED, SIZE, REFUSED, CANCEL, COMPRESSION = range(10)
CONNECT, CALM = 10, 11
TABLE, ENABLE_PUSH, MAX_STREAMS, WINDOW, MAX_FRAME, MAX_LIST, EXTENDED_CONNECT, NO_PRIORITIES = 1, 2, 3, 4, 5, 6, 8, 9


def F(kind, flags, stream, payload=b""):
    """A frame."""
    return struct.pack("!I", len(payload))[1:] + struct.pack("!BBI", kind, flags, stream) + payload


def _octets(text):
    return text if isinstance(text, bytes) else text.encode("latin-1")


def integer(value, bits, high=0):
    """An integer of HPACK with a prefix of `bits` bits below `high` (RFC 7541 section 5.1)."""
    most = (1 << bits) - 1
    if value < most:
        return bytes([high | value])
    value -= most
    out = bytearray([high | most])
    while value >= 128:
        out.append(value % 128 | 128)
        value //= 128
    return bytes(out + bytes([value]))


def L(name, value, first=b"\x00"):
    """A literal field that goes into no table, without Huffman."""
    name, value = _octets(name), _octets(value)
    return first + integer(len(name), 7) + name + integer(len(value), 7) + value


def LI(name, value):
    """A literal field that goes into the dynamic table."""
    return L(name, value, b"\x40")


def P(m="GET", p="/x", s="http", a="a", extra=b""):
    """The pseudo-fields of a request, and what comes after them; None leaves one out."""
    fields = [(":method", m), (":path", p), (":scheme", s), (":authority", a)]
    return b"".join(L(name, value) for name, value in fields if value is not None) + extra


def H(stream=1, block=None, flags=ES + EH):
    """HEADERS."""
    return F(HEAD, flags, stream, P() if block is None else block)


def rq(fields, **how):
    """A request with further fields, already encoded."""
    return H(1, P(extra=fields, **how))


def post(length, body, extra=b"", stream=1):
    """A POST with its body in one frame; `length` is what `content-length` says, None for nothing."""
    said = b"" if length is None else L("content-length", length)
    return H(stream, P("POST", extra=said + extra), EH) + F(DATA, ES, stream, _octets(body))


def ids(count, first=1):
    """The first numbers of streams that a client may use."""
    return range(first, first + 2 * count, 2)


def settings(*pairs):
    """SETTINGS, from pairs of identifier and value."""
    return F(SETT, 0, 0, b"".join(struct.pack("!HI", name, value) for name, value in pairs))


def number(value):
    return struct.pack("!I", value)


def goaway(last, code, data=b""):
    return F(GOAW, 0, 0, number(last) + number(code) + data)


@dataclass
class Frame:
    kind: int
    flags: int
    stream: int
    payload: bytes

    @property
    def code(self):
        """The error code of RST_STREAM or GOAWAY."""
        return struct.unpack_from("!I", self.payload, 4 if self.kind == GOAW else 0)[0]

    @property
    def settings(self):
        return dict(struct.iter_unpack("!HI", self.payload))


@dataclass
class Stream:
    """What has come of one stream."""
    id: int
    heads: list = field(default_factory=list)
    body: bytearray = field(default_factory=bytearray)
    frames: list = field(default_factory=list)
    ended: bool = False
    reset: int | None = None

    @property
    def over(self):
        return self.ended or self.reset is not None

    @property
    def status(self):
        """The final status; None before it has come."""
        return next((s for s in (int(dict(head).get(":status", 0)) for head in self.heads) if s >= 200), None)

    @property
    def fields(self):
        return dict(next(head for head in self.heads if int(dict(head).get(":status", 0)) >= 200))

    @property
    def interim(self):
        return [int(dict(h)[":status"]) for h in self.heads if 100 <= int(dict(h).get(":status", 0)) < 200]

    @property
    def trailers(self):
        return dict(self.heads[-1]) if self.heads and ":status" not in dict(self.heads[-1]) else {}


class _Reader:
    """What has come on a connection, in frames and by streams. `self.fill` adds to `self.buffer`."""

    def begin(self):
        self.frames, self.streams, self.goaways = [], {}, []
        self.acks = self.pongs = 0
        self.peer_settings = {}
        self._decoder = hpack.Decoder(1 << 24)
        self._block, self._block_head = b"", None
        self.gives_credit = self.answers = True

    def stream(self, id):
        return self.streams.setdefault(id, Stream(id))

    @property
    def goaway(self):
        """The code of the last GOAWAY; None before one."""
        return self.goaways[-1].code if self.goaways else None

    def _take(self):
        """A frame from the buffer, noted; None where there is no whole one."""
        if len(self.buffer) < 9:
            return None
        length = int.from_bytes(self.buffer[:3], "big")
        if len(self.buffer) < 9 + length:
            return None
        kind, flags, stream = struct.unpack_from("!BBI", self.buffer, 3)
        frame = Frame(kind, flags, stream, bytes(self.buffer[9:9 + length]))
        del self.buffer[:9 + length]
        self._note(frame)
        return frame

    def _note(self, frame):
        assert len(frame.payload) <= 16384, f"a frame of {len(frame.payload)} bytes"
        self.frames.append(frame)
        if frame.kind == SETT:
            if frame.flags & ACK:
                self.acks += 1
            else:
                self.peer_settings.update(frame.settings)
                if self.answers:
                    self.send(F(SETT, ACK, 0))
        elif frame.kind == PING:
            if frame.flags & ACK:
                self.pongs += 1
            else:
                self.send(F(PING, ACK, 0, frame.payload))
        elif frame.kind == GOAW:
            self.goaways.append(frame)
        elif frame.kind in (HEAD, CONT):
            self._fields(frame)
        elif frame.stream:
            stream = self.stream(frame.stream)
            stream.frames.append(frame)
            if frame.kind == RST:
                stream.reset = frame.code
            elif frame.kind == DATA:
                assert stream.heads and not stream.ended, "DATA where there may be none"
                stream.body += frame.payload
                stream.ended = bool(frame.flags & ES)
                if self.gives_credit and frame.payload:
                    self.send(F(WUPD, 0, 0, number(len(frame.payload))))
                    if not stream.ended:
                        self.send(F(WUPD, 0, frame.stream, number(len(frame.payload))))

    def _fields(self, frame):
        if frame.kind == HEAD:
            self._block, self._block_head = b"", frame
            payload = frame.payload
            if frame.flags & PAD:
                payload = payload[1:len(payload) - payload[0]]
            self._block = payload[5:] if frame.flags & PRI else payload
        else:
            self._block += frame.payload
        stream = self.stream(frame.stream)
        stream.frames.append(frame)
        if frame.flags & EH:
            head = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in self._decoder.decode(self._block, raw=True)]
            assert all(name == name.lower() for name, _ in head), head
            stream.heads.append(head)
            if self._block_head.flags & ES:
                stream.ended = True

    def read_frame(self, until=None):
        """The next frame; None at the end of the connection."""
        while (frame := self._take()) is None:
            if not self.fill(until):
                return None
        return frame

    def read_until(self, done, seconds=None):
        """Reads until `done()` or the end of the connection; tells which: True for `done`."""
        until = time.monotonic() + (self.patience if seconds is None else seconds)
        while not done():
            if self.read_frame(until) is None:
                return bool(done())
        return True

    def drain(self):
        """Reads what has come, and does not wait."""
        try:
            while self.read_frame(time.monotonic()) is not None:
                pass
        except Silence:
            pass


class H2Client(_Reader, Client):
    """A client with prior knowledge, or over a socket on which TLS has agreed on h2."""

    def __init__(self, address, greets=True, patience=5.0, own=(), connection=None, receive_buffer=None):
        if connection is None:
            Client.__init__(self, address, patience, receive_buffer)
        else:
            self.socket, self.patience = connection, patience
            self.buffer, self.ended, self.was_reset = bytearray(), False, False
        self.begin()
        self.answers = greets
        self._next = 1
        if greets:
            self.greet(*own)

    def greet(self, *own):
        """The preface and SETTINGS; returns when the server has said and acknowledged its part."""
        self.send(PREFACE + settings(*own))
        assert self.read_until(lambda: self.peer_settings and self.acks), "no SETTINGS from the server"

    def new(self):
        """A number for a stream."""
        number = self._next
        self._next += 2
        return number

    def ask(self, path="/", method="GET", headers=(), body=None, stream=None, authority="a", seconds=None, scheme="http"):
        """One request, and what came of its stream."""
        stream = self.new() if stream is None else stream
        extra = b"".join(L(name, value) for name, value in headers)
        self.send(H(stream, P(method, path, scheme, authority, extra), EH + (ES if body is None else 0)))
        if body is not None:
            self.send(F(DATA, ES, stream, body))
        return self.answer(stream, seconds)

    def answer(self, stream, seconds=None):
        """Waits until a stream is over."""
        if not self.read_until(lambda: self.stream(stream).over, seconds):
            raise Closed(f"closed before the answer; GOAWAY {self.goaway}; {self.stream(stream)}")
        return self.stream(stream)

    def ping(self, seconds=None):
        """Returns when all that was sent before has been read and answered as far as it is at once."""
        want = self.pongs + 1
        self.send(F(PING, 0, 0, b"barrier!"))
        if not self.read_until(lambda: self.pongs >= want, seconds):
            raise Closed(f"closed before the answer to a PING; GOAWAY {self.goaway}")

    def expect_goaway(self, *codes, seconds=None):
        """GOAWAY with one of these codes, and the end of the connection."""
        self.read_until(lambda: False, seconds)
        assert self.goaway in codes, f"GOAWAY {self.goaway}, not {codes}"


class H2Peer(_Reader):
    """The server's end: wraps an `origin.Peer` whose proxy speaks HTTP/2 with it. Scripts send what they like."""

    def __init__(self, peer, greets=True, own=()):
        self.peer, self.socket = peer, peer.socket
        self.buffer, self.patience = bytearray(), 10.0
        self.begin()
        self._encoder = hpack.Encoder()
        if greets:
            self.greet(*own)

    def greet(self, *own):
        while len(self.buffer) < len(PREFACE):
            if not self.fill():
                return
        assert self.buffer.startswith(PREFACE), bytes(self.buffer[:30])
        del self.buffer[:len(PREFACE)]
        self.send(settings(*own))

    def send(self, data):
        return self.peer.send(data)

    def fill(self, until=None):
        before = len(self.peer.received)
        seconds = None if until is None else max(0.0, until - time.monotonic())
        try:
            more = self.peer.fill(seconds)
        except TimeoutError:
            raise Silence("the proxy sent nothing") from None
        self.buffer += self.peer.received[before:]
        return more

    def next_request(self):
        """The next request whose end has come; None at the end of the connection."""
        if not hasattr(self, "_served"):
            self._served = set()
        ready = lambda: next((s for i, s in sorted(self.streams.items())  # noqa: E731
                              if s.ended and i not in self._served), None)
        while (stream := ready()) is None:
            if self.read_frame() is None:
                return None
        self._served.add(stream.id)
        return stream

    def head(self, stream, *fields, status="200", flags=EH):
        block = L(":status", status) + b"".join(L(n, v) for n, v in fields)
        self.send(F(HEAD, flags, stream, block))

    def answer(self, stream, body=b"ok", status="200", fields=()):
        self.head(stream, *fields, status=status)
        self.send(F(DATA, ES, stream, body))


__all__ = [name for name in dir() if not name.startswith("_")]
