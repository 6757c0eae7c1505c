"""Limits of the HTTP codec: each has its status, closes the connection, and nothing goes upstream."""
import time

import pytest

from client import Client, Silence, encode
from configs import http_proxy
from origin import answer

MUCH = 8 << 20


@pytest.fixture
def limited(sluice, origin):
    def start(**http):
        one = origin()
        return sluice(http_proxy(one.endpoint, http=http)).address(), one
    return start


def refused_with(address, upstream, status, data, patience=5.0):
    with Client(address, patience) as client:
        client.send(data)
        response = client.read_response()
        assert response.status == status
        assert response.get("connection", "").lower() == "close"
        client.expect_closed()
    assert upstream.requests == []


def test_a_head_above_its_limit_is_refused_with_431(limited):
    address, upstream = limited(max_head="1KiB")
    refused_with(address, upstream, 431, encode(headers={"X": "y" * 1100}))


def test_a_head_below_its_limit_passes(limited):
    address, upstream = limited(max_head="4KiB")
    with Client(address) as client:
        assert client.request(headers={"X": "y" * 3500}).status == 200


def test_more_fields_than_allowed_are_refused_with_431(limited):
    address, upstream = limited(max_headers=10)
    refused_with(address, upstream, 431, encode(headers=[(f"X{n}", "y") for n in range(10)]))


def test_as_many_fields_as_allowed_pass(limited):
    address, _ = limited(max_headers=10)
    with Client(address) as client:
        assert client.request(headers=[(f"X{n}", "y") for n in range(9)]).status == 200


def test_a_target_above_its_limit_is_refused_with_414(limited):
    address, upstream = limited(max_target="100B")
    refused_with(address, upstream, 414, encode(target="/" + "a" * 100))


def test_a_target_at_its_limit_passes(limited):
    address, _ = limited(max_target="100B")
    with Client(address) as client:
        assert client.request(target="/" + "a" * 99).status == 200


def test_a_length_above_the_body_limit_is_refused_with_413_before_the_body(limited):
    address, upstream = limited(max_body="1KiB")
    refused_with(address, upstream, 413, encode("POST", headers={"Content-Length": "1025"}))


def test_chunks_above_the_body_limit_are_refused_with_413(limited):
    address, upstream = limited(max_body="1KiB")
    with Client(address) as client:
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        client.send((b"200\r\n" + b"x" * 512 + b"\r\n") * 3 + b"0\r\n\r\n")
        assert client.read_response().status == 413
        client.expect_closed()
    assert upstream.requests == []


def test_a_body_at_its_limit_passes(limited):
    address, _ = limited(max_body="1KiB")
    with Client(address) as client:
        assert client.request("POST", body=b"x" * 1024).status == 200


def test_a_head_that_does_not_end_in_time_is_answered_408(limited):
    address, upstream = limited(head_timeout="200ms")
    refused_with(address, upstream, 408, b"GET / HTTP/1.1\r\nHos")


def test_a_head_that_drips_does_not_extend_its_time(limited):
    address, upstream = limited(head_timeout="300ms")
    with Client(address) as client:
        client.socket.settimeout(0.02)
        data = b"GET / HTTP/1.1\r\nX: " + b"y" * 500
        sent = 0
        while not client.ended and sent < len(data):
            if not client.send(data[sent:sent + 1]):
                break
            sent += 1
            client.socket.settimeout(0.02)
            try:
                client.buffer += client.socket.recv(4096)
            except TimeoutError:
                continue
            break
        assert 1 < sent < len(data), "the proxy waited for a head that only dripped"
        assert client.read_response().status == 408
    assert upstream.requests == []


def test_a_body_that_stops_is_answered_408(limited):
    address, upstream = limited(body_idle_timeout="200ms")
    with Client(address) as client:
        client.send(encode("POST", headers={"Content-Length": "10"}) + b"hello")
        assert client.read_response().status == 408
        client.expect_closed()
    assert upstream.requests == []
    upstream.wait_for(lambda o: all(peer.ended for peer in o.peers))


def test_a_body_that_drips_does_not_extend_the_time_of_its_request(limited):
    address, upstream = limited(body_idle_timeout="10s", request_timeout="300ms")
    with Client(address) as client:
        client.send(encode("POST", headers={"Content-Length": "100000"}))
        begin = time.monotonic()
        client.socket.settimeout(0.02)
        data = b""
        while not data and time.monotonic() - begin < 5:
            client.send(b"x")
            try:
                data = client.socket.recv(65536)
            except TimeoutError:
                pass
        assert data.startswith(b"HTTP/1.1 408 ")
        assert 0.25 < time.monotonic() - begin < 2
    assert upstream.requests == []


