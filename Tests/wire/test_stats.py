"""What is counted is what clients and upstreams did, and what goes up comes down again."""
import socket
import ssl
import threading

import pytest

from admin import BIND, PROTECTED, expect, expect_rest, post, stats, text
from certificates import authority, server
from client import Client, Closed, encode, get
from configs import cluster, http_proxy, tcp_proxy
from flow import wait_until
from origin import OK, answer
from test_upgrade import SHAKE, echo_socket

DOWN, UP = "http.inbound.downstream_", "cluster.app.upstream_"


def config(*endpoints, **more):
    return http_proxy(*endpoints, **{"admin": PROTECTED, "workers": 1, **more})


def of_http(**counts):
    return {DOWN + name: value for name, value in counts.items()}


def of_cluster(**counts):
    return {UP + name: value for name, value in counts.items()}


class Gate:
    """An origin's script that answers once a test says so."""

    def __init__(self, response=OK):
        self.open, self.response = threading.Event(), response

    def __call__(self, peer):
        while peer.read_request():
            self.open.wait(20)
            if not peer.send(self.response):
                return


def begun(upstream, count=1):
    """Waits until an origin has that many requests in hand."""
    upstream.wait_for(lambda one: len(one.requests) >= count)


# Requests and connections

def test_requests_by_the_class_of_their_answer(sluice, origin):
    def script(peer):
        while request := peer.read_request():
            peer.send(answer(b"", request.target[1:] + " X"))

    proxy = sluice(config(origin(script).endpoint, routes=[
        {"match": {"path": "/here"}, "respond": {"status": 200, "body": "x"}}, {"match": {"prefix": "/"}, "to": "app"}]))
    with Client(proxy.address()) as client:
        for status in [200, 201, 301, 404, 404, 429, 500, 503]:
            assert client.request(target=f"/{status}").status == status
        assert client.request(target="/here").status == 200
    expect(proxy, {
        **of_http(rq_total=9, rq_http1_total=9, rq_completed=9, rq_2xx=3, rq_3xx=1, rq_4xx=3, rq_5xx=2, rq_1xx=0,
                  cx_total=1, cx_destroy=1, cx_destroy_remote=1, cx_destroy_active_rq=0, cx_active=0),
        **of_cluster(rq_total=8, rq_completed=8, rq_2xx=2, rq_3xx=1, rq_4xx=3, rq_5xx=2, rq_404=2, rq_503=1, rq_200=1),
        "http.inbound.rq_direct_response": 1, "listener.inbound.downstream_cx_total": 1,
        "server.worker_0.downstream_cx_total": 1})
    assert "http.inbound.downstream_rq_time: No" not in text(proxy, "/stats")


def test_bytes_on_both_sides(sluice, origin):
    upstream = origin(lambda peer: peer.read_request() and peer.send(answer(b"b" * 50_000)))
    proxy = sluice(config(upstream.endpoint))
    with Client(proxy.address()) as client:
        request = encode("POST", body=b"a" * 30_000)
        client.send(request)
        client.read_head()
        head_and_body = 50_000
        assert len(client.read_exactly(50_000)) == head_and_body
    upstream.wait_for(lambda one: len(one.peers[0].received) > 30_000)
    numbers = expect(proxy, {**of_http(cx_active=0, cx_rx_bytes_total=len(request)),
                             **of_cluster(cx_tx_bytes_total=len(upstream.peers[0].received),
                                          cx_rx_bytes_total=len(answer(b"b" * 50_000)))})
    assert 50_000 < numbers[DOWN + "cx_tx_bytes_total"] < 51_000


def test_bytes_of_a_chain_without_http(sluice, origin):
    def script(peer):
        peer.fill()
        peer.send(b"x" * 1000)
        peer.close()

    proxy = sluice({**tcp_proxy(origin(script).endpoint), "admin": BIND})
    with Client(proxy.address()) as client:
        client.send(b"hello")
        assert len(client.read_to_end()) == 1000
    expect(proxy, {"listener.inbound.downstream_cx_rx_bytes_total": 5, "cluster.app.upstream_cx_tx_bytes_total": 5,
                   "listener.inbound.downstream_cx_tx_bytes_total": 1000,
                   "cluster.app.upstream_cx_rx_bytes_total": 1000, "cluster.app.upstream_cx_total": 1,
                   "cluster.app.upstream_cx_active": 0, "listener.inbound.downstream_cx_active": 0})
    expect_rest(proxy)


