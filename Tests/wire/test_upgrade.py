"""Upgrades and CONNECT turn a request into a tunnel of bytes, where a route allows it."""
import threading

from client import Client, get
from configs import http_proxy
from origin import answer

SHAKE = (b"GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
         b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
SWITCH = (b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
          b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")


def echo_socket(peer):
    """Accepts an upgrade, then sends every byte back in upper case; other requests are answered plainly."""
    while request := peer.read_head():
        if not request.has("upgrade"):
            peer.read_body(request)
            peer.send(answer(b"plain"))
            continue
        peer.origin.finished(request, peer)
        peer.send(SWITCH)
        while True:
            sent = len(peer.received)
            peer.send(bytes(peer.received[peer.parsed:sent]).upper())
            peer.parsed = sent
            if not peer.fill():
                return


def test_a_websocket_becomes_a_tunnel_of_bytes_both_ways(sluice, origin):
    one = origin(echo_socket)
    with Client(sluice(http_proxy(one.endpoint, route={"upgrades": ["websocket"]})).address()) as client:
        client.send(SHAKE)
        head = client.read_response()
        assert head.status == 101 and head.get("upgrade").lower() == "websocket"
        assert head.get("connection").lower() == "upgrade"
        client.send(b"\x81\x05hello")
        assert client.read_exactly(7) == b"\x81\x05HELLO"
        client.send(b"get / http/1.1\r\n\r\n")
        assert client.read_exactly(18) == b"GET / HTTP/1.1\r\n\r\n"
    shake = one.requests[0]
    assert shake.get("upgrade").lower() == "websocket" and shake.get("connection").lower() == "upgrade"
    assert shake.get("sec-websocket-key") == "dGhlIHNhbXBsZSBub25jZQ=="


def test_bytes_sent_together_with_the_upgrade_request_reach_the_tunnel(sluice, origin):
    one = origin(echo_socket)
    with Client(sluice(http_proxy(one.endpoint, route={"upgrades": ["websocket"]})).address()) as client:
        client.send(SHAKE + b"early")
        assert client.read_response().status == 101
        assert client.read_exactly(5) == b"EARLY"


def test_a_large_amount_passes_a_tunnel_both_ways_at_once(sluice, origin):
    one = origin(echo_socket)
    data = b"abcdefgh" * 200_000
    with Client(sluice(http_proxy(one.endpoint, route={"upgrades": ["websocket"]})).address()) as client:
        client.send(SHAKE)
        assert client.read_response().status == 101
        sender = threading.Thread(target=client.send, args=(data,))
        sender.start()
        assert client.read_exactly(len(data)) == data.upper()
        sender.join()


def test_the_end_of_a_tunnel_at_the_upstream_ends_it_for_the_client(sluice, origin):
    def script(peer):
        peer.read_head()
        peer.send(SWITCH + b"bye")
    with Client(sluice(http_proxy(origin(script).endpoint, route={"upgrades": ["websocket"]})).address()) as client:
        client.send(SHAKE)
        assert client.read_response().status == 101
        assert client.read_to_end() == b"bye"


def test_the_end_of_a_tunnel_at_the_client_ends_it_for_the_upstream(sluice, origin):
    one = origin(echo_socket)
    with Client(sluice(http_proxy(one.endpoint, route={"upgrades": ["websocket"]})).address()) as client:
        client.send(SHAKE)
        assert client.read_response().status == 101
    one.wait_for(lambda o: o.peers[0].ended)


def test_an_upgrade_that_the_upstream_declines_leaves_an_ordinary_connection(sluice, origin):
    one = origin()
    with Client(sluice(http_proxy(one.endpoint, route={"upgrades": ["websocket"]})).address()) as client:
        client.send(SHAKE)
        assert client.read_response().status == 200
        assert client.request().status == 200


def test_an_upgrade_where_no_route_allows_it_makes_no_tunnel(sluice, origin):
    one = origin(echo_socket)
    with Client(sluice(http_proxy(one.endpoint)).address()) as client:
        client.send(SHAKE)
        assert client.read_response().status in (200, 400, 403)
    assert not any(request.has("upgrade") for request in one.requests)


def test_an_upgrade_to_a_protocol_that_is_not_listed_makes_no_tunnel(sluice, origin):
    one = origin(echo_socket)
    with Client(sluice(http_proxy(one.endpoint, route={"upgrades": ["websocket"]})).address()) as client:
        client.send(SHAKE.replace(b"Upgrade: websocket", b"Upgrade: h2c"))
        assert client.read_response().status in (200, 400, 403)
    assert not any(request.has("upgrade") for request in one.requests)


def echo_bytes(peer):
    while peer.fill():
        sent = len(peer.received)
        peer.send(bytes(peer.received[peer.parsed:sent]).upper())
        peer.parsed = sent


def test_connect_opens_a_tunnel_to_the_cluster_of_a_route_that_allows_it(sluice, origin):
    one = origin(echo_bytes)
    with Client(sluice(http_proxy(one.endpoint, route={"connect": True})).address()) as client:
        client.send(b"CONNECT db:5432 HTTP/1.1\r\nHost: db:5432\r\n\r\n")
        head = client.read_head()
        assert head.status == 200 and not head.has("content-length") and not head.has("transfer-encoding")
        client.send(b"select")
        assert client.read_exactly(6) == b"SELECT"
    assert bytes(one.peers[0].received) == b"select"


def test_connect_is_refused_where_no_route_allows_it(sluice, origin):
    one = origin(echo_bytes)
    with Client(sluice(http_proxy(one.endpoint)).address()) as client:
        assert client.request("CONNECT", "db:5432", host="db:5432").status in (403, 404, 405, 501)
    assert all(not peer.received for peer in one.peers)


def test_connect_to_a_refusing_upstream_is_answered_503(sluice, refused):
    address = sluice(http_proxy(refused, route={"connect": True})).address()
    with Client(address) as client:
        client.send(b"CONNECT db:5432 HTTP/1.1\r\nHost: db:5432\r\n\r\n")
        assert client.read_response().status == 503


def test_ordinary_requests_pass_beside_a_tunnel(sluice, origin):
    one = origin(echo_socket)
    address = sluice(http_proxy(one.endpoint, route={"upgrades": ["websocket"]})).address()
    with Client(address) as tunnel:
        tunnel.send(SHAKE)
        assert tunnel.read_response().status == 101
        assert get(address).body == b"plain"
        tunnel.send(b"still")
        assert tunnel.read_exactly(5) == b"STILL"
