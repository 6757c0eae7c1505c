"""Connections to origins: kept and used again, limited, made anew in time, and every way in which they fail."""
import signal
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from client import Client, encode, get
from configs import http_proxy
from flow import wait_until
from origin import OK, answer
from peek import wait_until_read

NO_BODY = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


@pytest.fixture
def proxied(sluice, origin):
    """`proxied(script, upstream={...})` gives (address, origin); one worker, so that there is one pool."""
    def start(*script, **settings):
        one = origin(*script)
        return sluice(http_proxy(one.endpoint, workers=1, **settings)).address(), one
    return start


class Gate:
    """Lets a script's answers through one by one, and tells how many requests wait at it."""

    def __init__(self):
        self.waiting = 0
        self._open = 0
        self._change = threading.Condition()

    def script(self, peer):
        while request := peer.read_request():
            with self._change:
                self.waiting += 1
                number = self.waiting
            peer.origin.changed()
            with self._change:
                assert self._change.wait_for(lambda: self._open >= number, 10)
            if not peer.send(answer(request.target.encode())):
                return

    def let_through(self, count=1):
        with self._change:
            self._open += count
            self._change.notify_all()


# MARK: Reuse

def test_requests_of_one_client_go_over_one_connection(proxied):
    address, one = proxied()
    with Client(address) as client:
        for _ in range(20):
            assert client.request().status == 200
    assert len(one.peers) == 1


def test_requests_of_many_clients_go_over_one_connection(proxied):
    address, one = proxied()
    for _ in range(20):
        assert get(address).status == 200
    assert len(one.peers) == 1


def test_requests_with_bodies_of_all_kinds_leave_a_connection_that_can_be_used(proxied):
    def script(peer):
        while request := peer.read_request():
            if request.target == "/chunked":
                peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-T: 1\r\n\r\n")
            elif request.target == "/empty":
                peer.send(b"HTTP/1.1 204 No Content\r\n\r\n")
            elif request.method == "HEAD":
                peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n")
            else:
                peer.send(answer(request.body))
    address, one = proxied(script)
    with Client(address) as client:
        assert client.request(target="/chunked").body == b"ok"
        assert client.request(target="/empty").status == 204
        assert client.request("HEAD").get("content-length") == "500"
        assert client.request("POST", body=b"body").body == b"body"
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n")
        assert client.read_response().body == b"body"
        assert client.request().status == 200
    assert len(one.peers) == 1


@pytest.mark.parametrize("end", [
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok",
    b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
], ids=["close", "http_1_0"])
def test_a_connection_that_the_origin_does_not_keep_is_not_used_again(proxied, end):
    def script(peer):
        while peer.read_request():
            peer.send(end)
    address, one = proxied(script)
    with Client(address) as client:
        for _ in range(3):
            response = client.request()
            assert response.body == b"ok" and response.get("connection", "").lower() != "close"
    assert len(one.peers) == 3
    one.wait_for(lambda o: all(peer.ended for peer in o.peers))


def test_a_connection_is_not_used_for_more_requests_than_allowed(proxied):
    address, one = proxied(upstream={"max_requests_per_connection": 2})
    with Client(address) as client:
        for _ in range(5):
            assert client.request().status == 200
    assert len(one.peers) == 3
    one.wait_for(lambda o: [peer.ended for peer in o.peers] == [True, True, False])


def test_an_idle_connection_is_closed_in_time(proxied):
    address, one = proxied(upstream={"idle_timeout": "200ms"})
    assert get(address).status == 200
    one.wait_for(lambda o: o.peers[0].ended)
    assert get(address).status == 200
    assert len(one.peers) == 2


def test_without_an_idle_time_no_connection_is_kept(proxied):
    address, one = proxied(upstream={"idle_timeout": "0s"})
    for _ in range(3):
        assert get(address).status == 200
    one.wait_for(lambda o: len(o.peers) == 3 and all(peer.ended for peer in o.peers))


def test_a_connection_that_answered_an_abandoned_request_is_not_used_again(proxied):
    """The client has gone; what the origin may still send must not become somebody else's answer."""
    released = threading.Event()

    def script(peer):
        request = peer.read_request()
        if request.target == "/slow":
            released.wait(5)
            peer.send(answer(b"for somebody else"))
            return peer.wait_end()
        while request:
            peer.send(answer(request.target.encode()))
            request = peer.read_request()
    address, one = proxied(script)
    gone = Client(address)
    gone.send(encode(target="/slow"))
    one.wait_for(lambda o: o.requests)
    gone.reset()
    released.set()
    for number in range(5):
        assert get(address, f"/{number}").body == f"/{number}".encode()


