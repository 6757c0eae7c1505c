"""Tunnels over HTTP/2: WebSockets by extended CONNECT (RFC 8441), to and from HTTP/1, and CONNECT itself."""
import base64
import collections
import hashlib
import re
import struct
import threading

import h2.events
import pytest

import browser
from admin import expect, stats
from certificates import throw_away
from client import Client, Closed
from configs import http_proxy
from flow import wait_until
from h2peer import H2Client, H2Server
from origin import answer
from test_http2_upstream import HTTP2, upstream  # noqa: F401
from test_upgrade import SHAKE, SWITCH, echo_bytes

needs_browser = pytest.mark.skipif(not browser.PROGRAM, reason="there is no chromium")
ENABLE_CONNECT_PROTOCOL = 8
ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="  # of the key in SHAKE


# Ends of tunnels, each with the same methods

class OverHTTP1:
    """A client's end of a tunnel that begins with an upgrade."""

    def __init__(self, address, path="/chat"):
        self.client = Client(address)
        self.client.send(SHAKE.replace(b"/chat", path.encode()))
        self.head = self.client.read_response()
        self.status, self.body = self.head.status, self.head.body
        self.is_open = self.status == 101

    def send(self, data):
        self.client.send(data)

    def read(self, count):
        return self.client.read_exactly(count)

    def half_close(self):
        self.client.half_close()

    def read_to_end(self):
        return self.client.read_to_end()

    def leave(self):
        self.client.reset()

    def still_serves(self):
        return self.client.request(target="/plain").status == 200

    def close(self):
        self.client.close()


class OverHTTP2:
    """A client's end of a tunnel that begins with an extended CONNECT."""

    def __init__(self, address, path="/chat", protocol="websocket"):
        self.client = H2Client(address)
        self.client.wait(lambda: self.client.h2.remote_settings.get(ENABLE_CONNECT_PROTOCOL) == 1)
        self.stream = self.client.request(path, method="CONNECT", last=False, more=[(":protocol", protocol)], headers=[
            ("sec-websocket-version", "13"), ("origin", "http://a")])
        self.one = self.client.streams[self.stream]
        self.client.wait(lambda: self.one.headers or self.one.reset is not None)
        self.status = self.one.status
        self.is_open = self.status == 200
        if not self.is_open and self.one.reset is None:
            self.client.finish(self.stream)
        self.body = bytes(self.one.body)

    def send(self, data):
        self.client.send(self.stream, data)

    def read(self, count):
        self.client.wait(lambda: len(self.one.body) >= count or self.one.ended or self.one.reset is not None)
        if len(self.one.body) < count:
            raise Closed(f"ended after {len(self.one.body)} of {count} bytes")
        data = bytes(self.one.body[:count])
        del self.one.body[:count]
        return data

    def half_close(self):
        self.client.send(self.stream, b"", last=True)

    def read_to_end(self):
        self.client.finish(self.stream)
        data = bytes(self.one.body)
        self.one.body.clear()
        return data

    def leave(self):
        self.client.h2.reset_stream(self.stream, error_code=8)
        self.client.flush()

    def still_serves(self):
        return self.client.get("/plain").status == 200

    def close(self):
        self.client.socket.close()


