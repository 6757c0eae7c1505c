"""Bodies stream: neither a slow reader nor a slow sender makes Sluice keep what does not fit, and nothing is lost."""
import socket
import threading

import pytest

from client import Client, encode, get
from configs import http_proxy
from flow import Chunks, drain, pattern, pour, pour_until_stalled, small_buffers, wait_until
from origin import OK, answer

MIB = 1 << 20
# What may lie in kernel buffers on the way, sockets of four sides at their largest.
KERNEL = 24 * MIB
# What Sluice itself may hold for one stalled connection, with the pages that it keeps for the next: well below.
HELD = 4 * 1024
MANY = 40


def head(length):
    return f"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n".encode()


def post(length):
    return encode("POST", headers={"Content-Length": str(length)})


@pytest.fixture
def proxied(sluice, origin):
    def start(script, **settings):
        one = origin(script)
        proxy = sluice(http_proxy(one.endpoint, workers=1, **settings))
        return proxy, one
    return start


# MARK: Back-pressure

def test_an_origin_that_sends_without_end_stands_still_while_the_client_does_not_read(proxied):
    taken, go_on = [], threading.Event()
    total = 64 * MIB

    def script(peer):
        small_buffers(peer.socket)
        peer.read_request()
        peer.send(head(total))
        taken.append(pour_until_stalled(peer.socket))
        peer.origin.changed()
        assert go_on.wait(20)
        pour(peer.socket, total, start=taken[0])
        peer.wait_end()
    proxy, one = proxied(script)
    before = proxy.reset_peak()
    with Client(proxy.address(), patience=20, receive_buffer=65536) as client:
        client.send(encode())
        one.wait_for(lambda o: taken, seconds=20)
        assert taken[0] < KERNEL
        assert proxy.peak() - before < HELD
        go_on.set()
        client.read_head()
        drain(client.socket, total, early=client.buffer)
    assert proxy.peak() - before < HELD


def test_a_client_that_sends_without_end_stands_still_while_the_origin_does_not_read(proxied):
    read_on = threading.Event()
    total = 64 * MIB

    def script(peer):
        small_buffers(peer.socket)
        peer.read_head()
        assert read_on.wait(20)
        early = bytes(peer.received[peer.parsed:])
        drain(peer.socket, total, early=early)
        peer.send(OK)
        peer.wait_end()
    proxy, _ = proxied(script)
    before = proxy.reset_peak()
    with Client(proxy.address(), patience=20) as client:
        small_buffers(client.socket)
        client.send(post(total))
        taken = pour_until_stalled(client.socket)
        assert taken < KERNEL
        assert proxy.peak() - before < HELD
        read_on.set()
        client.socket.settimeout(20)
        assert pour(client.socket, total, start=taken) == total
        assert client.read_response().status == 200
    assert proxy.peak() - before < HELD


def test_many_clients_that_do_not_read_cost_little_memory(proxied):
    """Each holds at most what the watermark lets pass and the page that was on its way."""
    stalled = []

    def script(peer):
        small_buffers(peer.socket)
        peer.read_request()
        peer.send(head(1 << 40))
        pour_until_stalled(peer.socket)
        stalled.append(peer)
        peer.origin.changed()
        peer.wait_end()
    proxy, one = proxied(script)
    before = proxy.reset_peak()
    clients = [Client(proxy.address(), receive_buffer=16384) for _ in range(MANY)]
    for client in clients:
        client.send(encode())
    one.wait_for(lambda o: len(stalled) == MANY, seconds=30)
    held = proxy.peak() - before
    assert held < MANY * 400, f"{held / MANY} KiB for each"
    assert one.peers[0].settled
    for client in clients:
        client.reset()
    one.wait_for(lambda o: all(peer.ended for peer in o.peers))