def test_what_runs_is_counted_while_it_runs(sluice, origin):
    gate = Gate()
    upstream = origin(gate)
    proxy = sluice(config(upstream.endpoint))
    clients = [Client(proxy.address()) for _ in range(3)]
    for client in clients:
        client.send(encode())
    begun(upstream, 3)
    expect(proxy, {**of_http(rq_active=3, cx_active=3, cx_http1_active=3), **of_cluster(rq_active=3, cx_active=3),
                   f"cluster.app.endpoint.{upstream.endpoint}.rq_active": 3, "server.total_connections": 3,
                   "listener.inbound.downstream_cx_active": 3, "server.worker_0.downstream_cx_active": 3})
    gate.open.set()
    for client in clients:
        assert client.read_response().status == 200
    expect(proxy, {**of_http(rq_active=0, cx_active=3), **of_cluster(rq_active=0, cx_active=3)})
    for client in clients:
        client.close()
    upstream.stop()
    expect_rest(proxy)


def test_a_client_that_gives_up(sluice, origin):
    gate = Gate()
    upstream = origin(gate)
    proxy = sluice(config(upstream.endpoint))
    client = Client(proxy.address())
    client.send(encode())
    begun(upstream)
    client.reset()
    expect(proxy, {**of_http(rq_total=1, rq_completed=0, rq_no_response=1, rq_active=0, cx_active=0, rq_rx_reset=1,
                             cx_destroy_remote=1, cx_destroy_remote_active_rq=1, cx_destroy_active_rq=1),
                   **of_cluster(rq_active=0, rq_tx_reset=1, rq_total=1, rq_completed=0)})
    expect_rest(proxy)


def test_an_upstream_that_breaks_off_before_its_answer(sluice, origin):
    def script(peer):
        peer.read_request()
        peer.reset()

    upstream = origin(script)
    proxy = sluice(config(upstream.endpoint))
    with Client(proxy.address()) as client:
        assert client.request("POST", body=b"x").status in (502, 503)
    numbers = expect(proxy, {**of_http(rq_5xx=1, rq_active=0, cx_active=0), **of_cluster(rq_rx_reset=1, rq_active=0)})
    assert numbers[UP + "cx_destroy_remote_with_active_rq"] == 1
    assert numbers[f"cluster.app.endpoint.{upstream.endpoint}.rq_error"] == 1
    expect_rest(proxy)


def test_an_upstream_that_breaks_off_within_its_answer(sluice, origin):
    def script(peer):
        peer.read_request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        peer.close()

    proxy = sluice(config(origin(script).endpoint))
    with Client(proxy.address()) as client:
        client.send(encode())
        with pytest.raises(Closed):
            client.read_response()
    expect(proxy, {**of_http(rq_2xx=1, rq_tx_reset=1, rq_active=0, cx_active=0), **of_cluster(rq_rx_reset=1)})
    expect_rest(proxy)


def test_a_request_that_takes_too_long(sluice, origin):
    upstream = origin(Gate())
    proxy = sluice(config(upstream.endpoint, route={"timeout": "50ms"}))
    assert get(proxy.address()).status == 504
    expect(proxy, {**of_http(rq_5xx=1, rq_active=0), **of_cluster(rq_timeout=1, rq_active=0, rq_total=1),
                   f"cluster.app.endpoint.{upstream.endpoint}.rq_timeout": 1})
    expect_rest(proxy)


