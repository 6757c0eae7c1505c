"""Looks at a local TCP socket from outside, by the kernel's socket diagnosis.

A test that cuts its bytes in two must know that the proxy has read the first part before it sends the second;
otherwise the kernel joins them and nothing is tested. No sleep can tell; the length of the receive queue can.
"""
import os
import socket
import struct
import threading
import time

_SOCK_DIAG_BY_FAMILY = 20
_NETLINK_SOCK_DIAG = 4
_ESTABLISHED, _CLOSE_WAIT = 1, 8
_local = threading.local()


def _channel():
    if not hasattr(_local, "channel"):
        _local.channel = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _NETLINK_SOCK_DIAG)
        _local.channel.bind((0, 0))
    return _local.channel


def receive_queue(here, there):
    """Unread bytes in the socket whose own address is `here` and whose peer is `there`; None if it is gone."""
    family = socket.AF_INET6 if ":" in here[0] else socket.AF_INET
    pad = b"" if family == socket.AF_INET6 else bytes(12)
    sockid = struct.pack("!HH", here[1], there[1])
    sockid += socket.inet_pton(family, here[0]) + pad + socket.inet_pton(family, there[0]) + pad
    sockid += struct.pack("=III", 0, 0xFFFFFFFF, 0xFFFFFFFF)
    body = struct.pack("=BBBBI", family, socket.IPPROTO_TCP, 0, 0, 0xFFFFFFFF) + sockid
    channel = _channel()
    channel.send(struct.pack("=IHHII", 16 + len(body), _SOCK_DIAG_BY_FAMILY, 1, 1, 0) + body)
    answer = channel.recv(4096)
    kind = struct.unpack_from("=H", answer, 4)[0]
    if kind != _SOCK_DIAG_BY_FAMILY:
        return None
    state = answer[17]
    if state not in (_ESTABLISHED, _CLOSE_WAIT):
        return None
    return struct.unpack_from("=I", answer, 16 + 4 + 48 + 4)[0]


def wait_until_read(connection, seconds=5.0):
    """Returns True once the peer of `connection` has read all that was sent, False if the peer is gone."""
    here, there = connection.getpeername()[:2], connection.getsockname()[:2]
    end = time.monotonic() + seconds
    while True:
        queued = receive_queue(here, there)
        if queued is None:
            return False
        if queued == 0:
            return True
        if time.monotonic() > end:
            raise TimeoutError(f"the peer left {queued} bytes unread")
        os.sched_yield()
