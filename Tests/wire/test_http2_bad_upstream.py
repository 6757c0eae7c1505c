"""Upstreams that speak HTTP/2 and break its rules, lose connections, or say that they take less."""
import threading

import pytest

from admin import expect_idle, stats
from client import Client, get
from configs import http_proxy
from flow import wait_until
from h2bank import rows as bank_rows
from h2raw import *  # noqa: F403

HEADS = b"".join(L(f"x{i}", "y" * 16000) for i in range(5))


class Upstream:
    """A script for `origin`: `/held` is answered when the test says so, `/bad` by `misbehave`, all others at once."""

    def __init__(self, misbehave=None, own=()):
        self.misbehave, self.own = misbehave, own
        self.connections, self.let_go = [], threading.Event()
        self.seen = []
        self._lock = threading.Lock()

    def __call__(self, peer):
        h2 = H2Peer(peer, own=self.own)
        self.connections.append(h2)
        while request := h2.next_request():
            path = dict(request.heads[0])[":path"]
            with self._lock:
                self.seen.append(path)
            peer.origin.changed()
            if path == "/bad":
                self.misbehave(h2, request.id)
            elif path == "/held":
                threading.Thread(target=self._held, args=(h2, request.id), daemon=True).start()
            else:
                h2.answer(request.id)

    def _held(self, h2, id):
        self.let_go.wait(20)
        h2.answer(id, b"held")