def test_a_stalled_client_holds_nobody_else_up(proxied):
    stalled = threading.Event()

    def script(peer):
        request = peer.read_request()
        if request.target == "/endless":
            peer.send(head(1 << 40))
            pour_until_stalled(peer.socket)
            stalled.set()
            return peer.wait_end()
        while request:
            peer.send(OK)
            request = peer.read_request()
    proxy, _ = proxied(script)
    with Client(proxy.address(), receive_buffer=16384) as slow:
        slow.send(encode(target="/endless"))
        assert stalled.wait(20)
        before = proxy.cpu()
        for _ in range(20):
            assert get(proxy.address()).status == 200
        assert proxy.cpu() - before < 1


def test_a_stalled_transfer_costs_no_processor_time(proxied):
    stalled = threading.Event()

    def script(peer):
        peer.read_request()
        peer.send(head(1 << 40))
        pour_until_stalled(peer.socket)
        stalled.set()
        peer.wait_end()
    proxy, _ = proxied(script)
    with Client(proxy.address(), receive_buffer=16384, patience=0.5) as slow:
        slow.send(encode())
        assert stalled.wait(20)
        before = proxy.cpu()
        assert not threading.Event().wait(0.4)
        assert proxy.cpu() - before <= 0.05


# MARK: Large bodies

LARGE = 1024 * MIB


def test_a_gibibyte_arrives_intact_without_being_kept(proxied):
    def script(peer):
        peer.read_request()
        peer.send(head(LARGE))
        pour(peer.socket, LARGE)
        peer.wait_end()
    proxy, _ = proxied(script)
    before = proxy.reset_peak()
    with Client(proxy.address(), patience=30) as client:
        client.send(encode())
        client.read_head()
        drain(client.socket, LARGE, early=client.buffer)
    assert proxy.peak() - before < HELD


def test_a_gibibyte_of_upload_arrives_intact_without_being_kept(proxied):
    def script(peer):
        peer.read_head()
        drain(peer.socket, LARGE, early=bytes(peer.received[peer.parsed:]))
        peer.send(OK)
        peer.wait_end()
    proxy, one = proxied(script)
    before = proxy.reset_peak()
    with Client(proxy.address(), patience=30) as client:
        client.send(post(LARGE))
        assert pour(client.socket, LARGE) == LARGE
        assert client.read_response().status == 200
    assert one.faults == []
    assert proxy.peak() - before < HELD


def test_large_bodies_pass_both_ways_at_the_same_time(proxied):
    """The origin sends each part back as it comes: a proxy that read one direction only to its end would stand still."""
    total = 64 * MIB

    def script(peer):
        peer.read_head()
        peer.send(head(total))
        early = bytes(peer.received[peer.parsed:])
        peer.socket.sendall(early)
        at = len(early)
        buffer = bytearray(MIB)
        while at < total:
            count = peer.socket.recv_into(buffer)
            assert count
            at += count
            peer.socket.sendall(memoryview(buffer)[:count])
        peer.wait_end()
    proxy, one = proxied(script)
    with Client(proxy.address(), patience=20) as client:
        client.send(post(total))
        sender = threading.Thread(target=pour, args=(client.socket, total))
        sender.start()
        client.read_head()
        drain(client.socket, total, early=client.buffer)
        sender.join()
    assert one.faults == []


def test_a_large_chunked_answer_arrives_intact(proxied):
    sizes = [1, 15, 16, 17, 4095, 4096, 65535, 65536, 300_001, 1 << 20] * 6

    def script(peer):
        peer.read_request()
        peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        at = 0
        for size in sizes:
            peer.send(b"%x\r\n%s\r\n" % (size, pattern(at, size)))
            at += size
        peer.send(b"0\r\n\r\n")
        peer.wait_end()
    proxy, _ = proxied(script)
    with Client(proxy.address(), patience=20) as client:
        client.send(encode())
        assert client.read_head().get("transfer-encoding") == "chunked"
        assert Chunks(client.socket, client.buffer).drain() == sum(sizes)