# MARK: Limits

def test_above_max_connections_requests_wait_for_their_turn(proxied):
    gate = Gate()
    address, one = proxied(gate.script, upstream={"max_connections": 2})
    clients = [Client(address) for _ in range(6)]
    for number, client in enumerate(clients):
        client.send(encode(target=f"/{number}"))
    one.wait_for(lambda o: gate.waiting == 2)
    gate.let_through(6)
    for number, client in enumerate(clients):
        assert client.read_response().body == f"/{number}".encode()
        client.close()
    assert len(one.peers) == 2


def test_those_that_wait_come_in_the_order_of_their_arrival(proxied):
    gate = Gate()
    address, one = proxied(gate.script, upstream={"max_connections": 1})
    clients = []
    for number in range(6):
        client = Client(address)
        client.send(encode(target=f"/{number}"))
        wait_until_read(client.socket)
        clients.append(client)
    gate.let_through(6)
    for client in clients:
        assert client.read_response().status == 200
        client.close()
    assert [request.target for request in one.requests] == [f"/{number}" for number in range(6)]


def test_one_that_waits_and_leaves_does_not_reach_the_origin(proxied):
    gate = Gate()
    address, one = proxied(gate.script, upstream={"max_connections": 1})
    first, second, third = [Client(address) for _ in range(3)]
    for number, client in enumerate([first, second, third]):
        client.send(encode(target=f"/{number}"))
        wait_until_read(client.socket)
    one.wait_for(lambda o: gate.waiting == 1)
    second.reset()
    gate.let_through(3)
    assert first.read_response().status == 200
    assert third.read_response().status == 200
    assert [request.target for request in one.requests] == ["/0", "/2"]
    first.close()
    third.close()


def test_above_max_pending_requests_are_refused_at_once(proxied):
    gate = Gate()
    address, one = proxied(gate.script, upstream={"max_connections": 1, "max_pending": 1})
    running, waiting = Client(address), Client(address)
    running.send(encode(target="/running"))
    one.wait_for(lambda o: gate.waiting == 1)
    waiting.send(encode(target="/waiting"))
    wait_until_read(waiting.socket)
    for _ in range(3):
        response = get(address, "/too-many")
        assert response.status == 503 and b"too many requests" in response.body
    gate.let_through(2)
    assert running.read_response().body == b"/running"
    assert waiting.read_response().body == b"/waiting"
    running.close()
    waiting.close()
    assert len(one.requests) == 2


def test_a_failed_connection_lets_the_next_of_those_that_wait_try(proxied):
    """The only connection dies under its request; whoever waits must not wait for ever."""
    gate = threading.Event()

    def script(peer):
        request = peer.read_request()
        if request.target == "/dies":
            assert gate.wait(5)
            return peer.reset()
        peer.send(OK)
        peer.wait_end()
    address, one = proxied(script, upstream={"max_connections": 1})
    dies, waits = Client(address), Client(address)
    dies.send(encode("POST", "/dies", body=b"x"))
    one.wait_for(lambda o: o.requests)
    waits.send(encode(target="/waits"))
    wait_until_read(waits.socket)
    gate.set()
    assert dies.read_response().status == 503
    assert waits.read_response().status == 200
    dies.close()
    waits.close()


def test_many_clients_at_once_never_have_more_connections_than_allowed(proxied):
    address, one = proxied(upstream={"max_connections": 4})

    def talk(_):
        with Client(address, patience=15) as client:
            return [client.request().status for _ in range(10)]
    with ThreadPoolExecutor(24) as pool:
        assert [status for statuses in pool.map(talk, range(24)) for status in statuses] == [200] * 240
    assert len(one.peers) <= 4


# MARK: Connecting

def test_a_refused_connection_is_answered_503_in_words(sluice, refused):
    response = get(sluice(http_proxy(refused)).address())
    assert response.status == 503 and b"refused" in response.body
    assert response.get("content-type").startswith("text/plain")


