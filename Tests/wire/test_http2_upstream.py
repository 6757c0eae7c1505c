"""HTTP/2 with upstreams: many requests share a connection, and what the upstream takes back is sent again."""
import ssl
import threading

import pytest

import certificates as authority
from admin import expect, stats
from client import Client, get
from configs import http_proxy
from flow import wait_until
from h2peer import H2Client, H2Server

HTTP2 = {"http": {"protocol": "http2"}}


@pytest.fixture
def upstream():
    running = []

    def start(*args, **kwargs):
        server = H2Server(*args, **kwargs)
        running.append(server)
        return server
    yield start
    for server in running:
        server.stop()


def config(*endpoints, upstream=HTTP2, **more):
    return http_proxy(*endpoints, admin="127.0.0.1:0", workers=1, upstream=upstream, **more)


def in_parallel(count, work):
    results = [None] * count

    def one(number):
        results[number] = work(number)
    threads = [threading.Thread(target=one, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_a_request_over_http1_is_the_same_over_http2(sluice, upstream):
    server = upstream()
    proxy = sluice(config(server.endpoint))
    reply = get(proxy.address(), "/a?b=c", method="POST", host="example.org", body=b"body",
                headers=[("X-Case", "Kept"), ("Connection", "x-gone"), ("X-Gone", "1"), ("X-Two", "1"), ("X-Two", "2")])
    assert reply.status == 200 and reply.body == b"ok"
    head = server.seen[0][2]
    assert head[:4] == [(":method", "POST"), (":scheme", "http"), (":authority", "example.org"), (":path", "/a?b=c")]
    names = [name for name, _ in head]
    assert "x-gone" not in names and "connection" not in names and "host" not in names
    assert [value for name, value in head if name == "x-two"] == ["1", "2"] and ("x-case", "Kept") in head
    assert bytes(server.connections[0].bodies[1]) == b"body"


def test_many_requests_share_one_connection(sluice, upstream):
    waiting, lock = [], threading.Lock()

    def script(connection, stream, headers, body):
        with lock:
            waiting.append((connection, stream, dict(headers)[":path"]))
            if len(waiting) == 50:
                for one, number, path in reversed(waiting):
                    one.respond(number, path.encode())
    server = upstream(script)
    proxy = sluice(config(server.endpoint))
    replies = in_parallel(50, lambda number: get(proxy.address(), f"/{number}"))
    assert [reply.body for reply in replies] == [b"/%d" % number for number in range(50)]
    assert len(server.connections) == 1
    expect(proxy, {"cluster.app.upstream_cx_http2_total": 1, "cluster.app.upstream_rq_active": 0,
                   "cluster.app.upstream_cx_active": 1})


def test_a_full_connection_gets_a_second_one_beside_it(sluice, upstream):
    release = threading.Event()

    def script(connection, stream, headers, body):
        threading.Thread(target=lambda: release.wait(10) and connection.respond(stream), daemon=True).start()
    server = upstream(script, settings={3: 2})
    proxy = sluice(config(server.endpoint))
    assert_warm = threading.Thread(target=get, args=(proxy.address(),))
    assert_warm.start()
    wait_until(lambda: len(server.seen) == 1)
    threads = [threading.Thread(target=get, args=(proxy.address(),)) for _ in range(4)]
    for thread in threads:
        thread.start()
    wait_until(lambda: len(server.seen) == 5)
    assert len(server.connections) == 3
    release.set()
    for thread in [assert_warm, *threads]:
        thread.join()
    expect(proxy, {"cluster.app.upstream_rq_200": 5, "cluster.app.upstream_rq_active": 0})


def test_a_refused_stream_is_sent_again_whatever_its_method(sluice, upstream):
    def early(connection, stream, headers):
        if len(server.seen) == 1:
            connection.h2.reset_stream(stream, error_code=7)
    server = upstream(lambda connection, stream, headers, body: len(server.seen) > 1 and connection.respond(stream),
                      early=early)
    proxy = sluice(config(server.endpoint))
    assert get(proxy.address(), "/", method="POST").status == 200
    assert len(server.seen) == 2


def test_an_upstream_that_says_goodbye_is_left_without_loss(sluice, upstream):
    def script(connection, stream, headers, body):
        connection.respond(stream)
        if stream == 5:
            connection.h2.close_connection(error_code=0, last_stream_id=stream)
            connection.h2.state_machine.state = h2_open()
            connection.flush()
    server = upstream(script)
    proxy = sluice(config(server.endpoint))
    with Client(proxy.address()) as client:
        for _ in range(13):
            assert client.request().status == 200
    assert len(server.connections) == 5
    expect(proxy, {"cluster.app.upstream_cx_active": 1})


def h2_open():
    import h2.connection
    return h2.connection.ConnectionState.SERVER_OPEN


def test_a_stream_that_the_upstream_resets_fails_alone(sluice, upstream):
    release = threading.Event()

    def script(connection, stream, headers, body):
        if dict(headers)[":path"] == "/bad":
            connection.h2.reset_stream(stream, error_code=2)
            connection.flush()
        else:
            threading.Thread(target=lambda: release.wait(10) and connection.respond(stream), daemon=True).start()
    server = upstream(script)
    proxy = sluice(config(server.endpoint))
    good = []
    thread = threading.Thread(target=lambda: good.append(get(proxy.address(), "/good")))
    thread.start()
    wait_until(lambda: len(server.seen) == 1)
    assert get(proxy.address(), "/bad").status == 503
    release.set()
    thread.join()
    assert good[0].status == 200 and len(server.connections) == 1


def test_large_bodies_go_both_ways_within_the_upstreams_credit(sluice, upstream):
    server = upstream(lambda connection, stream, headers, body: connection.respond(stream, body))
    proxy = sluice(config(server.endpoint))
    body = bytes(range(256)) * 20_000
    assert get(proxy.address(), "/", method="POST", body=body).body == body
    with H2Client(proxy.address()) as client:
        assert bytes(client.finish(client.request("/", method="POST", body=body)).body) == body


def test_a_slow_client_holds_back_its_own_stream_only(sluice, upstream):
    big = b"x" * 4_000_000
    server = upstream(lambda connection, stream, headers, body: connection.respond(
        stream, big if dict(headers)[":path"] == "/big" else b"small"))
    proxy = sluice(config(server.endpoint))
    with H2Client(proxy.address(), auto_credit=False) as slow:
        stream = slow.request("/big")
        slow.wait(lambda: len(slow.streams[stream].body) == 65_535)
        for _ in range(20):
            assert get(proxy.address(), "/small").body == b"small"
        assert len(server.connections) == 1
        # What was sent for the slow stream is bounded by its window, and by what waits for the client.
        unsent = len(server.connections[0].waiting[1][0])
        assert len(big) - unsent < 1_000_000
        slow.h2.increment_flow_control_window(1 << 24)
        slow.h2.increment_flow_control_window(1 << 24, stream)
        slow.flush()
        assert len(slow.finish(stream).body) == len(big)


def test_a_client_that_goes_gives_its_stream_up_and_leaves_the_connection(sluice, upstream):
    server = upstream(lambda connection, stream, headers, body: dict(headers)[":path"] == "/wait"
                      or connection.respond(stream))
    proxy = sluice(config(server.endpoint))
    with Client(proxy.address()) as client:
        client.send(b"GET /wait HTTP/1.1\r\nHost: a\r\n\r\n")
        wait_until(lambda: len(server.seen) == 1)
        client.reset() if hasattr(client, "reset") else None
    wait_until(lambda: server.connections[0].resets == [(1, 8)])
    assert get(proxy.address()).status == 200 and len(server.connections) == 1


def test_trailers_go_through(sluice, upstream):
    server = upstream(lambda connection, stream, headers, body: connection.respond(
        stream, b"body", trailers=[("x-sum", "1")]))
    proxy = sluice(config(server.endpoint))
    with H2Client(proxy.address()) as client:
        reply = client.get(headers=[("te", "trailers")])
    assert bytes(reply.body) == b"body" and reply.trailers == [("x-sum", "1")]
    assert ("te", "trailers") in server.seen[0][2]
    with Client(proxy.address()) as client:
        assert client.request().trailers == [("x-sum", "1")]


def server_context(*protocols):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    pair = authority.server()
    folder = server_context.folder
    certificate, key = pair.write(folder, "h2")
    context.load_cert_chain(certificate, key)
    context.set_alpn_protocols(list(protocols))
    return context


@pytest.mark.parametrize("protocols,version", [(["h2", "http/1.1"], 2), (["http/1.1"], 1), (["h2"], 2)])
def test_tls_agrees_on_the_version(sluice, upstream, origin, tmp_path, protocols, version):
    server_context.folder = tmp_path
    ca = tmp_path / "ca.pem"
    ca.write_bytes(authority.authority().pem)
    context = server_context(*protocols)
    chain = [{"http": {"protocol": "auto"}}, {"tls": {"ca": str(ca), "server_name": "localhost"}}]
    if version == 2:
        server = upstream(tls=context)
        endpoint = server.endpoint
    else:
        server = origin(tls=context) if "tls" in origin.__code__.co_varnames else None
        if server is None:
            server = H1OverTLS(context)
        endpoint = server.endpoint
    proxy = sluice(config(endpoint, upstream={"chain": chain}))
    replies = in_parallel(10, lambda number: get(proxy.address(), f"/{number}"))
    assert [reply.status for reply in replies] == [200] * 10
    expect(proxy, {f"cluster.app.upstream_cx_http{3 - version}_total": 0})
    assert stats(proxy)[f"cluster.app.upstream_cx_http{version}_total"] >= 1


class H1OverTLS:
    """An upstream that speaks HTTP/1 alone."""

    def __init__(self, context):
        import http.server

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"ok")

            def log_message(self, *_):
                pass
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.endpoint = "127.0.0.1:%d" % self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


def test_more_requests_than_the_upstream_takes_wait_and_none_is_lost(sluice, upstream):
    lock, running, most = threading.Lock(), [0], [0]

    def script(connection, stream, headers, body):
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])

        def answer():
            with lock:
                running[0] -= 1
            connection.respond(stream)
        threading.Timer(0.01, answer).start()
    server = upstream(script, settings={3: 3})
    proxy = sluice(config(server.endpoint, upstream={**HTTP2, "max_connections": 2}))
    replies = in_parallel(60, lambda number: get(proxy.address(), f"/{number}"))
    assert [reply.status for reply in replies] == [200] * 60
    assert most[0] <= 6 and len(server.connections) <= 2
    expect(proxy, {"cluster.app.upstream_rq_pending_active": 0, "cluster.app.upstream_rq_active": 0})