def test_a_large_chunked_upload_arrives_intact(proxied):
    sizes = [1, 15, 16, 17, 4095, 4096, 65535, 65536, 300_001, 1 << 20] * 6
    got = []

    def script(peer):
        request = peer.read_head()
        assert request.get("transfer-encoding") == "chunked"
        got.append(Chunks(peer.socket, peer.received[peer.parsed:]).drain())
        peer.send(OK)
        peer.wait_end()
    proxy, one = proxied(script)
    with Client(proxy.address(), patience=20) as client:
        client.send(encode("POST", headers={"Transfer-Encoding": "chunked"}))
        at = 0
        for size in sizes:
            client.send(b"%x\r\n%s\r\n" % (size, pattern(at, size)))
            at += size
        client.send(b"0\r\n\r\n")
        assert client.read_response().status == 200
    assert got == [sum(sizes)] and one.faults == []


def test_an_answer_without_length_ends_with_the_connection_and_arrives_whole(proxied):
    total = 8 * MIB

    def script(peer):
        peer.read_request()
        peer.send(b"HTTP/1.1 200 OK\r\n\r\n")
        pour(peer.socket, total)
    proxy, _ = proxied(script)
    with Client(proxy.address(), patience=20) as client:
        client.send(encode())
        response = client.read_head()
        assert response.get("transfer-encoding") == "chunked", "the client keeps its connection"
        assert Chunks(client.socket, client.buffer).drain() == total
        client.buffer.clear()
        client.send(encode())
        assert client.read_head().status == 200


# MARK: Ends that come early

def test_an_answer_that_comes_before_the_upload_is_complete_reaches_the_client(proxied):
    def script(peer):
        peer.read_head()
        peer.send(answer(b"no thanks", status="403 Forbidden", headers=[("Connection", "close")]))
        peer.half_close()
        peer.wait_end()
    proxy, one = proxied(script)
    with Client(proxy.address(), patience=10) as client:
        client.send(post(1 << 30))
        taken = pour_until_stalled(client.socket, limit=64 * MIB)
        client.socket.settimeout(10)
        response = client.read_response()
        assert (response.status, response.body) == (403, b"no thanks")
        assert client.read_to_end() == b""
    assert taken < 64 * MIB, "the upload goes on although nobody wants it"
    one.wait_for(lambda o: o.peers[0].ended)
    assert get(proxy.address(), method="POST", body=b"x").status == 403


def test_an_early_answer_to_a_small_upload_leaves_a_connection_that_can_be_used_again(proxied):
    """The rest of the body is on its way already: it must not be taken for the next request."""
    def script(peer):
        while request := peer.read_head():
            peer.send(answer(request.target.encode()))
            peer.read_body(request)
    proxy, one = proxied(script)
    with Client(proxy.address()) as client:
        client.send(encode("POST", "/1", headers={"Content-Length": "26"}) + b"GET /x HTTP/1.1\r\n")
        assert client.read_response().body == b"/1"
        client.send(b"Host: a\r\n")
        client.send(encode(target="/2"))
        try:
            assert client.read_response().body == b"/2"
        except AssertionError:
            assert client.ended, "either the connection goes on in order, or it ends"
    assert all(request.target in ("/1", "/2") for request in one.requests)


def test_a_client_that_vanishes_in_its_upload_frees_the_origins_connection(proxied):
    def script(peer):
        request = peer.read_head()
        assert not peer.read_body(request)
    proxy, one = proxied(script)
    before = proxy.fds()
    client = Client(proxy.address())
    client.send(post(1000) + b"x" * 10)
    one.wait_for(lambda o: o.peers and bytes(o.peers[0].received).endswith(b"x" * 10))
    client.reset()
    one.wait_for(lambda o: o.peers[0].ended)
    assert one.requests == []
    proxy.wait_fds(lambda count: count <= before)


def test_a_client_that_ends_inside_its_upload_frees_the_origins_connection(proxied):
    """An end inside a body is no half-close: the request can never be completed."""
    def script(peer):
        request = peer.read_head()
        assert not peer.read_body(request)
    proxy, one = proxied(script)
    before = proxy.fds()
    with Client(proxy.address()) as client:
        client.send(post(1000) + b"x" * 10)
        one.wait_for(lambda o: o.peers and bytes(o.peers[0].received).endswith(b"x" * 10))
        client.half_close()
        client.expect_closed()
    one.wait_for(lambda o: o.peers[0].ended)
    proxy.wait_fds(lambda count: count <= before)