class TunnelServer(H2Server):
    """An upstream whose streams are tunnels: it sends every byte back in upper case, and ends when the other side does.

    `status` other than 200 declines, with that status and a body. `last` is sent before the end.
    """

    def __init__(self, status=200, last=b"", first=b"", settings=None):
        self.status, self.last, self.first, self.ends = status, last, first, []
        super().__init__(settings={ENABLE_CONNECT_PROTOCOL: 1} if settings is None else settings)

    class Connection(H2Server.Connection):
        def __init__(self, *arguments):
            super().__init__(*arguments)
            self.out, self.done = collections.defaultdict(bytearray), set()

        def on(self, event):
            stream, server = getattr(event, "stream_id", None), self.server
            if isinstance(event, h2.events.RequestReceived):
                server.seen.append((self.number, stream, list(event.headers)))
                if (":method", "CONNECT") not in event.headers:
                    self.respond(stream)
                elif server.status != 200:
                    self.respond(stream, b"declined", status=server.status)
                else:
                    self.h2.send_headers(stream, [(":status", "200")])
                    self.out[stream] += server.first
            elif isinstance(event, h2.events.DataReceived):
                self.h2.acknowledge_received_data(event.flow_controlled_length, stream)
                self.out[stream] += event.data.upper()
            elif isinstance(event, h2.events.StreamEnded):
                server.ends.append(stream)
                if stream in self.out or server.last:
                    self.out[stream] += server.last
                    self.done.add(stream)
            elif isinstance(event, h2.events.StreamReset):
                server.ends.append(stream)
                self.resets.append((stream, event.error_code))
                self.out.pop(stream, None)
            for each in list(self.out):
                self.push(each)

        def push(self, stream):
            data = self.out[stream]
            while data and (room := min(self.h2.local_flow_control_window(stream), 16384)) > 0:
                self.h2.send_data(stream, bytes(data[:room]))
                del data[:room]
            if not data and stream in self.done:
                self.h2.end_stream(stream)
                del self.out[stream]


def echo_tunnel(last=b"", first=b""):
    """The same over HTTP/1, as a script."""
    def script(peer):
        while request := peer.read_head():
            if not request.has("upgrade"):
                peer.read_body(request)
                peer.send(answer(b"plain"))
                continue
            peer.origin.finished(request, peer)
            peer.send(SWITCH + first)
            echo_bytes(peer)
            peer.send(last)
            return
    return script


class Ways:
    """Clients and upstreams of one combination."""

    def __init__(self, client, upstream, sluice, origin):
        self.open = {"http1": OverHTTP1, "http2": OverHTTP2}[client]
        self.upstream, self.sluice, self.origin, self.running = upstream, sluice, origin, []

    def start(self, last=b"", first=b"", **more):
        """A proxy in front of an upstream that echoes."""
        if self.upstream == "http2":
            self.server = TunnelServer(last=last, first=first)
            self.running.append(self.server)
        else:
            self.server = self.origin(echo_tunnel(last, first))
        return self.sluice(self.config(self.server.endpoint, **more))

    def config(self, endpoint, **more):
        how = HTTP2 if self.upstream == "http2" else None
        return http_proxy(endpoint, admin="127.0.0.1:0", workers=1, upstream=how, route={"upgrades": ["websocket"]}, **more)

    def upstream_has_ended(self):
        return self.server.ends if self.upstream == "http2" else self.server.peers[0].ended


@pytest.fixture(params=["http1-http2", "http2-http1", "http2-http2"])
def ways(request, sluice, origin):
    made = Ways(*request.param.split("-"), sluice, origin)
    yield made
    for server in made.running:
        server.stop()


def test_a_websocket_is_a_tunnel_whatever_speaks_on_either_side(ways):
    proxy = ways.start()
    tunnel = ways.open(proxy.address())
    assert tunnel.is_open
    for text in [b"\x81\x05hello", b"get / http/1.1\r\n\r\n", b"z" * 70_000]:
        tunnel.send(text)
        assert tunnel.read(len(text)) == text.upper()
    found = stats(proxy)
    assert found["http.inbound.downstream_cx_upgrades_total"] == 1
    assert found["http.inbound.downstream_cx_upgrades_active"] == 1
    tunnel.close()
    wait_until(ways.upstream_has_ended)
    expect(proxy, {"http.inbound.downstream_cx_upgrades_active": 0, "cluster.app.upstream_rq_active": 0})