def test_a_missing_unix_socket_is_answered_503(sluice, tmp_path):
    assert get(sluice(http_proxy(f"unix:{tmp_path}/none.sock")).address()).status == 503


def test_a_client_keeps_its_connection_when_the_upstream_refuses(sluice, refused):
    with Client(sluice(http_proxy(refused)).address()) as client:
        for _ in range(3):
            assert client.request().status == 503


def test_an_upload_to_an_upstream_that_refuses_is_answered_and_ends_in_order(sluice, refused):
    with Client(sluice(http_proxy(refused)).address()) as client:
        client.send(encode("POST", body=b"x" * 100_000))
        assert client.read_response().status == 503
        client.send(encode())
        try:
            assert client.read_response().status == 503
        except AssertionError:
            assert client.ended


@pytest.fixture
def black_hole():
    """A listener whose backlog is full: the kernel drops every further attempt without a word."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    fillers = []
    while True:
        filler = socket.socket()
        filler.settimeout(0.15)
        fillers.append(filler)
        try:
            filler.connect(listener.getsockname())
        except TimeoutError:
            break
    yield "127.0.0.1:%d" % listener.getsockname()[1]
    for one in [listener, *fillers]:
        one.close()


def test_a_connection_that_does_not_come_about_is_given_up_in_time(sluice, black_hole):
    address = sluice(http_proxy(black_hole, upstream={"connect_timeout": "200ms"})).address()
    with Client(address) as client:
        for _ in range(2):
            response = client.request()
            assert response.status == 503 and b"took too long" in response.body


def test_the_route_timeout_also_ends_an_attempt_to_connect(sluice, black_hole):
    address = sluice(http_proxy(black_hole, route={"timeout": "200ms"})).address()
    assert get(address).status == 504


def test_a_client_that_leaves_while_the_connection_is_made_leaves_nothing_behind(sluice, black_hole):
    proxy = sluice(http_proxy(black_hole, upstream={"connect_timeout": "300ms"}, workers=1))
    before = proxy.fds()
    client = Client(proxy.address())
    client.send(encode())
    proxy.wait_fds(lambda count: count == before + 2)
    client.reset()
    proxy.wait_fds(lambda count: count == before)


def test_an_origin_that_comes_back_is_used_at_once(sluice, origin, tmp_path):
    path = str(tmp_path / "app.sock")
    address = sluice(http_proxy(f"unix:{path}")).address()
    assert get(address).status == 503
    origin(path=path)
    assert get(address).status == 200


def test_an_origin_on_a_unix_socket_serves(sluice, origin, tmp_path):
    one = origin(path=str(tmp_path / "app.sock"))
    address = sluice(http_proxy(one.endpoint, workers=1)).address()
    for _ in range(3):
        assert get(address).status == 200
    assert len(one.peers) == 1


def test_an_origin_on_ipv6_serves(sluice, origin):
    one = origin(family=socket.AF_INET6)
    assert get(sluice(http_proxy(one.endpoint)).address()).status == 200


# MARK: Connections that have gone stale

@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_connection_closed_by_the_origin_while_idle_is_never_used(proxied, method):
    """The origin closes right after each answer; no client sees it, and nothing is sent twice."""
    def script(peer):
        peer.read_request()
        peer.send(OK)
    address, one = proxied(script)
    body = b"x" if method == "POST" else b""
    for number in range(20):
        assert get(address, method=method, body=body).status == 200
        one.wait_for(lambda o: o.peers[-1]._finished)
    assert len(one.requests) == 20


def test_a_connection_reset_by_the_origin_while_idle_is_never_used(proxied):
    def script(peer):
        peer.read_request()
        peer.send(OK)
        assert wait_until_read(peer.socket)
        peer.reset()
    address, one = proxied(script)
    for _ in range(10):
        assert get(address, method="POST", body=b"x").status == 200
        one.wait_for(lambda o: o.peers[-1]._finished)
    assert len(one.requests) == 10


def test_an_idle_connection_on_which_the_origin_speaks_is_closed(proxied):
    """An answer that nobody asked for must not be taken for the next request's."""
    speak = threading.Event()

    def script(peer):
        peer.read_request()
        peer.send(OK)
        if peer.number == 0:
            assert speak.wait(5)
            peer.send(answer(b"poison"))
            return peer.wait_end()
        while peer.read_request():
            peer.send(OK)
    address, one = proxied(script)
    assert get(address).body == b"ok"
    speak.set()
    one.wait_for(lambda o: o.peers[0].ended)
    for _ in range(3):
        assert get(address).body == b"ok"


