"""Rows of the bank of HTTP/2, changed at random: whatever comes, the proxy lives, nothing leaks, and upstreams of HTTP/1
and HTTP/2 see whole messages or cut ones."""
import random
import re

import pytest

import parsers
from admin import expect_idle
from client import Closed, Silence
from configs import http_proxy
from h2bank import rows
from h2raw import *  # noqa: F403
from origin import Origin

ROWS = [row.bytes for row in rows() if not row.raw and len(row.bytes) < 3000]
MEANING = [b"\r", b"\n", b"\0", b":", b"\t", b" ", b"\xff", b"\x00\x01", b"\x80"]
NAME = re.compile(r"[!#$%&'*+.^_`|~0-9a-z-]+")
FORBIDDEN = {"connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade", "host"}


def mutate(data, chance):
    """One to four changes: bytes dropped, put in, replaced, moved; or two rows joined."""
    data = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(data) + 1)
        kind = chance.randrange(6)
        if kind == 0:
            del data[at:at + chance.randint(1, 4)]
        elif kind == 1:
            data[at:at] = chance.choice(MEANING)
        elif kind == 2 and at < len(data):
            data[at] = chance.randrange(256)
        elif kind == 3 and at < len(data):
            data[at] ^= 1 << chance.randrange(8)
        elif kind == 4:
            data += chance.choice(ROWS)
        else:
            data[at:] = chance.choice(ROWS)
    return bytes(data)


def play(proxy, data, chance):
    with H2Client(proxy.address(), patience=0.05) as client:
        if chance.random() < 0.3:
            client.send_pieces([data[:len(data) // 2], data[len(data) // 2:]])
        else:
            client.send(data)
        try:
            client.read_until(lambda: client.goaway is not None or client.stream(1).over)
        except (Silence, Closed):
            pass
        if chance.random() < 0.2:
            client.reset()


def check_head(head):
    """What went upstream over HTTP/2 is as it must be (RFC 9113 section 8)."""
    pseudo = [name for name, _ in head if name.startswith(":")]
    assert [name for name, _ in head][:len(pseudo)] == pseudo and len(set(pseudo)) == len(pseudo), head
    fields = dict(head)
    if fields[":method"] != "CONNECT":
        assert fields[":path"].startswith("/") or fields[":path"] == "*", head
    for name, value in head[len(pseudo):]:
        assert NAME.fullmatch(name) and name not in FORBIDDEN and not re.search(r"[\0\r\n]", value), head
        assert value == value.strip(" \t"), head


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("protocol", ["http1", "http2"])
def test_changed_rows_do_no_harm(sluice, protocol, seed):
    heads = []

    def over_http2(peer):
        h2 = H2Peer(peer)
        while request := h2.next_request():
            heads.append(request.heads[0])
            h2.answer(request.id)
    origin = Origin(over_http2) if protocol == "http2" else Origin()
    proxy = sluice(http_proxy(origin.endpoint, workers=1, admin={"bind": "127.0.0.1:0"}, route={"idle_timeout": "1s"},
                              upstream={"http": {"protocol": protocol}}))
    chance = random.Random(seed)
    try:
        for _ in range(150):
            play(proxy, mutate(chance.choice(ROWS), chance), chance)
        with H2Client(proxy.address()) as client:
            assert client.ask().status == 200
        expect_idle(proxy)
        origin.settle()
        if protocol == "http1":
            for peer in list(origin.peers):
                if peer.received:
                    parsers.agree(bytes(peer.received))
        for head in heads:
            check_head(head)
        assert origin.faults == []
    finally:
        origin.stop()