def test_a_large_amount_goes_both_ways_at_once(ways):
    tunnel = ways.open(ways.start().address())
    data = b"abcdefgh" * 100_000
    if isinstance(tunnel, OverHTTP1):
        sender = threading.Thread(target=tunnel.send, args=(data,))
        sender.start()
        assert tunnel.read(len(data)) == data.upper()
        sender.join()
    else:
        # Waiting for credit, it reads what comes.
        tunnel.send(data)
        assert tunnel.read(len(data)) == data.upper()
    tunnel.close()


def test_what_the_upstream_sends_with_its_consent_arrives(ways):
    tunnel = ways.open(ways.start(first=b"first words").address())
    assert tunnel.read(11) == b"first words"
    tunnel.close()


def test_bytes_that_come_with_the_request_for_a_tunnel_arrive(sluice):
    server = TunnelServer()
    proxy = sluice(http_proxy(server.endpoint, upstream=HTTP2, route={"upgrades": ["websocket"]}))
    with Client(proxy.address()) as client:
        client.send(SHAKE + b"early")
        assert client.read_response().status == 101
        assert client.read_exactly(5) == b"EARLY"
    server.stop()


def test_the_end_of_one_direction_leaves_the_other(ways):
    tunnel = ways.open(ways.start(last=b"last words").address())
    tunnel.send(b"abc")
    assert tunnel.read(3) == b"ABC"
    tunnel.half_close()
    assert tunnel.read_to_end() == b"last words"
    tunnel.close()


def test_a_client_that_gives_up_ends_the_upstreams_side(ways):
    proxy = ways.start()
    tunnel = ways.open(proxy.address())
    tunnel.send(b"abc")
    assert tunnel.read(3) == b"ABC"
    tunnel.leave()
    wait_until(ways.upstream_has_ended)
    expect(proxy, {"http.inbound.downstream_rq_active": 0, "cluster.app.upstream_rq_active": 0})
    tunnel.close()


def test_tunnels_end_when_the_upstream_goes(ways):
    proxy = ways.start()
    tunnel = ways.open(proxy.address())
    tunnel.send(b"abc")
    assert tunnel.read(3) == b"ABC"
    ways.server.stop()
    assert tunnel.read_to_end() == b""
    expect(proxy, {"http.inbound.downstream_rq_active": 0})
    tunnel.close()


@pytest.mark.parametrize("client, to", [("http1", "http2"), ("http2", "http1"), ("http2", "http2")])
def test_an_upstream_may_decline_and_what_it_says_arrives(client, to, sluice, origin):
    ways = Ways(client, to, sluice, origin)
    server = TunnelServer(status=403) if to == "http2" else None

    def script(peer):
        while request := peer.read_request():
            peer.send(answer(b"declined", status="403 Forbidden") if request.has("upgrade") else answer(b"plain"))
    try:
        proxy = sluice(ways.config(server.endpoint if server else origin(script).endpoint))
        tunnel = ways.open(proxy.address())
        assert tunnel.status == 403 and tunnel.body == b"declined"
        assert tunnel.still_serves()
        expect(proxy, {"http.inbound.downstream_cx_upgrades_total": 0, "http.inbound.downstream_rq_active": 0,
                       "cluster.app.upstream_rq_active": 0})
        tunnel.close()
    finally:
        if server:
            server.stop()


# What the heads say

def test_over_http1_an_extended_connect_is_an_upgrade(sluice, origin):
    one = origin(echo_tunnel())
    proxy = sluice(http_proxy(one.endpoint, route={"upgrades": ["websocket"]}))
    tunnel = OverHTTP2(proxy.address(), "/chat?room=1")
    assert not {"sec-websocket-accept", "upgrade", "connection"} & {name for name, _ in tunnel.one.headers}
    shake = one.requests[0]
    assert shake.method == "GET" and shake.target == "/chat?room=1" and shake.get("host") == "a"
    assert shake.get("upgrade").lower() == "websocket" and shake.get("connection").lower() == "upgrade"
    assert len(base64.b64decode(shake.get("sec-websocket-key"))) == 16 and shake.get("sec-websocket-version") == "13"
    assert not shake.has("content-length") and not shake.has("transfer-encoding")
    tunnel.close()