def test_an_answer_with_a_second_one_behind_it_is_the_last_on_its_connection(proxied):
    def script(peer):
        while peer.read_request():
            peer.send(OK + answer(b"poison"))
    address, one = proxied(script)
    for _ in range(5):
        assert get(address).body == b"ok"
    one.wait_for(lambda o: sum(peer.ended for peer in o.peers) == len(o.peers) == 5)


def race(peer):
    """Closes its first connection when a second request comes, unanswered: it had decided so before it came."""
    assert peer.read_request()
    peer.send(OK)
    if peer.number == 0:
        peer.read_request()
        return
    while peer.read_request():
        peer.send(OK)


def race_with_reset(peer):
    assert peer.read_request()
    peer.send(OK)
    if peer.number == 0:
        peer.read_request()
        return peer.reset()
    while peer.read_request():
        peer.send(OK)


@pytest.mark.parametrize("script", [race, race_with_reset])
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])
def test_a_request_that_may_be_repeated_survives_the_keep_alive_race(proxied, script, method):
    address, one = proxied(script if method != "HEAD" else head_of(script))
    with Client(address) as client:
        assert client.request(method, "/1").status == 200
        assert client.request(method, "/2").status == 200
    assert [r.target for r in one.requests] == ["/1", "/2", "/2"]
    assert len(one.peers) == 2


def head_of(script):
    """The script with answers to HEAD, which have no body."""
    class Bodiless:
        def __init__(self, peer):
            self._peer = peer

        def __getattr__(self, name):
            return getattr(self._peer, name)

        def send(self, data):
            return self._peer.send(NO_BODY)
    return lambda peer: script(Bodiless(peer))


@pytest.mark.parametrize("script", [race, race_with_reset])
def test_a_request_that_may_not_be_repeated_is_not_sent_twice(proxied, script):
    address, one = proxied(script)
    with Client(address) as client:
        assert client.request("POST", "/1", body=b"x").status == 200
        response = client.request("POST", "/2", body=b"x")
        assert response.status == 503 and b"closed before it answered" in response.body
        assert client.request("POST", "/3", body=b"x").status == 200
    assert [r.target for r in one.requests] == ["/1", "/2", "/3"]


def test_a_body_is_not_kept_for_the_race(proxied):
    """A PUT could be sent twice without harm; its body is gone when that is known."""
    address, one = proxied(race)
    with Client(address) as client:
        assert client.request("PUT", "/1", body=b"x").status == 200
        assert client.request("PUT", "/2", body=b"x").status == 503
        assert client.request("PUT", "/3", body=b"x").status == 200
    assert [r.target for r in one.requests] == ["/1", "/2", "/3"]


def test_a_request_is_repeated_once_only(proxied):
    """What closes a fresh connection is not the race: the client is told."""
    def script(peer):
        if peer.number == 0:
            peer.read_request()
            peer.send(OK)
        peer.read_request()
    address, one = proxied(script)
    with Client(address) as client:
        assert client.request(target="/1").status == 200
        assert client.request(target="/2").status == 503
    assert [r.target for r in one.requests] == ["/1", "/2", "/2"]


def test_a_first_request_on_a_connection_is_not_repeated(proxied):
    address, one = proxied(lambda peer: peer.read_request())
    assert get(address).status == 503
    assert len(one.requests) == 1


def test_a_request_is_not_repeated_once_some_of_an_answer_has_come(proxied):
    def script(peer):
        peer.read_request()
        peer.send(OK)
        peer.read_request()
        peer.send(b"HTTP/1.1 200 O")
    address, one = proxied(script)
    with Client(address) as client:
        assert client.request().status == 200
        assert client.request().status in (502, 503)
    assert len(one.requests) == 2


# MARK: Answers that are none

