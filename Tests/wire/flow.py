"""Large amounts of bytes that can be checked: a pattern that has no short period, sent and compared at C speed."""
import random
import select
import socket
import time

# A size that no buffer is a multiple of, so that a lost, doubled or moved page cannot go unnoticed.
PERIOD = 999_983
_BLOCK = random.Random(1).randbytes(PERIOD)
_TWICE = _BLOCK + _BLOCK


def pattern(offset, count):
    """Bytes `offset` up to `offset + count` of the pattern."""
    at = offset % PERIOD
    if at + count <= 2 * PERIOD:
        return _TWICE[at:at + count]
    return (_BLOCK * (count // PERIOD + 2))[at:at + count]


def pour(connection, total, start=0, step=1 << 19):
    """Sends bytes `start` up to `total` of the pattern; returns how far it came."""
    at = start
    view = memoryview(_TWICE)
    while at < total:
        place = at % PERIOD
        try:
            at += connection.send(view[place:place + min(step, total - at)])
        except TimeoutError:
            raise AssertionError(f"sending stands still at {at} of {total}") from None
        except OSError:
            break
    return at


def pour_until_stalled(connection, limit=1 << 40, patience=0.3):
    """Sends the pattern until nothing more is taken for `patience` seconds; returns how much was taken."""
    at = 0
    view = memoryview(_TWICE)
    poll = select.poll()
    poll.register(connection, select.POLLOUT)
    connection.setblocking(False)
    try:
        while at < limit and poll.poll(patience * 1000):
            place = at % PERIOD
            try:
                at += connection.send(view[place:place + min(1 << 19, limit - at)])
            except BlockingIOError:
                continue
            except ConnectionError:
                break
    finally:
        connection.settimeout(None)
    return at


def check(data, offset):
    """Compares received bytes with the pattern from `offset` on."""
    assert data == pattern(offset, len(data)), f"other bytes than were sent, somewhere in {offset}..{offset + len(data)}"


def drain(connection, total, start=0, early=b"", seconds=30.0):
    """Reads bytes `start` up to `total` of the pattern and compares each of them. `early`: read already."""
    check(bytes(early), start)
    at = start + len(early)
    buffer = bytearray(1 << 20)
    view = memoryview(buffer)
    connection.settimeout(seconds)
    while at < total:
        try:
            count = connection.recv_into(view[:min(len(buffer), total - at)])
        except TimeoutError:
            raise AssertionError(f"nothing came for {seconds} s; {at} of {total} bytes") from None
        assert count, f"the connection ended after {at} of {total} bytes"
        check(view[:count].tobytes(), at)
        at += count
    return at


class Chunks:
    """Reads a chunked body that carries the pattern, without keeping it."""

    def __init__(self, connection, early=b""):
        self.connection, self.buffer = connection, bytearray(early)

    def _fill(self):
        data = self.connection.recv(1 << 20)
        assert data, "the connection ended inside a chunked body"
        self.buffer += data

    def _line(self):
        while (end := self.buffer.find(b"\r\n")) < 0:
            self._fill()
        line = bytes(self.buffer[:end])
        del self.buffer[:end + 2]
        return line

    def drain(self):
        """Reads to the end of the body; returns its length."""
        at = 0
        while size := int(self._line(), 16):
            while size:
                if not self.buffer:
                    self._fill()
                part = bytes(self.buffer[:size])
                del self.buffer[:len(part)]
                check(part, at)
                at += len(part)
                size -= len(part)
            assert self._line() == b""
        assert self._line() == b"", "no trailers were sent"
        return at


def small_buffers(connection, size=64 * 1024):
    """Keeps the kernel from hiding a slow reader behind megabytes of buffer."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, size)


def wait_until(condition, seconds=5.0, what="it did not happen"):
    """Waits for something that only the kernel knows, by looking again and again."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < end, what
        time.sleep(0.001)
    return value
