"""HTTP/2 with clients: requests are those of HTTP/1 for everything below, and streams do not stand in each other's way."""
import signal
import socket
import subprocess
import threading

import pytest

from admin import stats
from client import get
from configs import http_proxy
from flow import wait_until
from h2peer import H2Client
from origin import answer, chunked


def config(*endpoints, **more):
    return http_proxy(*endpoints, admin="127.0.0.1:0", workers=1, **more)


@pytest.fixture
def proxy(sluice, origin):
    """A proxy in front of an origin that runs a script; the origin's peers are in `upstream.peers`."""

    def start(script=None, **more):
        upstream = origin(script) if script else origin()
        return sluice(config(upstream.endpoint, **more)), upstream
    return start


def curl(*arguments):
    return subprocess.run(["curl", "-sS", "--max-time", "10", *arguments], capture_output=True, text=True, check=True).stdout


def test_curl_with_prior_knowledge_and_without(proxy):
    one, _ = proxy()
    host, port = one.address()
    url = f"http://{host}:{port}/"
    report = "%{http_version} %{http_code}"
    assert curl("--http2-prior-knowledge", "-w", report, url) == "ok2 200"
    assert curl("--http1.1", "-w", report, url) == "ok1.1 200"
    found = stats(one)
    assert found["http.inbound.downstream_cx_http2_total"] == 1 and found["http.inbound.downstream_rq_http2_total"] == 1
    assert found["http.inbound.downstream_cx_http1_total"] == 1 and found["http.inbound.downstream_rq_http1_total"] == 1