@pytest.mark.parametrize("garbage", [
    b"\x00\x01\x02\x03\r\n\r\n",
    b"SSH-2.0-OpenSSH_9.2\r\n",
    b"HTTP/1.1 abc Odd\r\n\r\n",
    b"HTTP/9.9 200 OK\r\n\r\n",
    b"<html>hello</html>\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
], ids=["binary", "ssh", "status", "version", "html", "lengths"])
def test_an_answer_that_is_no_http_is_answered_502(proxied, garbage):
    def script(peer):
        peer.read_request()
        peer.send(garbage)
        peer.wait_end()
    address, one = proxied(script)
    with Client(address) as client:
        response = client.request()
        assert response.status == 502 and b"not valid HTTP" in response.body
    one.wait_for(lambda o: o.peers[0].ended)


def test_an_origin_that_dies_in_the_head_is_answered_503(proxied):
    def script(peer):
        peer.read_request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Le")
    address, _ = proxied(script)
    with Client(address) as client:
        assert client.request().status in (502, 503)
        assert client.request().status in (502, 503)


@pytest.mark.parametrize("start", [
    b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\npart",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\npart",
], ids=["length", "chunks", "chunk"])
@pytest.mark.parametrize("with_reset", [False, True], ids=["end", "reset"])
def test_an_answer_that_the_origin_cuts_is_cut_for_the_client(proxied, start, with_reset):
    seen = threading.Event()

    def script(peer):
        peer.read_request()
        peer.send(start)
        assert seen.wait(5)
        if with_reset:
            peer.reset()
    address, _ = proxied(script)
    with Client(address) as client:
        client.send(encode())
        client.read_head()
        while b"part" not in client.buffer:
            assert client.fill()
        seen.set()
        rest = client.read_to_end()
        assert b"part" in rest and not rest.endswith(b"0\r\n\r\n"), "a cut answer must not look complete"


def test_an_upstream_that_refuses_before_it_reads_is_heard(proxied):
    """Servers that are full say 503 and close at once."""
    def script(peer):
        peer.send(answer(b"full", status="503 Service Unavailable", headers=[("Connection", "close")]))
        peer.half_close()
        peer.read_request()
    address, one = proxied(script)
    for _ in range(5):
        response = get(address)
        assert (response.status, response.body) == (503, b"full")
    assert len(one.peers) == 5


@pytest.mark.parametrize("body", [0, 1000, 1 << 20], ids=["no body", "a small body", "a large body"])
def test_an_answer_with_a_reset_behind_it_is_heard(sluice, origin, body):
    """Who closes with unread bytes before it resets its connection: the answer lies in front of the reset."""
    go = threading.Event()

    def script(peer):
        peer.read_head()
        assert go.wait(10)
        peer.send(answer(b"x" * 5000, status="413 Content Too Large", headers=[("Connection", "close")]))
        peer.reset()
    one = origin(script)
    proxy = sluice(http_proxy(one.endpoint, workers=1))
    with Client(proxy.address()) as client:
        client.send(encode("POST", headers={"Content-Length": str(body)}))
        one.wait_for(lambda o: o.peers and o.peers[0].parsed)
        # The proxy finds the answer, the reset and the rest of the request in one turn.
        proxy.signal(signal.SIGSTOP)
        wait_until(lambda: proxy.state() == "T")
        upload = threading.Thread(target=client.send, args=(b"y" * body,), daemon=True)
        upload.start()
        go.set()
        one.wait_for(lambda o: o.peers[0]._finished)
        proxy.signal(signal.SIGCONT)
        response = client.read_response()
        assert (response.status, response.body) == (413, b"x" * 5000)
        upload.join()
    assert len(one.peers) == 1


def test_an_answer_that_ends_with_a_reset_is_not_taken_for_complete(sluice, origin):
    """Without a length only an orderly end says that all has come."""
    go = threading.Event()

    def script(peer):
        peer.read_request()
        assert go.wait(10)
        peer.send(b"HTTP/1.1 200 OK\r\n\r\npart")
        peer.reset()
    one = origin(script)
    proxy = sluice(http_proxy(one.endpoint, workers=1))
    with Client(proxy.address()) as client:
        client.send(encode())
        one.wait_for(lambda o: o.requests)
        proxy.signal(signal.SIGSTOP)
        wait_until(lambda: proxy.state() == "T")
        go.set()
        one.wait_for(lambda o: o.peers[0]._finished)
        proxy.signal(signal.SIGCONT)
        response = client.read_response(partial=True)
        assert not response.complete


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("order", ["poison first", "request first"])
def test_what_lies_on_a_connection_before_its_next_request_answers_nobody(sluice, origin, method, order):
    """Bytes without a request and the next request come together: they are not its answer."""
    one = origin(answer_paths)
    proxy = sluice(http_proxy(one.endpoint, workers=1))
    request = encode(method, "/2", body=b"x" if method == "POST" else b"")
    with Client(proxy.address()) as client:
        assert client.request(target="/1").body == b"/1"
        proxy.signal(signal.SIGSTOP)
        wait_until(lambda: proxy.state() == "T")
        steps = [lambda: one.peers[0].send(answer(b"poison")), lambda: client.send(request)]
        for step in steps if order == "poison first" else reversed(steps):
            step()
        proxy.signal(signal.SIGCONT)
        response = client.read_response()
        assert (response.status, response.body) == (200, b"/2")
    assert len(one.peers) == 2