def test_upgrades(sluice, origin):
    upstream = origin(echo_socket)
    proxy = sluice(config(upstream.endpoint, route={"upgrades": ["websocket"]}))
    client = Client(proxy.address())
    client.send(SHAKE)
    assert client.read_response().status == 101
    client.send(b"hello")
    assert client.read_exactly(5) == b"HELLO"
    expect(proxy, of_http(cx_upgrades_total=1, cx_upgrades_active=1, rq_active=1))
    client.close()
    expect(proxy, of_http(cx_upgrades_total=1, cx_upgrades_active=0, rq_active=0, rq_1xx=1, rq_completed=1))
    with Client(proxy.address()) as plain:
        assert plain.request().status == 200
    expect(proxy, of_http(cx_upgrades_total=1, rq_2xx=1))
    upstream.stop()
    expect_rest(proxy)


def test_a_client_that_breaks_the_protocol(sluice, origin):
    proxy = sluice(config(origin().endpoint))
    with Client(proxy.address()) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n")
        assert client.read_response().status == 400
    expect(proxy, of_http(cx_protocol_error=1, rq_4xx=1, rq_active=0))
    expect_rest(proxy)


def test_a_body_that_is_too_large(sluice, origin):
    proxy = sluice(config(origin().endpoint, http={"max_body": "10B"}))
    assert get(proxy.address(), method="POST", body=b"x" * 11).status == 413
    expect(proxy, of_http(rq_too_large=1, rq_4xx=1, rq_active=0))


def test_requests_that_no_route_takes(sluice, origin):
    proxy = sluice(config(origin().endpoint, routes=[{"match": {"path": "/a"}, "to": "app"}]))
    assert get(proxy.address()).status == 404
    expect(proxy, {"http.inbound.no_route": 1, **of_http(rq_4xx=1)})


# Clusters

def test_connections_to_upstreams(sluice, origin):
    upstream = origin()
    proxy = sluice(config(upstream.endpoint, upstream={"max_requests_per_connection": 2}))
    with Client(proxy.address()) as client:
        for _ in range(5):
            assert client.request().status == 200
    expect(proxy, of_cluster(cx_total=3, cx_http1_total=3, cx_destroy=2, cx_destroy_local=2, cx_max_requests=2,
                             cx_active=1, rq_total=5, rq_completed=5, rq_pending_total=3, rq_pending_active=0))
    start = f"cluster.app.endpoint.{upstream.endpoint}."
    expect(proxy, {start + "cx_total": 3, start + "cx_active": 1, start + "rq_total": 5, start + "rq_success": 5})
    lines = text(proxy, "/stats?type=histograms")
    assert "cluster.app.upstream_rq_per_cx: P0(nan,1) " in lines


def test_connections_that_cannot_be_made(sluice, refused):
    proxy = sluice(config(refused))
    assert get(proxy.address()).status == 503
    expect(proxy, {**of_cluster(cx_connect_fail=1, cx_active=0, rq_pending_failure_eject=1, rq_total=0, rq_active=0,
                                rq_pending_active=0),
                   f"cluster.app.endpoint.{refused}.cx_connect_fail": 1, **of_http(rq_5xx=1)})
    expect_rest(proxy)


def test_no_endpoint_to_ask(sluice):
    proxy = sluice(config("nothing.invalid:80"))
    assert get(proxy.address()).status == 503
    numbers = expect(proxy, {UP + "cx_none_healthy": 1, "cluster.app.membership_total": 0, **of_http(rq_5xx=1)})
    assert numbers["dns.lookups"] >= 1
    expect_rest(proxy)


def test_limits_of_a_cluster(sluice, origin):
    gate = Gate()
    upstream = origin(gate)
    proxy = sluice(config(upstream.endpoint, upstream={"max_connections": 1, "max_pending": 1}))
    breakers = "cluster.app.circuit_breakers.default."
    expect(proxy, {breakers + "cx_open": 0, breakers + "rq_pending_open": 0, breakers + "remaining_cx": 1})
    clients = [Client(proxy.address()) for _ in range(3)]
    clients[0].send(encode())
    begun(upstream)
    clients[1].send(encode())
    expect(proxy, of_cluster(rq_pending_active=1))
    assert clients[2].request().status == 503
    expect(proxy, {**of_cluster(rq_pending_overflow=1, rq_pending_active=1, rq_active=1),
                   breakers + "cx_open": 1, breakers + "rq_pending_open": 1, breakers + "remaining_cx": 0,
                   breakers + "remaining_pending": 0})
    gate.open.set()
    assert clients[0].read_response().status == clients[1].read_response().status == 200
    upstream.stop()
    expect(proxy, {breakers + "cx_open": 0, breakers + "rq_pending_open": 0, **of_cluster(rq_pending_active=0)})
    for client in clients:
        client.close()
    expect_rest(proxy)