def test_over_http2_an_upgrade_is_an_extended_connect(sluice, upstream):  # noqa: F811
    server = TunnelServer()
    proxy = sluice(http_proxy(server.endpoint, upstream=HTTP2, route={"upgrades": ["websocket"]}))
    tunnel = OverHTTP1(proxy.address())
    assert tunnel.status == 101 and tunnel.head.get("sec-websocket-accept") == ACCEPT
    assert tunnel.head.get("upgrade").lower() == "websocket" and tunnel.head.get("connection").lower() == "upgrade"
    head = dict(server.seen[0][2])
    assert (head[":method"], head[":protocol"], head[":scheme"], head[":path"], head[":authority"]) == (
        "CONNECT", "websocket", "http", "/chat", "a")
    assert head["sec-websocket-version"] == "13"
    assert not {"sec-websocket-key", "upgrade", "connection", "content-length"} & set(head)
    tunnel.close()
    server.stop()


def test_an_upstream_that_knows_no_extended_connect_is_not_asked_for_it(sluice):
    server = TunnelServer(settings={})
    proxy = sluice(http_proxy(server.endpoint, upstream=HTTP2, admin="127.0.0.1:0", route={"upgrades": ["websocket"]}))
    with Client(proxy.address()) as client:
        assert client.request(target="/plain").status == 200
    tunnel = OverHTTP1(proxy.address())
    assert tunnel.status == 502
    assert [dict(head)[":method"] for _, _, head in server.seen] == ["GET"]
    assert stats(proxy)["fault.http2.no_extended_connect"] == 1
    server.stop()


def test_the_first_request_of_a_connection_may_be_a_tunnel_that_the_upstream_does_not_know(sluice):
    server = TunnelServer(settings={})
    proxy = sluice(http_proxy(server.endpoint, upstream=HTTP2, admin="127.0.0.1:0", route={"upgrades": ["websocket"]}))
    assert OverHTTP1(proxy.address()).status == 502
    assert not server.seen
    server.stop()


def test_where_no_route_allows_it_there_is_no_tunnel(sluice, origin):
    one = origin(echo_tunnel())
    tunnel = OverHTTP2(sluice(http_proxy(one.endpoint)).address())
    assert tunnel.status in (200, 400, 403)
    assert not any(request.has("upgrade") for request in one.requests)
    assert tunnel.still_serves()
    tunnel.close()


def test_a_tunnel_for_something_else_is_refused(sluice, origin):
    one = origin(echo_tunnel())
    tunnel = OverHTTP2(sluice(http_proxy(one.endpoint, route={"upgrades": ["websocket"]})).address(), protocol="connect-udp")
    assert tunnel.status == 501
    assert not one.requests and tunnel.still_serves()
    tunnel.close()


def test_an_upgrade_that_http2_has_no_way_for_is_refused_and_hurts_nobody(sluice):
    server = TunnelServer()
    proxy = sluice(http_proxy(server.endpoint, upstream=HTTP2, workers=1, route={"upgrades": ["other"]}))
    with Client(proxy.address()) as client:
        for _ in range(2):
            client.send(SHAKE.replace(b"Upgrade: websocket", b"Upgrade: other"))
            assert client.read_response().status == 501
            assert client.request(target="/plain").status == 200
    assert [dict(head)[":method"] for _, _, head in server.seen] == ["GET"] * 2
    server.stop()


def test_a_client_that_goes_in_a_body_ends_its_requests(sluice, origin):
    one = origin()
    proxy = sluice(http_proxy(one.endpoint, admin="127.0.0.1:0"))
    with H2Client(proxy.address()) as client:
        client.request("/", method="POST", body=b"part", last=False)
        one.wait_for(lambda o: o.peers and b"part" in o.peers[0].received)
    one.wait_for(lambda o: o.peers[0].ended)
    expect(proxy, {"http.inbound.downstream_rq_active": 0, "http.inbound.downstream_cx_active": 0})