@pytest.mark.parametrize("text", [b"P", b"PR"])
def test_a_method_of_http1_that_begins_like_the_preface_is_one(proxy, text):
    one, upstream = proxy()
    with socket.create_connection(one.address(), timeout=10) as client:
        client.sendall(text)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        wait_until(lambda: stats(one)["http.inbound.downstream_cx_rx_bytes_total"] == len(text))
        client.sendall(b"OPFIND / HTTP/1.1\r\nHost: a\r\n\r\n" if text == b"PR" else b"OST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
        assert client.recv(100).startswith(b"HTTP/1.1 200 ")


def test_what_a_request_says_arrives_as_over_http1(proxy):
    seen = []

    def script(peer):
        while request := peer.read_request():
            seen.append(request)
            if not peer.send(answer(b"ok", headers=[("X-One", "1"), ("x-two", "2"), ("X-One", "3")])):
                return
    one, _ = proxy(script)
    with H2Client(one.address()) as client:
        reply = client.get("/path?q=1", headers=[
            ("x-a", "1"), ("cookie", "a=1"), ("x-b", ""), ("cookie", "b=2"), ("x-a", "2"), ("te", "trailers")])
    assert reply.status == 200 and reply.body == b"ok"
    fields = [(name.lower(), value) for name, value in seen[0].headers]
    assert seen[0].method == "GET" and seen[0].target == "/path?q=1"
    assert [pair for pair in fields if pair[0] in ("x-a", "x-b", "cookie", "host")] == [
        ("x-a", "1"), ("cookie", "a=1; b=2"), ("x-b", ""), ("x-a", "2"), ("host", "a")]
    assert ("te", "trailers") in fields
    assert [pair for pair in reply.headers if pair[0].startswith("x-")] == [("x-one", "1"), ("x-two", "2"), ("x-one", "3")]
    assert not {"connection", "keep-alive", "transfer-encoding"} & {name for name, _ in reply.headers}
    assert reply.get("server") == "sluice" and reply.get("date")


@pytest.mark.parametrize("size", [0, 1, 16_384, 16_385, 1_000_000])
@pytest.mark.parametrize("says_length", [True, False])
def test_bodies_of_all_sizes_go_both_ways(proxy, size, says_length):
    def script(peer):
        while request := peer.read_request():
            if not peer.send(answer(request.body)):
                return
    one, _ = proxy(script)
    body = bytes(range(256)) * (size // 256 + 1)
    body = body[:size]
    with H2Client(one.address()) as client:
        headers = [("content-length", str(size))] if says_length else []
        reply = client.finish(client.request("/", method="POST", headers=headers, body=body))
    assert reply.status == 200 and bytes(reply.body) == body and reply.reset is None


def test_trailers_in_both_directions(proxy):
    seen = []

    def script(peer):
        request = peer.read_request()
        seen.append(request)
        peer.send(chunked([b"one", b"two"], trailers=[("x-sum", "6"), ("content-length", "3")]))
    one, _ = proxy(script)
    with H2Client(one.address()) as client:
        stream = client.request("/", method="POST", headers=[("trailer", "x-check")], body=b"body", last=False)
        client.h2.send_headers(stream, [("x-check", "good")], end_stream=True)
        client.flush()
        reply = client.finish(stream)
    assert bytes(reply.body) == b"onetwo" and reply.trailers == [("x-sum", "6")]
    assert dict(seen[0].trailers) == {"x-check": "good"}


def test_an_interim_answer_comes_before_the_answer(proxy):
    def script(peer):
        peer.read_request()
        peer.send(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    one, _ = proxy(script)
    with H2Client(one.address()) as client:
        reply = client.get()
    assert [dict(head)[":status"] for head in reply.interims] == ["103"] and reply.status == 200


def test_an_answer_to_head_has_a_length_and_no_body(proxy):
    def script(peer):
        while peer.read_request():
            if not peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"):
                return
    one, _ = proxy(script)
    with H2Client(one.address()) as client:
        for _ in range(2):
            reply = client.get(method="HEAD")
            assert reply.status == 200 and reply.get("content-length") == "1000" and reply.body == b""


def test_an_answer_that_is_cut_short_is_no_answer(proxy):
    def script(peer):
        peer.read_request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf")
        peer.close()
    one, _ = proxy(script)
    with H2Client(one.address()) as client:
        reply = client.get()
        # The head may have been taken back as well, where nothing of it had been sent.
        assert reply.status in (0, 200) and not reply.ended and reply.reset == 2
        # The connection is as good as before.
        assert client.get().reset == 2


def test_an_answer_before_the_end_of_the_request_ends_the_stream(proxy):
    one, _ = proxy(routes=[{"respond": {"status": 403, "body": "no"}}])
    with H2Client(one.address()) as client:
        stream = client.request("/", method="POST", body=b"x" * 1000, last=False)
        reply = client.finish(stream)
        client.wait(lambda: client.streams[stream].reset is not None)
        assert reply.status == 403 and bytes(reply.body) == b"no" and client.streams[stream].reset == 0
        assert client.get().status == 403


def test_many_streams_at_once_each_get_their_own_answer(proxy):
    def script(peer):
        while request := peer.read_request():
            if not peer.send(answer(request.target.encode())):
                return
    one, upstream = proxy(script)
    with H2Client(one.address()) as client:
        streams = {client.request(f"/{number}"): number for number in range(90)}
        for stream, number in streams.items():
            assert bytes(client.finish(stream).body) == b"/%d" % number
    assert stats(one)["http.inbound.downstream_rq_active"] == 0


def test_a_client_that_does_not_read_one_stream_reads_the_others(proxy):
    big = b"x" * 3_000_000

    def script(peer):
        while request := peer.read_request():
            if not peer.send(answer(big if request.target == "/big" else b"small")):
                return
    one, _ = proxy(script)
    with H2Client(one.address(), auto_credit=False) as client:
        # More credit for the connection than the streams may use.
        client.h2.increment_flow_control_window(1 << 24)
        client.flush()
        slow = [client.request("/big") for _ in range(3)]
        for _ in range(20):
            assert bytes(client.get("/small").body) == b"small"
        received = sum(len(client.streams[stream].body) for stream in slow)
        assert received == 3 * 65_535
        for stream in slow:
            client.h2.increment_flow_control_window(4_000_000, stream)
        client.flush()
        for stream in slow:
            assert len(client.finish(stream).body) == len(big)


def test_an_upstream_that_does_not_read_one_stream_holds_no_other_up(proxy):
    def script(peer):
        while request := peer.read_request():
            if not peer.send(answer(b"%d" % len(request.body))):
                return
    one, _ = proxy(script)
    with H2Client(one.address()) as client:
        stream = client.request("/slow", method="POST", headers=[("content-length", "5000000")], body=b"", last=False)
        for _ in range(10):
            assert client.get("/fast").status == 200
        client.send(stream, b"y" * 5_000_000, last=True)
        assert bytes(client.finish(stream).body) == b"5000000"


def test_a_stream_that_the_client_gives_up_ends_its_request(proxy):
    gone = threading.Event()

    def script(peer):
        if peer.read_request().target != "/wait":
            peer.send(answer())
            return
        while peer.fill():
            pass
        gone.set()
    one, _ = proxy(script)
    with H2Client(one.address()) as client:
        stream = client.request("/wait")
        wait_until(lambda: stats(one)["cluster.app.upstream_rq_active"] == 1)
        client.h2.reset_stream(stream, error_code=8)
        client.flush()
        assert gone.wait(5)
        assert client.get().status == 200
    wait_until(lambda: stats(one)["http.inbound.downstream_rq_active"] == 0)


def test_drain_says_goodbye_and_finishes_what_runs(proxy):
    release = threading.Event()

    def script(peer):
        while peer.read_request():
            release.wait(10)
            if not peer.send(answer()):
                return
    one, _ = proxy(script)
    with H2Client(one.address()) as client:
        stream = client.request("/")
        wait_until(lambda: stats(one)["cluster.app.upstream_rq_active"] == 1)
        one.signal(signal.SIGTERM)
        client.wait(lambda: client.goaway is not None)
        assert client.goaway == 0
        release.set()
        assert client.finish(stream).status == 200
        while client.step():
            pass
    assert one.wait_exit() == 0


def test_requests_over_the_limit_of_streams_are_refused_and_hurt_nobody(proxy):
    release = threading.Event()

    def script(peer):
        while peer.read_request():
            release.wait(10)
            if not peer.send(answer()):
                return
    one, _ = proxy(script, http={"http2": {"max_concurrent_streams": 2}})
    with H2Client(one.address()) as client:
        client.wait(lambda: client.h2.remote_settings.max_concurrent_streams == 2)
        first = [client.request("/"), client.request("/")]
        client.h2.remote_settings[3] = 100
        client.h2.remote_settings.acknowledge()
        third = client.finish(client.request("/"))
        assert third.reset == 7
        release.set()
        assert [client.finish(stream).status for stream in first] == [200, 200]


def test_a_connection_without_requests_ends_after_its_time(proxy):
    one, _ = proxy(http={"idle_timeout": "300ms"})
    with H2Client(one.address()) as client:
        assert client.get().status == 200
        while client.step():
            pass
        assert client.goaway == 0


def test_silence_is_asked_about(proxy):
    one, _ = proxy(http={"http2": {"ping_interval": "100ms", "ping_timeout": "300ms"}})
    with H2Client(one.address()) as client:
        assert client.get().status == 200
        # h2 answers by itself as long as somebody reads.
        wait_until(lambda: stats(one)["http.inbound.downstream_cx_active"] == 0)
    assert stats(one)["fault.http2.ping_timeout"] == 1


def test_a_connection_ends_when_its_time_is_over(proxy):
    one, _ = proxy(http={"max_connection_duration": "200ms"})
    with H2Client(one.address()) as client:
        assert client.get().status == 200
        while client.step():
            pass
        assert client.goaway == 0


def test_a_body_that_stops_coming_is_given_up(proxy):
    one, _ = proxy(http={"body_idle_timeout": "200ms"})
    with H2Client(one.address()) as client:
        stream = client.request("/", method="POST", body=b"part", last=False)
        assert client.finish(stream).status == 408
        assert client.get().status == 200


def test_a_body_over_the_limit_is_refused(proxy):
    one, _ = proxy(http={"max_body": "1KiB"})
    with H2Client(one.address()) as client:
        assert client.finish(client.request("/", method="POST", headers=[("content-length", "2000")], last=False)).status == 413
        stream = client.request("/", method="POST", body=b"x" * 3000, last=False)
        assert client.finish(stream).status == 413
        assert client.get().status == 200