def test_a_client_that_gives_up_while_it_waits_for_a_connection(sluice, origin):
    gate = Gate()
    upstream = origin(gate)
    proxy = sluice(config(upstream.endpoint, upstream={"max_connections": 1}))
    first, second = Client(proxy.address()), Client(proxy.address())
    first.send(encode())
    begun(upstream)
    second.send(encode())
    expect(proxy, of_cluster(rq_pending_active=1))
    second.reset()
    expect(proxy, {**of_cluster(rq_pending_active=0, rq_cancelled=1), **of_http(rq_active=1)})
    gate.open.set()
    assert first.read_response().status == 200
    first.close()
    upstream.stop()
    expect_rest(proxy)


def test_requests_at_once(sluice, origin):
    gate = Gate()
    upstream = origin(gate)
    proxy = sluice(config(upstream.endpoint, upstream={"max_requests": 1}))
    first = Client(proxy.address())
    first.send(encode())
    begun(upstream)
    assert get(proxy.address()).status == 503
    expect(proxy, {**of_cluster(rq_active_overflow=1), "cluster.app.circuit_breakers.default.rq_open": 1})
    gate.open.set()
    assert first.read_response().status == 200
    expect(proxy, {"cluster.app.circuit_breakers.default.rq_open": 0})


def test_retries(sluice, origin):
    count = [0]

    def script(peer):
        while peer.read_request():
            count[0] += 1
            peer.send(answer(b"no", "503 X") if count[0] <= 2 or count[0] > 3 else OK)

    upstream = origin(script)
    retry = {"retry": {"on": ["5xx"], "attempts": 2, "backoff": {"base": "1ms", "max": "1ms"}}}
    proxy = sluice(config(upstream.endpoint, filters=[retry]))
    assert get(proxy.address()).status == 200
    expect(proxy, {**of_http(rq_total=1, rq_2xx=1, rq_5xx=0), **of_cluster(
        rq_total=3, rq_completed=3, rq_503=2, rq_200=1, rq_retry=2, rq_retry_success=1, rq_active=0)})
    assert get(proxy.address()).status == 503
    expect(proxy, {**of_http(rq_total=2, rq_2xx=1, rq_5xx=1), **of_cluster(
        rq_total=6, rq_503=5, rq_retry=4, rq_retry_success=1, rq_active=0)})
    upstream.stop()
    expect_rest(proxy)


def test_membership_over_a_reload(sluice, origin):
    first, second, third = origin(), origin(), origin()
    proxy = sluice(config(first.endpoint))
    expect(proxy, {"cluster.app.membership_total": 1, "cluster.app.membership_healthy": 1, "cluster.app.version": 1,
                   "cluster_manager.active_clusters": 1, "cluster_manager.cluster_added": 1,
                   "listener_manager.total_listeners_active": 1, "listener_manager.listener_added": 2})
    get(proxy.address())
    proxy.reload(config(second.endpoint, third.endpoint, clusters={"more": cluster(first.endpoint)},
                        routes=[{"match": {"path": "/m"}, "to": "more"}, {"to": "app"}]))
    expect(proxy, {"cluster.app.membership_total": 2, "cluster.more.membership_total": 1, "cluster.app.version": 2,
                   "cluster_manager.active_clusters": 2, "cluster_manager.cluster_added": 2,
                   "cluster_manager.cluster_modified": 1, "listener_manager.listener_modified": 1,
                   "config.generation": 2, "config.reloads": 1})
    numbers = stats(proxy)
    assert f"cluster.app.endpoint.{first.endpoint}.rq_total" not in numbers, "what is gone is not shown"
    proxy.reload(config(second.endpoint))
    expect(proxy, {"cluster_manager.active_clusters": 1, "cluster_manager.cluster_removed": 1, "config.generation": 3})
    assert "cluster.more.membership_total" not in stats(proxy)


