"""Requests and answers pass through as HTTP/1.1 says: connections kept, order kept, bodies framed."""
import pytest

from client import Client, encode, get
from configs import http_proxy
from origin import answer, chunked


@pytest.fixture
def proxied(sluice, origin):
    """`proxied(script, **settings)` gives (address, origin) of a proxy in front of a scripted origin."""
    def start(*script, **settings):
        one = origin(*script)
        return sluice(http_proxy(one.endpoint, **settings)).address(), one
    return start


def echo(peer):
    """Answers with what the request was."""
    while request := peer.read_request():
        body = f"{request.method} {request.target} {len(request.body)}".encode()
        if request.method == "HEAD":
            peer.send(answer(body)[:-len(body)])
        else:
            peer.send(answer(body))


def test_a_connection_serves_many_requests(proxied):
    address, _ = proxied(echo)
    with Client(address) as client:
        for number in range(20):
            assert client.request(target=f"/{number}").body == f"GET /{number} 0".encode()


def test_pipelined_requests_are_answered_in_order(proxied):
    address, upstream = proxied(echo)
    with Client(address) as client:
        client.send(b"".join(encode(target=f"/{number}") for number in range(50)))
        bodies = [client.read_response().body for _ in range(50)]
    assert bodies == [f"GET /{number} 0".encode() for number in range(50)]
    assert [r.target for r in upstream.requests] == [f"/{number}" for number in range(50)]


def test_a_body_between_pipelined_requests_stays_in_its_request(proxied):
    address, upstream = proxied(echo)
    with Client(address) as client:
        client.send(encode("POST", "/1", body=b"x" * 70000) + encode(target="/2"))
        assert client.read_response().body == b"POST /1 70000"
        assert client.read_response().body == b"GET /2 0"
    assert [r.body for r in upstream.requests] == [b"x" * 70000, b""]


def test_an_answer_to_head_has_its_length_and_no_body(proxied):
    address, _ = proxied(echo)
    with Client(address) as client:
        response = client.request("HEAD", "/h")
        assert (response.status, response.get("content-length"), response.body) == (200, "9", b"")
        assert client.request(target="/next").body == b"GET /next 0"


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
def test_an_answer_that_has_no_body_by_its_status_is_complete_at_once(proxied, status):
    def script(peer):
        while peer.read_request():
            peer.send(f"HTTP/1.1 {status}\r\nX-A: b\r\n\r\n".encode())
    address, _ = proxied(script)
    with Client(address) as client:
        for _ in range(3):
            response = client.request()
            assert (f"{response.status} {response.reason}", response.body) == (status, b"")
            assert not response.has("transfer-encoding")


def test_a_client_of_http_1_0_gets_the_answer_and_the_end(proxied):
    address, upstream = proxied(echo)
    with Client(address) as client:
        response = client.request(target="/old", version="HTTP/1.0")
        assert response.body == b"GET /old 0"
        client.expect_closed()
    assert upstream.requests[0].version == "HTTP/1.1"


def test_a_client_of_http_1_0_that_asks_for_keep_alive_keeps_its_connection(proxied):
    address, _ = proxied(echo)
    with Client(address) as client:
        for _ in range(2):
            response = client.request(version="HTTP/1.0", headers={"Connection": "keep-alive"})
            assert response.get("connection", "").lower() == "keep-alive"


def test_a_client_of_http_1_0_never_gets_chunks(proxied):
    def script(peer):
        while peer.read_request():
            peer.send(chunked([b"hello", b"world"]))
    address, _ = proxied(script)
    with Client(address) as client:
        response = client.request(version="HTTP/1.0", headers={"Connection": "keep-alive"})
        assert not response.has("transfer-encoding")
        assert response.body == b"helloworld"
        if not response.has("content-length"):
            client.expect_closed()


def test_http_1_0_is_refused_when_the_listener_does_not_take_it(proxied):
    address, upstream = proxied(http={"accept_http_10": False})
    with Client(address) as client:
        assert client.request(version="HTTP/1.0").status in (400, 426, 505)
        client.expect_closed()
    assert upstream.requests == []


def test_a_client_that_says_close_gets_close(proxied):
    address, _ = proxied(echo)
    with Client(address) as client:
        response = client.request(headers={"Connection": "close"})
        assert response.get("connection", "").lower() == "close"
        client.expect_closed()


def test_a_chunked_upload_arrives_with_its_trailers(proxied):
    address, upstream = proxied()
    with Client(address) as client:
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n"
                    b"5\r\nhello\r\n6\r\n world\r\n0\r\nX-Sum: 11\r\n\r\n")
        assert client.read_response().status == 200
    assert upstream.requests[0].body == b"hello world"
    assert ("x-sum", "11") in [(n.lower(), v) for n, v in upstream.requests[0].trailers]


def test_a_chunked_answer_arrives_with_its_trailers(proxied):
    def script(peer):
        while peer.read_request():
            peer.send(chunked([b"a" * 3000, b"b"], trailers=[("X-Sum", "2")]))
    address, _ = proxied(script)
    with Client(address) as client:
        response = client.request(headers={"TE": "trailers"})
        assert response.body == b"a" * 3000 + b"b"
        assert ("x-sum", "2") in [(n.lower(), v) for n, v in response.trailers]
        assert client.request().status == 200


def test_trailers_are_dropped_when_the_listener_says_so(proxied):
    address, upstream = proxied(http={"trailers": False})
    with Client(address) as client:
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-Sum: 1\r\n\r\n")
        assert client.read_response().status == 200
    assert upstream.requests[0].trailers == []


