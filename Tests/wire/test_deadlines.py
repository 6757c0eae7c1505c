"""How much time a request has: from the route, from the client, and what the upstream is told of it."""
import pytest

from client import Client, Silence, encode, get
from configs import http_proxy
from origin import OK

GRPC = {"Content-Type": "application/grpc", "TE": "trailers"}
EXPECTED = "x-envoy-expected-rq-timeout-ms"


def silent(peer):
    peer.read_request()
    peer.wait_end()


def test_the_upstream_is_told_the_routes_time(sluice, origin):
    one = origin()
    get(sluice(http_proxy(one.endpoint, route={"timeout": "7s"})).address())
    assert one.requests[0].get(EXPECTED) == "7000"


@pytest.mark.parametrize("route", [{"timeout": "0s"}, {"send_deadline": False}])
def test_the_upstream_is_told_nothing_where_there_is_no_time_or_nobody_wants_it(sluice, origin, route):
    one = origin()
    get(sluice(http_proxy(one.endpoint, route=route)).address())
    assert one.requests[0].get(EXPECTED) is None


def test_a_grpc_client_gives_its_call_less_time_and_the_upstream_is_told(sluice, origin):
    one = origin()
    proxy = sluice(http_proxy(one.endpoint, route={"timeout": "15s"}))
    get(proxy.address(), headers={**GRPC, "grpc-timeout": "2S"}, method="POST", body=b"x")
    request = one.requests[0]
    assert 1000 < int(request.get(EXPECTED)) <= 2000
    assert request.get("grpc-timeout").endswith("m") and 1000 < int(request.get("grpc-timeout")[:-1]) <= 2000


def test_a_grpc_call_that_is_late_ends_with_deadline_exceeded(sluice, origin):
    one = origin(silent)
    proxy = sluice(http_proxy(one.endpoint))
    response = get(proxy.address(), headers={**GRPC, "grpc-timeout": "200m"}, method="POST", body=b"x")
    assert (response.status, response.get("grpc-status")) == (200, "4")
    one.wait_for(lambda one: one.peers[0].ended, what="the upstream was not let go")


def test_any_other_client_gets_504(sluice, origin):
    one = origin(silent)
    proxy = sluice(http_proxy(one.endpoint, route={"timeout": "200ms"}))
    assert get(proxy.address()).status == 504


def test_a_trusted_proxy_may_shorten_the_time_and_anyone_else_may_not(sluice, origin):
    for hops, told in [(1, range(1, 1501)), (0, [9000])]:
        one = origin()
        proxy = sluice(http_proxy(one.endpoint, http={"trusted_hops": hops}, route={"timeout": "9s"}))
        get(proxy.address(), headers={EXPECTED: "1500"})
        assert int(one.requests[0].get(EXPECTED)) in told


def test_nobody_can_lengthen_the_time(sluice, origin):
    one = origin()
    proxy = sluice(http_proxy(one.endpoint, http={"trusted_hops": 1}, route={"timeout": "3s"}))
    get(proxy.address(), headers={EXPECTED: "60000", "grpc-timeout": "1H"})
    assert int(one.requests[0].get(EXPECTED)) <= 3000
    assert int(one.requests[0].get("grpc-timeout")[:-1]) <= 3000


@pytest.mark.parametrize("value", ["", "5", "S", "123456789S", "1.5S", "-1S", "5s", "5 S", "99999999H"])
def test_a_grpc_timeout_that_is_none_is_not_obeyed(sluice, origin, value):
    one = origin()
    proxy = sluice(http_proxy(one.endpoint, route={"timeout": "3s"}))
    assert get(proxy.address(), headers={"grpc-timeout": value}).status == 200
    assert int(one.requests[0].get(EXPECTED)) == 3000


def test_each_try_is_told_what_is_left_for_it(sluice, origin):
    def script(peer):
        while peer.read_request():
            failing = len(peer.origin.requests) == 1
            peer.send(b"HTTP/1.1 503 No\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n" if failing else OK)

    one = origin(script)
    retry = {"retry": {"on": ["5xx"]}}
    proxy = sluice(http_proxy(one.endpoint, filters=[retry], route={"timeout": "5s"}))
    assert get(proxy.address()).status == 200
    first, second = (int(request.get(EXPECTED)) for request in one.requests)
    assert first == 5000
    assert 3000 < second <= 4000


def test_the_time_of_a_stream_that_answers_slowly_runs_on(sluice, origin):
    def script(peer):
        peer.read_request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nsome")
        peer.wait_end()

    one = origin(script)
    proxy = sluice(http_proxy(one.endpoint, route={"timeout": "200ms"}))
    with Client(proxy.address()) as client:
        client.send(encode())
        assert client.read_response(partial=True).body == b"some"


def test_a_tunnel_has_no_deadline(sluice, origin):
    def script(peer):
        request = peer.read_head()
        assert request.get(EXPECTED) == "200"
        peer.send(b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n")
        peer.fill()
        peer.send(b"pong")
        peer.wait_end()

    one = origin(script)
    retry = {"retry": {"on": ["reset"], "per_try_timeout": "100ms", "per_try_idle_timeout": "100ms"}}
    route = {"upgrades": ["websocket"], "timeout": "100ms"}
    proxy = sluice(http_proxy(one.endpoint, http={"trusted_hops": 1}, filters=[retry], route=route))
    with Client(proxy.address()) as client:
        client.send(encode(headers={"Connection": "upgrade", "Upgrade": "websocket", EXPECTED: "200"}))
        assert client.read_head().status == 101
        # Longer than any of the times above: a tunnel that they held for would end meanwhile.
        client.patience = 0.5
        with pytest.raises(Silence):
            client.fill()
        client.patience = 5
        client.send(b"ping")
        assert client.read_exactly(4) == b"pong"