def test_a_refused_reload(sluice, origin):
    upstream = origin()
    proxy = sluice(config(upstream.endpoint))
    proxy.reload({**config(upstream.endpoint), "nonsense": 1}, expect="config refused")
    numbers = expect(proxy, {"config.rejected": 1, "config.generation": 1, "config.last_reload_successful": 0})
    assert numbers["config.last_reload_timestamp_seconds"] > 1_700_000_000


def test_health_checks(sluice, origin):
    class App:
        response = OK

        def __call__(self, peer):
            while peer.read_request():
                peer.send(self.response)

    app = App()
    upstream = origin(app)
    checks = {"http": {"path": "/up"}, "interval": "20ms", "timeout": "1s", "unhealthy_threshold": 1,
              "healthy_threshold": 1, "no_traffic_interval": "20ms"}
    proxy = sluice(config(upstream.endpoint, upstream={"health_checks": checks}))
    wait_until(lambda: stats(proxy)["cluster.app.health_check.success"] > 2)
    expect(proxy, {"cluster.app.health_check.healthy": 1, "cluster.app.membership_healthy": 1})
    app.response = answer(b"", "500 X")
    expect(proxy, {"cluster.app.health_check.healthy": 0, "cluster.app.membership_healthy": 0})
    numbers = stats(proxy)
    assert numbers["cluster.app.health_check.failure"] >= 1
    assert numbers["cluster.app.health_check.attempt"] >= numbers["cluster.app.health_check.success"]
    assert f"app::{upstream.endpoint}::health_flags::/failed_active_hc" in text(proxy, "/clusters")
    assert '"failed_active_health_check": true' in text(proxy, "/clusters?format=json")
    app.response = OK
    expect(proxy, {"cluster.app.health_check.healthy": 1, "cluster.app.membership_healthy": 1})
    assert f"app::{upstream.endpoint}::health_flags::healthy" in text(proxy, "/clusters")


def test_outliers(sluice, origin):
    good = [origin() for _ in range(2)]
    bad = origin(lambda peer: [peer.send(answer(b"", "500 X")) for _ in iter(peer.read_request, None)])
    proxy = sluice(config(*(one.endpoint for one in [*good, bad]),
                          upstream={"outlier_detection": {"consecutive_5xx": 2, "base_ejection_time": "60s"}}))
    wait_until(lambda: get(proxy.address()).status and stats(proxy)["cluster.app.outlier_detection.ejections_active"])
    expect(proxy, {"cluster.app.outlier_detection.ejections_enforced_total": 1,
                   "cluster.app.outlier_detection.ejections_enforced_consecutive_5xx": 1,
                   "cluster.app.outlier_detection.ejections_detected_consecutive_5xx": 1,
                   "cluster.app.membership_healthy": 2, "cluster.app.membership_total": 3})
    assert f"app::{bad.endpoint}::health_flags::/failed_outlier_check" in text(proxy, "/clusters")


# TLS

@pytest.fixture
def secure(tmp_path):
    (tmp_path / "ca.pem").write_bytes(authority().pem)
    certificate, key = server().write(tmp_path, "server")
    return {"certificate": certificate, "key": key}


def context(version=None):
    made = ssl.create_default_context(cadata=authority().pem.decode())
    made.check_hostname = False
    if version:
        made.minimum_version = made.maximum_version = version
    return made


def over_tls(address, made):
    with socket.create_connection(address, timeout=10) as raw, made.wrap_socket(raw) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        while connection.recv(65536):
            pass
        return connection.version(), connection.cipher()[0]