def test_extended_connect_can_be_switched_off(sluice, origin):
    proxy = sluice(http_proxy(origin(echo_tunnel()).endpoint, http={"http2": {"extended_connect": False}},
                              route={"upgrades": ["websocket"]}))
    with H2Client(proxy.address()) as client:
        assert client.get().status == 200
        assert not client.h2.remote_settings.get(ENABLE_CONNECT_PROTOCOL)
        stream = client.request("/chat", method="CONNECT", last=False, more=[(":protocol", "websocket")])
        assert client.finish(stream).reset is not None or client.streams[stream].status == 400


# CONNECT

def test_connect_opens_a_tunnel_that_ends_here(sluice, origin):
    one = origin(echo_bytes)
    proxy = sluice(http_proxy(one.endpoint, route={"connect": True}, admin="127.0.0.1:0"))
    with H2Client(proxy.address()) as client:
        stream = client.h2.get_next_available_stream_id()
        client.h2.send_headers(stream, [(":method", "CONNECT"), (":authority", "db:5432")])
        client.flush()
        opened = client.streams[stream]
        client.wait(lambda: opened.headers)
        assert opened.status == 200 and opened.get("content-length") is None
        client.send(stream, b"select")
        client.wait(lambda: len(opened.body) == 6)
        assert bytes(opened.body) == b"SELECT"
        assert bytes(one.peers[0].received) == b"select"
        client.send(stream, b"", last=True)
        client.finish(stream)
        assert opened.ended
    expect(proxy, {"http.inbound.downstream_rq_active": 0, "cluster.app.upstream_cx_active": 0})


@pytest.mark.parametrize("authority, status", [("db:5432", 405), ("db", 400)])
def test_connect_is_refused_where_no_route_allows_it_or_it_leads_nowhere(authority, status, sluice, origin):
    one = origin(echo_bytes)
    with H2Client(sluice(http_proxy(one.endpoint)).address()) as client:
        stream = client.h2.get_next_available_stream_id()
        client.h2.send_headers(stream, [(":method", "CONNECT"), (":authority", authority)])
        client.flush()
        assert client.finish(stream).status == status
    assert not one.peers


def test_connect_to_a_refusing_upstream_is_answered_503(sluice, refused):
    with H2Client(sluice(http_proxy(refused, route={"connect": True})).address()) as client:
        stream = client.h2.get_next_available_stream_id()
        client.h2.send_headers(stream, [(":method", "CONNECT"), (":authority", "db:5432")])
        client.flush()
        assert client.finish(stream).status == 503


# In a browser

PAGE = """<!doctype html><title>all</title><link rel="icon" href="data:,">
<body>%s</body>""" % "".join(f'<img src="/dot/{number}">' for number in range(200))
DOT = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")


def page_with_dots(peer):
    while request := peer.read_request():
        body, kind = (DOT, "image/gif") if request.target.startswith("/dot/") else (PAGE.encode(), "text/html")
        if not peer.send(answer(body, headers=[("Content-Type", kind), ("Cache-Control", "no-store")])):
            return