def test_a_connection_ends_when_it_has_lived_long_enough(sluice, origin):
    """With the request that it carries then, or at once where it carries none."""
    def script(peer):
        while peer.read_request():
            time.sleep(0.4)
            peer.send(answer(b"late"))
    one = origin(script)
    address = sluice(http_proxy(one.endpoint, http={"max_connection_duration": "300ms"})).address()
    with Client(address) as idle, Client(address) as busy:
        response = busy.request()
        assert (response.body, response.get("connection")) == (b"late", "close")
        busy.expect_closed()
        idle.expect_closed()


def test_limits_of_time_may_be_off(limited):
    address, _ = limited(head_timeout="0", body_idle_timeout="0", idle_timeout="0")
    with Client(address) as client:
        data = encode("POST", body=b"x" * 10)
        for piece in (data[:20], data[20:-5], data[-5:]):
            with pytest.raises(Silence):
                client.fill(time.monotonic() + 0.1)
            client.send(piece)
        assert client.read_response().status == 200


def test_an_idle_connection_is_closed_without_an_answer(limited):
    address, _ = limited(idle_timeout="200ms")
    with Client(address) as client:
        assert client.request().status == 200
        client.expect_closed()


def test_a_client_that_never_reads_its_last_answer_is_let_go(sluice, origin):
    """When the stream has ended nobody else sees to the time: the connection would stay for ever."""
    def script(peer):
        peer.read_request()
        peer.send(b"HTTP/1.1 200 OK\r\n\r\n")
        while peer.send(b"x" * 65536):
            pass
    one = origin(script)
    proxy = sluice(http_proxy(one.endpoint, workers=1, route={"idle_timeout": "200ms"},
                              listener={"flush_timeout": "200ms"}))
    before = proxy.fds()
    with Client(proxy.address(), receive_buffer=4096) as client:
        client.send(encode())
        one.wait_for(lambda o: o.requests)
        proxy.wait_fds(lambda count: count > before)
        proxy.wait_fds(lambda count: count <= before)


def test_a_client_that_reads_its_last_answer_slowly_gets_all_of_it(sluice, origin):
    """Each piece that it takes begins the time anew."""
    one = origin(lambda peer: peer.read_request() and peer.send(answer(b"x" * MUCH)))
    proxy = sluice(http_proxy(one.endpoint, workers=1, listener={"flush_timeout": "300ms"}))
    with Client(proxy.address(), receive_buffer=4096) as client:
        client.send(encode(headers={"Connection": "close"}))
        begin = time.monotonic()
        got = 0
        while data := client.socket.recv(2048):
            got += len(data)
            # Slowly for as long as the limit is twice over, then fast.
            if time.monotonic() - begin < 0.8:
                time.sleep(0.005)
        assert got > MUCH


def test_connections_above_the_listeners_limit_wait_or_are_refused_and_the_others_go_on(sluice, origin):
    one = origin()
    proxy = sluice(http_proxy(one.endpoint, listener={"max_connections": 2}, workers=1))
    address = proxy.address()
    before = proxy.fds()
    first, second = Client(address), Client(address)
    assert first.request().status == 200 and second.request().status == 200
    with Client(address, patience=0.3) as third:
        third.send(encode())
        try:
            third.expect_closed()
        except AssertionError:
            pass  # left in the backlog
    assert len(one.requests) == 2
    assert first.request().status == 200 and second.request().status == 200
    first.close()
    second.close()
    proxy.wait_fds(lambda count: count <= before + len(one.peers))
    with Client(address) as later:
        assert later.request().status == 200


def test_the_process_limit_holds_over_all_listeners(sluice, origin):
    one = origin()
    config = http_proxy(one.endpoint, workers=1, max_connections=1)
    config["listeners"]["other"] = dict(config["listeners"]["inbound"])
    proxy = sluice(config)
    with Client(proxy.address("inbound")) as first:
        assert first.request().status == 200
        with Client(proxy.address("other"), patience=0.3) as second:
            second.send(encode())
            try:
                second.expect_closed()
            except AssertionError:
                pass
        assert len(one.requests) == 1