def distrust(address):
    """A client that says that it does not know the authority, and waits for the end: a reset might overtake the alert."""
    received, sent = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = ssl.create_default_context().wrap_bio(received, sent, server_hostname="a.test")
    with socket.create_connection(address, timeout=10) as raw:
        with pytest.raises(ssl.SSLCertVerificationError):
            while True:
                try:
                    tls.do_handshake()
                except ssl.SSLWantReadError:
                    raw.sendall(sent.read())
                    received.write(raw.recv(65536))
        raw.sendall(sent.read())
        while raw.recv(65536):
            pass


def test_tls_with_clients_and_upstreams(sluice, origin, secure):
    settings = config(origin().endpoint, upstream={})
    chain = settings["listeners"]["inbound"]["chain"]
    settings["listeners"]["inner"] = {"bind": "127.0.0.1:0", "chain": [{"tls": secure}, "http", chain[-1]]}
    settings["listeners"]["inbound"]["chain"] = [{"tls": secure}, *chain]
    proxy = sluice(settings)
    host, port = proxy.address("inner")
    settings["clusters"]["inner"] = cluster(f"{host}:{port}", chain=[{"tls": {"insecure": True}}])
    settings["listeners"]["inner"]["bind"] = f"{host}:{port}"
    settings["listeners"]["inbound"]["chain"] = [{"tls": secure}, "http", {"router": {"to": "inner"}}]
    since = proxy.mark()
    proxy.reload(settings)
    address = proxy.address()
    ciphers = [over_tls(address, context(version))[1]
               for version in [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_3]]
    assert since
    numbers = expect(proxy, {
        "listener.inbound.ssl.handshake": 3, "listener.inbound.ssl.versions.TLSv1.2": 1,
        "listener.inbound.ssl.versions.TLSv1.3": 2, "listener.inbound.ssl.no_certificate": 3,
        f"listener.inbound.ssl.ciphers.{ciphers[0]}": 1, f"listener.inbound.ssl.ciphers.{ciphers[1]}": 2,
        "http.inbound.downstream_cx_ssl_total": 3, "http.inbound.downstream_cx_ssl_active": 0,
        "listener.inbound.downstream_cx_active": 0, "http.inbound.downstream_rq_2xx": 3})
    assert numbers["cluster.inner.ssl.handshake"] == numbers["cluster.inner.upstream_cx_total"] >= 1
    distrust(address)
    with Client(address) as client:
        client.send(encode())
        assert client.read_response().status == 400
    expect(proxy, {"listener.inbound.ssl.handshake": 3, "listener.inbound.ssl.connection_error": 2,
                   "listener.inbound.downstream_cx_active": 0, "http.inbound.downstream_cx_active": 0,
                   "http.inbound.downstream_cx_ssl_active": 0})


def test_sessions_that_are_taken_up_again(sluice, origin, secure):
    settings = config(origin().endpoint)
    settings["listeners"]["inbound"]["chain"].insert(0, {"tls": secure})
    proxy = sluice(settings)
    made = context(ssl.TLSVersion.TLSv1_2)
    session = None
    for _ in range(2):
        with socket.create_connection(proxy.address()) as raw, made.wrap_socket(raw, session=session) as connection:
            connection.sendall(encode())
            connection.recv(1000)
            session = connection.session
    expect(proxy, {"listener.inbound.ssl.handshake": 2, "listener.inbound.ssl.session_reused": 1})


def test_clients_without_a_certificate(sluice, origin, secure, tmp_path):
    settings = config(origin().endpoint)
    settings["listeners"]["inbound"]["chain"].insert(0, {"tls": {**secure, "ca": str(tmp_path / "ca.pem")}})
    proxy = sluice(settings)
    with pytest.raises((ssl.SSLError, ConnectionError)):
        over_tls(proxy.address(), context())
    expect(proxy, {"listener.inbound.ssl.fail_verify_no_cert": 1, "listener.inbound.ssl.handshake": 0,
                   "listener.inbound.downstream_cx_active": 0})


# Everything at once, and its end