def test_parts_of_an_answer_pass_at_once(proxied):
    """A part is read by the client before the origin sends the next: nothing waits for the end of the body."""
    import threading
    seen = [threading.Event() for _ in range(5)]

    def script(peer):
        peer.read_request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        for number, event in enumerate(seen):
            peer.send(b"7\r\ndata: %d\r\n" % number)
            assert event.wait(5)
        peer.send(b"0\r\n\r\n")
    address, _ = proxied(script)
    with Client(address) as client:
        client.send(encode())
        client.read_head()
        for number, event in enumerate(seen):
            client.read_until(b"data: %d" % number)
            event.set()
        client.read_until(b"0\r\n\r\n")


@pytest.mark.parametrize("count", [20, 22, 40, 64, 100, 1000])
def test_many_small_parts_that_come_together_all_pass_at_once(proxied, count):
    """More pieces than one call takes: what is left must not wait for an event that never comes."""
    parts = [b"%d," % number for number in range(count)]

    def script(peer):
        while peer.read_request():
            peer.send(chunked(parts))
    address, one = proxied(script)
    with Client(address) as client:
        for _ in range(3):
            assert client.request().body == b"".join(parts)
        assert client.request("POST", body=chunked(parts).partition(b"\r\n\r\n")[2],
                              headers={"Transfer-Encoding": "chunked"}).status == 200
    assert one.requests[-1].body == b"".join(parts)


def test_parts_of_an_upload_pass_at_once(proxied):
    address, upstream = proxied()
    with Client(address) as client:
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        for number in range(5):
            client.send(b"7\r\npart: %d\r\n" % number)
            upstream.wait_for(lambda o, n=number: any(b"part: %d" % n in peer.received for peer in o.peers))
        client.send(b"0\r\n\r\n")
        assert client.read_response().status == 200


def test_a_client_that_expects_100_gets_it_and_then_the_answer(proxied):
    address, upstream = proxied()
    with Client(address) as client:
        client.send(encode("POST", headers={"Expect": "100-continue", "Content-Length": "5"}))
        assert client.read_head().status == 100
        client.send(b"hello")
        assert client.read_response().status == 200
    assert upstream.requests[0].body == b"hello"


def test_a_final_answer_in_place_of_100_reaches_the_client_that_waits(proxied):
    def script(peer):
        peer.read_head()
        peer.send(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        peer.wait_end()
    address, _ = proxied(script)
    with Client(address) as client:
        client.send(encode("POST", headers={"Expect": "100-continue", "Content-Length": "5"}))
        assert client.read_response().status == 413


def test_early_hints_pass_before_the_answer(proxied):
    def script(peer):
        while peer.read_request():
            peer.send(b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n" + answer())
    address, _ = proxied(script)
    with Client(address) as client:
        response = client.request()
    assert [(i.status, i.get("link")) for i in response.interim] == [(103, "</a.css>")]
    assert response.body == b"ok"


def test_a_target_in_absolute_form_is_forwarded_in_origin_form_with_its_host(proxied):
    address, upstream = proxied()
    assert get(address, "http://example.org:81/x?y=1", host="example.org:81").status == 200
    assert (upstream.requests[0].target, upstream.requests[0].get("host")) == ("/x?y=1", "example.org:81")


def test_a_large_answer_arrives_whole(proxied):
    body = bytes(range(256)) * 40000

    def script(peer):
        while peer.read_request():
            peer.send(answer(body))
    address, _ = proxied(script)
    assert get(address).body == body


def test_a_large_upload_arrives_whole(proxied):
    body = bytes(range(256)) * 40000
    address, upstream = proxied()
    assert get(address, method="POST", body=body).status == 200
    assert upstream.requests[0].body == body


def test_connections_do_not_see_each_others_bytes(proxied):
    """Many clients at once, each with a token of its own in target and body; each gets its own back."""
    from concurrent.futures import ThreadPoolExecutor

    def script(peer):
        while request := peer.read_request():
            peer.send(answer(request.target.encode() + b"|" + request.body))
    address, _ = proxied(script)

    def talk(token):
        with Client(address) as client:
            for number in range(20):
                body = f"{token}-{number}-".encode() * 50
                response = client.request("POST", f"/{token}/{number}", body=body)
                assert response.body == f"/{token}/{number}|".encode() + body
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(talk, range(32)))


def test_an_answer_cut_short_is_cut_for_the_client_too(proxied):
    def script(peer):
        peer.read_request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort")
    address, _ = proxied(script)
    with Client(address) as client:
        client.send(encode())
        response = client.read_response(partial=True)
        assert not response.complete
        assert response.status == 502 or response.body == b"short"


def test_an_answer_cut_short_does_not_look_complete_to_a_client_of_http_1_0(proxied):
    """Its answer ends with the connection: an orderly end would say that this was all."""
    def script(peer):
        peer.read_request()
        peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nshort\r\n")
    address, _ = proxied(script)
    with Client(address) as client:
        client.send(encode(version="HTTP/1.0"))
        assert client.read_to_end().endswith(b"\r\n\r\nshort")
        assert client.was_reset


def test_a_connection_ends_after_its_allowed_number_of_requests(proxied):
    address, _ = proxied(http={"max_requests_per_connection": 3})
    with Client(address) as client:
        connections = [client.request().get("connection", "").lower() for _ in range(3)]
        assert connections == ["", "", "close"]
        client.expect_closed()