def answer_paths(peer):
    """Answers each request with its target."""
    while request := peer.read_request():
        peer.send(answer(request.target.encode()))


def test_an_origin_that_does_not_answer_in_time_is_answered_504(proxied):
    def script(peer):
        peer.read_request()
        peer.wait_end()
    address, one = proxied(script, route={"timeout": "200ms"})
    with Client(address) as client:
        response = client.request()
        assert response.status == 504 and b"did not answer in time" in response.body
        one.wait_for(lambda o: o.peers[0].ended)
        assert client.request().status == 504, "the client's connection goes on"
    assert len(one.peers) == 2


def test_an_answer_that_stops_after_its_beginning_is_cut_at_the_route_timeout(proxied):
    def script(peer):
        peer.read_request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart")
        peer.wait_end()
    address, one = proxied(script, route={"timeout": "300ms"})
    with Client(address) as client:
        client.send(encode())
        response = client.read_response(partial=True)
        assert not response.complete and response.body == b"part"
    one.wait_for(lambda o: o.peers[0].ended)


def test_answers_before_the_answer_are_passed_in_their_order(proxied):
    def script(peer):
        peer.read_request()
        peer.send(b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
        peer.send(b"HTTP/1.1 103 Early Hints\r\nLink: </b>\r\n\r\n")
        peer.send(OK)
        peer.wait_end()
    address, _ = proxied(script)
    with Client(address) as client:
        response = client.request()
        assert [(i.status, i.get("link")) for i in response.interim] == [(102, None), (103, "</a>"), (103, "</b>")]
        assert response.body == b"ok"


def test_an_origin_that_dies_after_an_answer_before_the_answer_is_answered_503(proxied):
    def script(peer):
        peer.read_request()
        peer.send(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
    address, _ = proxied(script)
    with Client(address) as client:
        response = client.request()
        assert [i.status for i in response.interim] == [103] and response.status in (502, 503)


# MARK: Books

def test_nothing_is_left_after_every_kind_of_failure(sluice, origin, refused):
    """Descriptors and pool slots are back after failures; a limit of one connection would show a slot that is lost."""
    def script(peer):
        request = peer.read_request()
        while request:
            if request.target == "/ok":
                peer.send(OK)
            elif request.target == "/garbage":
                peer.send(b"garbage\r\n\r\n")
            elif request.target == "/reset":
                return peer.reset()
            elif request.target == "/cut":
                return peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx")
            elif request.target == "/silent":
                return peer.wait_end()
            else:
                return
            request = peer.read_request()
    one = origin(script)
    routes = [{"name": "r", "match": {"prefix": "/refused"}, "to": "dead"},
              {"name": "s", "match": {"prefix": "/silent"}, "to": "app", "timeout": "100ms"}, {"name": "all", "to": "app"}]
    proxy = sluice(http_proxy(one.endpoint, routes=routes, clusters={"dead": {"endpoints": [refused]}},
                              upstream={"max_connections": 1}, workers=1))
    address = proxy.address()
    assert get(address, "/ok").status == 200
    before = proxy.fds()
    for target in ["/garbage", "/reset", "/cut", "/silent", "/end", "/refused", "/vanish"] * 4:
        with Client(address) as client:
            client.send(encode("POST", target, body=b"x"))
            if target == "/vanish":
                client.reset()
                continue
            client.read_to_end() if target == "/cut" else client.read_response()
        assert get(address, "/ok").status == 200
    proxy.wait_fds(lambda count: count <= before)
    wait_until(lambda: sum(not peer.ended and not peer._finished for peer in one.peers) <= 1)