def test_nothing_is_left_after_all_kinds_of_ends(sluice, origin):
    gate = Gate()
    slow, good = origin(gate), origin()
    routes = [{"match": {"path": "/slow"}, "to": "slow", "timeout": "100ms"},
              {"match": {"path": "/held"}, "to": "slow"}, {"to": "app", "upgrades": ["websocket"]}]
    retry = {"retry": {"on": ["5xx", "gateway-error"], "attempts": 3, "per_try_timeout": "20ms",
                       "backoff": {"base": "1ms", "max": "1ms"}}}
    settings = config(good.endpoint, routes=routes, clusters={"slow": cluster(slow.endpoint)}, filters=[retry])
    proxy = sluice(settings)
    held = []
    for _ in range(20):
        client = Client(proxy.address())
        client.send(encode(target="/held"))
        held.append(client)
    for _ in range(5):
        assert get(proxy.address(), "/slow").status == 504
        assert get(proxy.address()).status == 200
    with Client(proxy.address()) as client:
        client.send(b"GET / HTTP/1.1\r\nHo")
    with Client(proxy.address()) as client:
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab")
        client.half_close()
        client.read_to_end()
    for index, client in enumerate(held):
        client.reset() if index % 2 else client.close()
    proxy.reload({**settings, "drain_timeout": "2s", "clusters": {
        "app": cluster(good.endpoint, max_pending=9), "slow": cluster(slow.endpoint, max_pending=9)}})
    gate.open.set()
    good.stop(), slow.stop()
    expect_rest(proxy)
    numbers = stats(proxy)
    assert numbers["http.inbound.downstream_cx_total"] == numbers["http.inbound.downstream_cx_destroy"]
    assert numbers["listener.inbound.downstream_cx_total"] == numbers["listener.inbound.downstream_cx_destroy"]
    classes = sum(numbers[DOWN + f"rq_{kind}"] for kind in ["1xx", "2xx", "3xx", "4xx", "5xx"])
    assert numbers[DOWN + "rq_completed"] == classes
    assert numbers[DOWN + "rq_total"] == classes + numbers[DOWN + "rq_no_response"]
    assert numbers["server.total_connections"] == numbers["server.worker_0.downstream_cx_active"] == 0


def test_a_listener_that_a_reload_takes_away(sluice, origin):
    gate = Gate()
    upstream = origin(gate)
    settings = config(upstream.endpoint)
    settings["listeners"]["other"] = {**settings["listeners"]["inbound"]}
    proxy = sluice(settings)
    client = Client(proxy.address("other"))
    client.send(encode())
    begun(upstream)
    del settings["listeners"]["other"]
    proxy.reload(settings)
    expect(proxy, {"listener_manager.listener_removed": 1, "listener_manager.total_listeners_draining": 1,
                   "http.other.downstream_rq_active": 1})
    gate.open.set()
    assert client.read_response().status == 200
    client.close()
    expect(proxy, {"listener_manager.total_listeners_draining": 0, "server.total_connections": 0})
    wait_until(lambda: not [name for name in stats(proxy) if name.startswith("http.other.")],
               what="what is gone is not shown")


def test_numbers_of_all_workers_are_added_up(sluice, origin):
    proxy = sluice(config(origin().endpoint, workers=3))
    for _ in range(30):
        assert get(proxy.address()).status == 200
    numbers = expect(proxy, {**of_http(rq_total=30, rq_2xx=30), **of_cluster(rq_total=30), "server.concurrency": 3})
    assert sum(numbers[f"server.worker_{index}.downstream_cx_total"] for index in range(3)) == 30


def test_reset_on_all_workers(sluice, origin):
    proxy = sluice(config(origin().endpoint, workers=3))
    for _ in range(30):
        get(proxy.address())
    expect(proxy, of_http(rq_2xx=30))
    post(proxy, "/reset_counters")
    expect(proxy, {**of_http(rq_2xx=0, rq_total=0), **of_cluster(rq_total=0)})
    get(proxy.address())
    expect(proxy, {**of_http(rq_2xx=1), **of_cluster(rq_total=1)})