def test_a_client_that_vanishes_while_it_waits_frees_the_origins_connection(proxied):
    def script(peer):
        peer.read_request()
        peer.wait_end()
    proxy, one = proxied(script)
    before = proxy.fds()
    client = Client(proxy.address())
    client.send(encode())
    one.wait_for(lambda o: o.requests)
    client.reset()
    one.wait_for(lambda o: o.peers[0].ended)
    proxy.wait_fds(lambda count: count <= before)


def test_a_client_that_vanishes_in_a_download_frees_the_origins_connection(proxied):
    def script(peer):
        peer.read_request()
        peer.send(head(1 << 40))
        pour(peer.socket, 1 << 40)
        peer.wait_end()
    proxy, one = proxied(script)
    before = proxy.fds()
    client = Client(proxy.address())
    client.send(encode())
    client.read_exactly(3 * MIB)
    client.close()
    one.wait_for(lambda o: o.peers[0].ended or not o.threads[0].is_alive(), seconds=10)
    wait_until(lambda: not one.threads[0].is_alive(), what="the origin still sends")
    proxy.wait_fds(lambda count: count <= before)


def test_a_client_that_half_closes_after_its_request_gets_its_answer(proxied):
    half_closed = threading.Event()

    def script(peer):
        peer.read_request()
        assert half_closed.wait(5)
        peer.send(answer(b"late"))
        peer.wait_end()
    proxy, one = proxied(script)
    with Client(proxy.address()) as client:
        client.send(encode())
        client.half_close()
        one.wait_for(lambda o: o.requests)
        half_closed.set()
        assert client.read_response().body == b"late"
        client.expect_closed()


def test_a_client_that_half_closes_after_pipelined_requests_gets_all_answers(proxied):
    def script(peer):
        while request := peer.read_request():
            peer.send(answer(request.target.encode()))
    proxy, _ = proxied(script)
    with Client(proxy.address()) as client:
        client.send(b"".join(encode(target=f"/{n}") for n in range(10)))
        client.half_close()
        assert [client.read_response().body for _ in range(10)] == [b"/%d" % n for n in range(10)]
        client.expect_closed()


def test_a_client_that_half_closes_after_a_large_upload_loses_nothing(proxied):
    total = 16 * MIB

    def script(peer):
        peer.read_head()
        drain(peer.socket, total, early=bytes(peer.received[peer.parsed:]))
        peer.send(OK)
        peer.wait_end()
    proxy, one = proxied(script)
    with Client(proxy.address(), patience=20) as client:
        client.send(post(total))
        assert pour(client.socket, total) == total
        client.socket.shutdown(socket.SHUT_WR)
        assert client.read_response().status == 200
        client.expect_closed()
    assert one.faults == []


def test_an_answer_to_a_client_that_sends_more_than_it_should_is_not_lost_to_a_reset(proxied):
    """Unread bytes at a close turn it into a reset, which throws the answer away that is still on its way."""
    proxy, _ = proxied(lambda peer: None)
    with Client(proxy.address()) as client:
        client.send(b"BAD\r\n\r\n" + b"x" * 300_000)
        response = client.read_response()
        assert response.status == 400
        assert client.read_to_end() == b"" and not client.was_reset


@pytest.mark.parametrize("size", [0, 1, 4095, 4096, 16383, 16384, 16385, 65535, 65536, 65537, 262144, 1_000_003])
def test_bodies_of_awkward_sizes_come_back_as_they_were_sent(proxied, size):
    def script(peer):
        while request := peer.read_request():
            peer.send(answer(request.body))
    proxy, _ = proxied(script)
    body = pattern(7, size)
    with Client(proxy.address()) as client:
        for _ in range(2):
            assert client.request("POST", body=body, headers={"Content-Length": str(size)}).body == body