def echo_messages(peer):
    """A WebSocket server that sends messages back in upper case; other requests get a page."""
    while request := peer.read_head():
        if not request.has("upgrade"):
            peer.read_body(request)
            peer.send(answer(b"<!doctype html><link rel=icon href='data:,'>page", headers=[("Content-Type", "text/html")]))
            continue
        peer.origin.finished(request, peer)
        text = request.get("sec-websocket-key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        peer.send(SWITCH.replace(ACCEPT.encode(), base64.b64encode(hashlib.sha1(text.encode()).digest())))
        while message := read_message(peer):
            kind, data = message
            head = bytes([0x80 | kind, len(data)]) if len(data) < 126 else struct.pack(">BBH", 0x80 | kind, 126, len(data))
            peer.send(head + (data.upper() if kind == 1 else data))
            if kind == 8:
                return


def read_message(peer):
    """The kind and bytes of one frame from a client, or None at the end (RFC 6455 section 5.2)."""
    def take(count):
        while len(peer.received) - peer.parsed < count:
            if not peer.fill():
                raise EOFError
        data = bytes(peer.received[peer.parsed:peer.parsed + count])
        peer.parsed += count
        return data
    try:
        kind, size = take(2)
        size &= 0x7F
        if size >= 126:
            size = int.from_bytes(take(2 if size == 126 else 8), "big")
        mask = take(4)
        return kind & 0x0F, bytes(byte ^ mask[index % 4] for index, byte in enumerate(take(size)))
    except EOFError:
        return None


@pytest.fixture
def secure_proxy(sluice, origin, tmp_path):
    """A proxy with TLS in front of an origin that runs a script; returns it, its URL and the origin."""
    folder = throw_away(tmp_path)

    def start(script, **more):
        one = origin(script)
        settings = http_proxy(one.endpoint, admin="127.0.0.1:0", workers=1, **more)
        chain = settings["listeners"]["inbound"]["chain"]
        chain.insert(0, {"tls": {"certificate": str(folder / "server.crt"), "key": str(folder / "server.key")}})
        proxy = sluice(settings)
        return proxy, "https://127.0.0.1:%d/" % proxy.address()[1], one
    return start


@needs_browser
def test_a_browser_loads_a_page_of_many_parts_over_one_connection(secure_proxy):
    proxy, url, one = secure_proxy(page_with_dots)
    with browser.Browser() as window:
        window.ask("Security.setIgnoreCertificateErrors", ignore=True)
        window.open(url)
        window.wait("document.images.length === 200 && [...document.images].every(image => image.complete)")
        assert window.evaluate("[...document.images].filter(image => image.naturalWidth === 1).length") == 200
        protocols = window.evaluate(
            "[...performance.getEntriesByType('resource'), ...performance.getEntriesByType('navigation')]"
            ".map(entry => entry.nextHopProtocol)")
        assert protocols == ["h2"] * 201
        found = stats(proxy)
        assert found["http.inbound.downstream_cx_http2_total"] == 1
        assert found["http.inbound.downstream_rq_http2_total"] == 201
        assert not found["http.inbound.downstream_cx_http1_total"]
        assert not window.messages
    assert {request.target for request in one.requests} == {"/", *(f"/dot/{number}" for number in range(200))}


@needs_browser
def test_a_websocket_of_a_browser_takes_the_connection_of_its_page(secure_proxy):
    proxy, url, one = secure_proxy(echo_messages, route={"upgrades": ["websocket"]})
    with browser.Browser() as window:
        window.ask("Security.setIgnoreCertificateErrors", ignore=True)
        window.open(url)
        window.evaluate("""
            window.heard = [];
            window.line = new WebSocket(location.href.replace('https', 'wss') + 'chat');
            line.onmessage = event => heard.push(event.data);
            line.onclose = event => heard.push('closed ' + event.code);
            new Promise(done => { line.onopen = done; line.onerror = () => done() }).then(() => line.readyState)""")
        window.wait("line.readyState === 1")
        window.evaluate("line.send('hello'); line.send('x'.repeat(1000))")
        window.wait("heard.length === 2")
        assert window.evaluate("heard") == ["HELLO", "X" * 1000]
        window.evaluate("line.close(1000)")
        window.wait("heard.length === 3")
        assert window.evaluate("heard[2]") == "closed 1000"
        found = stats(proxy)
        assert found["http.inbound.downstream_cx_http2_total"] == 1
        assert not found["http.inbound.downstream_cx_http1_total"]
        assert found["http.inbound.downstream_cx_upgrades_total"] == 1
    assert [request.target for request in one.requests] == ["/", "/chat"]
    assert re.fullmatch(r"https://127\.0\.0\.1:\d+", one.requests[1].get("origin"))