class Asking(threading.Thread):
    """A request in a thread of its own; `join` gives its response."""

    def __init__(self, address, path, **how):
        super().__init__(daemon=True)
        self.address, self.path, self.how = address, path, how
        self.start()

    def run(self):
        with Client(self.address, patience=15) as client:
            client.send(f"GET {self.path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
            try:
                self.response = client.read_response(partial=True)
            except AssertionError as error:
                self.response = error

    def join(self):
        super().join(20)
        return self.response


def proxy_for(sluice, *endpoints, **more):
    upstream = {"http": {"protocol": "http2"}, **more.pop("upstream", {})}
    return sluice(http_proxy(*endpoints, workers=1, admin={"bind": "127.0.0.1:0"}, upstream=upstream, **more))


def raw_head(block, flags=EH + ES):
    return lambda h2, id: h2.send(F(HEAD, flags, id, block))


def says(*frames):
    """Sends frames made for the stream's number."""
    return lambda h2, id: h2.send(b"".join(frame(id) for frame in frames))


def head(block=b"", flags=EH, status="200"):
    return lambda id: F(HEAD, flags, id, L(":status", status) + block)


def data(body, flags=ES):
    return lambda id: F(DATA, flags, id, body)


def rst(code):
    return lambda id: F(RST, 0, id, number(code))


def large_head(id):
    block = L(":status", "200") + HEADS
    pieces = [block[at:at + 16384] for at in range(0, len(block), 16384)]
    return F(HEAD, ES, id, pieces[0]) + b"".join(
        F(CONT, EH * (piece is pieces[-1]), id, piece) for piece in pieces[1:])


REFUSED_ANSWER, CUT, FINE = (502, 503), "cut", (200,)

# What an upstream does with one stream, and what its client gets: other streams of the connection must not notice.
ONE_STREAM = {
    "no status": (raw_head(L("x", "y")), REFUSED_ANSWER),
    "two statuses": (says(head(L(":status", "200"), EH + ES)), REFUSED_ANSWER),
    "status 101": (says(head(flags=EH + ES, status="101")), REFUSED_ANSWER),
    "status 101 that goes on": (says(head(status="101"), data(b"x")), REFUSED_ANSWER),
    "status of letters": (says(head(flags=EH + ES, status="abc")), REFUSED_ANSWER),
    "status of two digits": (says(head(flags=EH + ES, status="20")), REFUSED_ANSWER),
    "status of four digits": (says(head(flags=EH + ES, status="2000")), REFUSED_ANSWER),
    "empty status": (says(head(flags=EH + ES, status="")), REFUSED_ANSWER),
    "status 099": (says(head(flags=EH + ES, status="099")), REFUSED_ANSWER),
    "upper-case name": (says(head(L("X-A", "1"), EH + ES)), REFUSED_ANSWER),
    "space in a name": (says(head(L("x a", "1"), EH + ES)), REFUSED_ANSWER),
    "CR LF in a value": (says(head(L("x", "1\r\nset-cookie: a=b"), EH + ES)), REFUSED_ANSWER),
    "NUL in a value": (says(head(L("x", "1\x00"), EH + ES)), REFUSED_ANSWER),
    "connection": (says(head(L("connection", "close"), EH + ES)), REFUSED_ANSWER),
    "transfer-encoding": (says(head(L("transfer-encoding", "chunked")), data(b"0\r\n\r\n")), REFUSED_ANSWER),
    "upgrade": (says(head(L("upgrade", "h2c"), EH + ES)), REFUSED_ANSWER),
    "pseudo-field of requests": (says(head(L(":path", "/"), EH + ES)), REFUSED_ANSWER),
    "pseudo-field behind a field": (raw_head(L("x", "y") + L(":status", "200")), REFUSED_ANSWER),
    "status 103 that ends the stream": (says(head(flags=EH + ES, status="103")), REFUSED_ANSWER),
    "status 100 that ends the stream": (says(head(flags=EH + ES, status="100")), REFUSED_ANSWER),
    "DATA after status 103": (says(head(status="103"), data(b"x")), REFUSED_ANSWER),
    "interim answers without end": (says(*[head(status="103")] * 300), REFUSED_ANSWER),
    "two lengths": (says(head(L("content-length", "2") + L("content-length", "5")), data(b"ok")), REFUSED_ANSWER),
    "length of letters": (says(head(L("content-length", "abc")), data(b"ok")), REFUSED_ANSWER),
    "length +2": (says(head(L("content-length", "+2")), data(b"ok")), REFUSED_ANSWER),
    "length that wraps 64 bits": (says(head(L("content-length", "18446744073709551618")), data(b"ok")), REFUSED_ANSWER),
    "length with thirty zeros": (says(head(L("content-length", "0" * 30 + "2")), data(b"ok")), (502, 503)),
    "body longer than its length": (says(head(L("content-length", "2")), data(b"okk")), CUT),
    "body shorter than its length": (says(head(L("content-length", "5")), data(b"ok")), CUT),
    "a length, and no body": (says(head(L("content-length", "5"), EH + ES)), (*REFUSED_ANSWER, "cut")),
    "pseudo-field in trailers": (says(head(), data(b"ok", 0), head(flags=EH + ES)), CUT),
    "upper-case name in trailers": (says(head(), data(b"ok", 0), lambda i: F(HEAD, EH + ES, i, L("X", "y"))), CUT),
    "trailers that do not end the stream": (says(head(), data(b"ok", 0), lambda i: F(HEAD, EH, i, L("x", "y"))), CUT),
    "second head": (says(head(), data(b"ok", 0), head()), CUT),
    "reset before the head": (says(rst(CANCEL)), REFUSED_ANSWER),
    "reset for an error of its own": (says(rst(INTERNAL)), REFUSED_ANSWER),
    "reset with NO_ERROR before the head": (says(rst(NO_ERROR)), REFUSED_ANSWER),
    "reset with a code nobody knows": (says(rst(0xFFFF)), REFUSED_ANSWER),
    "reset within the body": (says(head(), data(b"ok", 0), rst(CANCEL)), CUT),
    "reset with NO_ERROR within the body": (says(head(), data(b"ok", 0), rst(NO_ERROR)), CUT),
    "credit of 0": (says(lambda i: F(WUPD, 0, i, number(0))), REFUSED_ANSWER),
    "101 fields": (says(head(b"".join(L(f"x{i}", "y") for i in range(101)), EH + ES)), REFUSED_ANSWER),
    "a head of 80,000 bytes": (says(large_head), REFUSED_ANSWER),
    "a head of many small references": (says(head(b"\x60\x00" + b"\xbe" * 15000, EH + ES)), REFUSED_ANSWER),
    "padding and unknown frames": (says(lambda i: F(0xBE, 0, i, b"x"), head(), lambda i: F(DATA, ES + PAD, i, b"\x03ok" + bytes(3))), FINE),
    "status 103, then the answer": (says(head(L("link", "</a>"), status="103"), head(), data(b"ok")), FINE),
    "status 100, then the answer": (says(head(status="100"), head(), data(b"ok")), FINE),
    "trailers": (says(head(), data(b"ok", 0), lambda i: F(HEAD, EH + ES, i, L("x", "y"))), FINE),
    "answer in empty frames too": (says(head(), data(b"", 0), data(b"ok", 0), data(b"")), FINE),
    "answer, then reset with NO_ERROR": (says(head(), data(b"ok"), rst(NO_ERROR)), FINE),
    "priority": (says(lambda i: F(PRIO, 0, i, bytes(5)), head(), data(b"ok")), FINE),
}


@pytest.mark.parametrize("name", ONE_STREAM)
def test_a_bad_answer_is_a_matter_of_its_own_stream(sluice, origin, name):
    misbehave, expected = ONE_STREAM[name]
    upstream = Upstream(misbehave)
    one = origin(upstream)
    proxy = proxy_for(sluice, one.endpoint)
    held = Asking(proxy.address(), "/held")
    one.wait_for(lambda o: "/held" in upstream.seen)
    response = Asking(proxy.address(), "/bad").join()
    if response.status == 200 and expected != FINE:
        assert "cut" in expected and not response.complete, (response.start, response.body)
    elif expected == CUT:
        # Nothing of it had gone out yet.
        assert response.status == 502 and response.complete
    else:
        assert response.status in expected and response.complete, response
    if expected == FINE:
        assert response.body == b"ok"
    upstream.let_go.set()
    assert held.join().body == b"held"
    assert get(proxy.address(), "/after").status == 200
    assert len(one.peers) == 1 and not one.faults
    expect_idle(proxy)


def _from_bank():
    """What no peer may send, servers included: rows of the bank that need no request."""
    return {f"{row.id} {row.case}": row.bytes for row in bank_rows()
            if not any(word in row.code for word in ("H(", "rq(", "P(")) and not row.raw and row.ends and "idle" not in row.case}


HPACK = {name: block for name, block in [
    ("index 0", b"\x80"), ("index behind the last", b"\xff\x00"), ("integer without end", b"\xff" * 13 + b"\x7f"),
    ("Huffman with EOS", b"\x00\x01x\x84\xff\xff\xff\xff"), ("size of the table within a block", b"\x20"),
    ("block that ends in a field", b"\x00\x01x")]}

WHOLE_CONNECTION = {
    **{name: (lambda h2, id, data=data: h2.send(data)) for name, data in _from_bank().items()},
    **{f"hpack: {name}": says(head(block, EH + ES)) for name, block in HPACK.items()},
    "PUSH_PROMISE": says(lambda i: F(PUSH, EH, i, number(2) + P())),
    "PUSH_PROMISE of an odd number": says(lambda i: F(PUSH, EH, i, number(9) + P())),
    "HEADERS of a stream nobody began": says(lambda i: head()(2)),
    "HEADERS of our next stream": says(lambda i: head()(i + 20)),
    "DATA of a stream nobody began": says(lambda i: data(b"x")(i + 20)),
    "RST_STREAM of a stream nobody began": says(lambda i: rst(CANCEL)(i + 20)),
    "WINDOW_UPDATE of a stream nobody began": says(lambda i: F(WUPD, 0, i + 20, number(1))),
    "DATA before the head": says(data(b"x")),
    "ENABLE_PUSH": says(lambda i: settings((ENABLE_PUSH, 1))),
    "DATA of 16385 bytes": says(head(), data(bytes(16385))),
    "more padding than bytes": says(head(), lambda i: F(DATA, PAD, i, b"\x05x")),
    "another frame within a head": says(lambda i: F(HEAD, 0, i, L(":status", "200")) + F(PING, 0, 0, bytes(8))),
    "CONTINUATION without end": says(lambda i: F(HEAD, 0, i, L(":status", "200")) + F(CONT, 0, i) * 100),
    "the end": lambda h2, id: h2.peer.close(),
    "a reset": lambda h2, id: h2.peer.reset(),
    "the end within a head": lambda h2, id: [h2.send(head()(id)[:12]), h2.peer.close()],
    "the end within a frame's header": lambda h2, id: [h2.send(head()(id)[:5]), h2.peer.close()],
    "SETTINGS without end": says(lambda i: settings() * 5000),
    "PING without end": says(lambda i: F(PING, 0, 0, bytes(8)) * 5000),
    "PRIORITY without end": says(lambda i: F(PRIO, 0, i, bytes(5)) * 5000),
    "unknown frames without end": says(lambda i: F(0xBE, 0, 0) * 5000),
    "WINDOW_UPDATE without end": says(lambda i: F(WUPD, 0, 0, number(1)) * 5000),
    "empty DATA without end": says(head(), lambda i: F(DATA, 0, i) * 5000),
}


@pytest.mark.parametrize("name", WHOLE_CONNECTION)
def test_a_connection_that_breaks_the_rules_ends_with_all_its_streams(sluice, origin, name):
    upstream = Upstream(WHOLE_CONNECTION[name])
    one = origin(upstream)
    proxy = proxy_for(sluice, one.endpoint)
    held = Asking(proxy.address(), "/held")
    one.wait_for(lambda o: "/held" in upstream.seen)
    response = Asking(proxy.address(), "/bad").join()
    assert response.status in (502, 503) and response.complete or response.status == 200 and not response.complete, response
    # GOAWAY and an end say of a stream that it was not looked at, or may not have been: it may be sent again.
    other = held.join()
    assert other.status in (502, 503), other.start
    upstream.let_go.set()
    assert get(proxy.address(), "/after").status == 200
    expect_idle(proxy)
    one.wait_for(lambda o: o.peers[0].ended or not o.peers[0].is_open or o.peers[0]._finished)


def test_streams_above_the_last_of_a_goaway_are_sent_again_and_those_below_finish(sluice, origin):
    """F25: also a POST of which no body was sent."""
    upstream = Upstream()
    heard = threading.Event()

    def script(peer):
        if peer.number > 0:
            return upstream(peer)
        h2 = H2Peer(peer)
        h2.read_until(lambda: 1 in h2.streams and h2.stream(1).ended)
        h2.read_until(lambda: all(i in h2.streams and h2.stream(i).heads for i in (1, 3, 5)))
        h2.send(goaway(1, NO_ERROR))
        heard.wait(10)
        h2.answer(1, b"below")
        h2.peer.wait_end()
    one = origin(script)
    proxy = proxy_for(sluice, one.endpoint)
    first = Asking(proxy.address(), "/first")
    one.wait_for(lambda o: o.peers)
    with Client(proxy.address()) as poster:
        wait_until(lambda: stats(proxy)["cluster.app.upstream_rq_active"] == 1)
        second = Asking(proxy.address(), "/second")
        wait_until(lambda: stats(proxy)["cluster.app.upstream_rq_active"] == 2)
        poster.send(b"POST /third HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
        assert second.join().status == 200
        poster.send(b"hello")
        assert poster.read_response().status == 200
    heard.set()
    assert first.join().body == b"below"
    assert sorted(upstream.seen) == ["/second", "/third"] and len(one.peers) == 2
    expect_idle(proxy)


def test_a_refused_stream_is_sent_again(sluice, origin):
    refused = []

    def refuse(h2, id):
        refused.append(id)
        h2.send(rst(REFUSED)(id) if len(refused) == 1 else head()(id) + data(b"again")(id))
    one = origin(Upstream(refuse))
    proxy = proxy_for(sluice, one.endpoint)
    assert get(proxy.address(), "/bad").body == b"again"
    assert len(refused) == 2
    expect_idle(proxy)


def test_a_stream_that_is_always_refused_is_answered(sluice, origin):
    one = origin(Upstream(says(rst(REFUSED))))
    proxy = proxy_for(sluice, one.endpoint)
    assert get(proxy.address(), "/bad").status in (502, 503)
    assert get(proxy.address(), "/after").status == 200
    expect_idle(proxy)


@pytest.mark.parametrize("ends_first", [False, True])
def test_requests_wait_while_the_upstream_takes_none_and_go_on_when_it_does(sluice, origin, ends_first):
    """F27: one, then none, then a hundred. A connection that carries nothing and takes nothing is made anew."""
    upstream = Upstream(own=[(MAX_STREAMS, 1)])
    one = origin(upstream)
    proxy = proxy_for(sluice, one.endpoint, upstream={"max_connections": 1})
    held = Asking(proxy.address(), "/held")
    one.wait_for(lambda o: "/held" in upstream.seen)
    more = [Asking(proxy.address(), f"/{i}") for i in range(10)]
    wait_until(lambda: stats(proxy)["cluster.app.upstream_rq_pending_active"] == 10)
    (h2,) = upstream.connections
    before = h2.acks
    h2.send(settings((MAX_STREAMS, 0)))
    wait_until(lambda: h2.acks > before)
    assert stats(proxy)["cluster.app.upstream_rq_pending_active"] == 10
    if not ends_first:
        h2.send(settings((MAX_STREAMS, 100)))
        assert [one.join().status for one in more] == [200] * 10
    upstream.let_go.set()
    assert held.join().body == b"held"
    assert [one.join().status for one in more] == [200] * 10
    assert len(one.peers) == 1 + ends_first
    expect_idle(proxy)


def test_an_upstream_that_answers_in_http1_is_told_apart(sluice, origin):
    one = origin(lambda peer: [peer.fill(), peer.send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"), peer.wait_end()])
    proxy = proxy_for(sluice, one.endpoint)
    assert get(proxy.address()).status in (502, 503)
    expect_idle(proxy)


def test_an_upstream_that_sends_more_than_its_credit_loses_the_stream(sluice, origin):
    def flood(h2, id):
        h2.send(head()(id) + F(DATA, 0, id, bytes(16384)) * 1500)
    upstream = Upstream(flood)
    proxy = proxy_for(sluice, origin(upstream).endpoint)
    with Client(proxy.address(), receive_buffer=4096) as client:
        client.send(b"GET /bad HTTP/1.1\r\nHost: a\r\n\r\n")
        wait_until(lambda: stats(proxy)["fault.http2.flow_control_error"])
        assert not client.read_response(partial=True).complete
    assert get(proxy.address(), "/after").status == 200
    expect_idle(proxy)


@pytest.mark.parametrize("frames", [
    lambda i: head()(i) + F(DATA, 0, i, b"part"),
    lambda i: head(L("content-length", "9"))(i) + F(DATA, 0, i, b"part"),
])
def test_a_cut_answer_is_cut_for_clients_of_http2_too(sluice, origin, frames):
    one = origin(Upstream(lambda h2, id: [h2.send(frames(id)), h2.peer.close()]))
    proxy = proxy_for(sluice, one.endpoint)
    with H2Client(proxy.address()) as client:
        stream = client.ask("/bad")
        assert stream.reset is not None or stream.status == 502
        assert not stream.ended or stream.status == 502
        assert client.ask("/good").status == 200
    expect_idle(proxy)


def test_a_client_that_leaves_takes_its_stream_with_it_and_no_other(sluice, origin):
    upstream = Upstream(lambda h2, id: None)
    one = origin(upstream)
    proxy = proxy_for(sluice, one.endpoint)
    held = Asking(proxy.address(), "/held")
    one.wait_for(lambda o: "/held" in upstream.seen)
    with H2Client(proxy.address()) as client:
        client.send(H(1, P(p="/bad")))
        one.wait_for(lambda o: "/bad" in upstream.seen)
        client.send(F(RST, 0, 1, number(CANCEL)))
        h2 = upstream.connections[0]
        wait_until(lambda: any(f.kind == RST and f.code == CANCEL for f in h2.frames))
    upstream.let_go.set()
    assert held.join().body == b"held"
    expect_idle(proxy)
