"""The tcp_proxy terminal: bytes both ways, ends of each direction on their own, and nothing else."""
import signal
import socket
import threading

import pytest

from client import Client
from configs import tcp_proxy
from flow import drain, pour, pour_until_stalled, small_buffers, wait_until

MIB = 1 << 20


@pytest.fixture
def tunnel(sluice, origin):
    """`tunnel(script, **settings)` gives (proxy, origin)."""
    def start(script, listener=None, **settings):
        one = origin(script)
        return sluice({**tcp_proxy(one.endpoint, listener=listener, **settings), "workers": 1}), one
    return start


def echo(peer):
    """Sends every byte back in upper case; at the end of the client's direction it ends its own."""
    while peer.fill():
        sent = len(peer.received)
        peer.send(bytes(peer.received[peer.parsed:sent]).upper())
        peer.parsed = sent


def test_bytes_pass_both_ways(tunnel):
    proxy, one = tunnel(echo)
    with Client(proxy.address()) as client:
        for text in (b"hello", b"\x00\xff\r\n", b"GET / HTTP/1.1\r\n\r\n"):
            client.send(text)
            assert client.read_exactly(len(text)) == text.upper()
    assert bytes(one.peers[0].received) == b"hello\x00\xff\r\nGET / HTTP/1.1\r\n\r\n"


def test_an_upstream_may_speak_first(tunnel):
    def script(peer):
        peer.send(b"220 ready\r\n")
        peer.wait_end()
    proxy, _ = tunnel(script)
    with Client(proxy.address()) as client:
        assert client.read_until(b"\r\n") == b"220 ready\r\n"


def test_the_end_of_the_clients_direction_reaches_the_upstream_which_may_go_on(tunnel):
    def script(peer):
        peer.wait_end()
        peer.send(b"got %d bytes" % len(peer.received))
    proxy, _ = tunnel(script)
    with Client(proxy.address()) as client:
        client.send(b"x" * 1000)
        client.half_close()
        assert client.read_to_end() == b"got 1000 bytes"
        assert not client.was_reset


def test_the_end_of_the_upstreams_direction_reaches_the_client_which_may_go_on(tunnel):
    def script(peer):
        peer.send(b"bye")
        peer.half_close()
        peer.wait_end()
    proxy, one = tunnel(script)
    with Client(proxy.address()) as client:
        assert client.read_to_end() == b"bye"
        client.send(b"still here")
        one.wait_for(lambda o: bytes(o.peers[0].received) == b"still here")
        assert not one.peers[0].ended
        client.half_close()
        one.wait_for(lambda o: o.peers[0].ended)


def test_both_ends_close_and_nothing_is_left(tunnel):
    proxy, one = tunnel(echo)
    before = proxy.fds()
    for _ in range(10):
        with Client(proxy.address()) as client:
            client.send(b"a")
            client.read_exactly(1)
            client.half_close()
            client.expect_closed()
    one.wait_for(lambda o: all(peer.ended for peer in o.peers))
    proxy.wait_fds(lambda count: count <= before)


def test_a_reset_by_the_client_frees_the_upstreams_connection(tunnel):
    proxy, one = tunnel(echo)
    before = proxy.fds()
    client = Client(proxy.address())
    client.send(b"a")
    client.read_exactly(1)
    client.reset()
    one.wait_for(lambda o: o.peers[0].ended)
    assert one.peers[0].was_reset, "the upstream would take what it has got for all"
    proxy.wait_fds(lambda count: count <= before)


def test_a_reset_by_the_upstream_ends_the_clients_connection(tunnel):
    def script(peer):
        peer.fill()
        peer.reset()
    proxy, _ = tunnel(script)
    before = proxy.fds()
    with Client(proxy.address()) as client:
        client.send(b"a")
        assert client.read_to_end() == b""
        assert client.was_reset, "the client would take what it has got for all"
    proxy.wait_fds(lambda count: count <= before)


@pytest.mark.parametrize("breaker", ["client", "upstream"])
def test_bytes_before_a_reset_are_passed_on_and_then_the_reset(tunnel, breaker):
    go = threading.Event()

    def script(peer):
        peer.fill()
        if breaker == "client":
            return peer.wait_end()
        assert go.wait(10)
        peer.send(b"last words")
        peer.reset()
    proxy, one = tunnel(script)
    with Client(proxy.address()) as client:
        client.send(b"a")
        one.wait_for(lambda o: o.peers and o.peers[0].received == b"a")
        # The proxy finds bytes and reset in one turn.
        proxy.signal(signal.SIGSTOP)
        wait_until(lambda: proxy.state() == "T")
        if breaker == "client":
            client.send(b"last words")
            client.reset()
        else:
            go.set()
            one.wait_for(lambda o: o.peers[0]._finished)
        proxy.signal(signal.SIGCONT)
        if breaker == "client":
            one.wait_for(lambda o: o.peers[0].ended)
            assert (one.peers[0].received, one.peers[0].was_reset) == (b"alast words", True)
        else:
            assert (client.read_to_end(), client.was_reset) == (b"last words", True)


def test_a_client_that_closes_at_once_leaves_nothing(tunnel):
    proxy, one = tunnel(echo)
    before = proxy.fds()
    for number in range(30):
        client = Client(proxy.address())
        client.reset() if number % 2 else client.close()
    proxy.wait_fds(lambda count: count <= before)
    wait_until(lambda: all(not thread.is_alive() for thread in one.threads))


def test_nothing_moving_for_the_idle_time_ends_both_sides(tunnel):
    proxy, one = tunnel(echo, idle_timeout="200ms")
    with Client(proxy.address()) as client:
        client.send(b"a")
        assert client.read_exactly(1) == b"A"
        assert client.read_to_end() == b""
    one.wait_for(lambda o: o.peers[0].ended)


@pytest.mark.parametrize("speaker", ["client", "upstream"])
def test_bytes_in_either_direction_keep_a_connection_from_being_idle(tunnel, speaker):
    """Bytes come each 50 ms, for three times the idle time of 200 ms."""
    def talk(peer):
        if speaker == "client":
            return peer.wait_end()
        pause = threading.Event()
        for _ in range(12):
            peer.send(b"x")
            pause.wait(0.05)
        peer.send(b"end")
        peer.wait_end()
    proxy, one = tunnel(talk, idle_timeout="200ms")
    with Client(proxy.address()) as client:
        if speaker == "upstream":
            assert client.read_until(b"end") == b"x" * 12 + b"end"
            return
        pause = threading.Event()
        for _ in range(12):
            client.send(b"x")
            pause.wait(0.05)
        client.send(b"end")
        one.wait_for(lambda o: bytes(o.peers[0].received) == b"x" * 12 + b"end")


def test_an_upstream_that_refuses_ends_the_clients_connection(sluice, refused):
    proxy = sluice(tcp_proxy(refused))
    before = proxy.fds()
    for _ in range(5):
        with Client(proxy.address()) as client:
            client.send(b"hello")
            assert client.read_to_end() == b""
    proxy.wait_fds(lambda count: count <= before)


def test_an_upstream_that_cannot_be_reached_ends_the_clients_connection_in_time(sluice):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        fillers = [fill(listener) for _ in range(3)]
        config = tcp_proxy("127.0.0.1:%d" % listener.getsockname()[1])
        config["clusters"]["app"]["connect_timeout"] = "200ms"
        with Client(sluice(config).address()) as client:
            client.send(b"hello")
            assert client.read_to_end() == b""
        for filler in fillers:
            filler.close()


def fill(listener):
    """A connection that takes a place in a backlog, or waits for one."""
    filler = socket.socket()
    filler.setblocking(False)
    try:
        filler.connect(listener.getsockname())
    except BlockingIOError:
        pass
    return filler


def test_what_the_client_sends_before_the_upstream_is_connected_is_not_lost(tunnel):
    proxy, one = tunnel(echo)
    for _ in range(20):
        with Client(proxy.address()) as client:
            client.send(b"early" * 1000)
            client.half_close()
            assert client.read_to_end() == b"EARLY" * 1000


def test_a_large_amount_passes_intact_without_being_kept(tunnel):
    total = 512 * MIB

    def script(peer):
        drain(peer.socket, total, early=bytes(peer.received))
        pour(peer.socket, total)
        peer.half_close()
        peer.wait_end()
    proxy, one = tunnel(script)
    before = proxy.reset_peak()
    with Client(proxy.address(), patience=30) as client:
        assert pour(client.socket, total) == total
        drain(client.socket, total)
    assert one.faults == []
    assert proxy.peak() - before < 4 * 1024


def test_a_large_amount_passes_both_ways_at_the_same_time(tunnel):
    total = 64 * MIB

    def script(peer):
        sender = threading.Thread(target=pour, args=(peer.socket, total))
        sender.start()
        drain(peer.socket, total)
        sender.join()
        peer.half_close()
        peer.wait_end()
    proxy, one = tunnel(script)
    with Client(proxy.address(), patience=20) as client:
        sender = threading.Thread(target=pour, args=(client.socket, total))
        sender.start()
        drain(client.socket, total)
        sender.join()
        client.half_close()
        client.expect_closed()
    assert one.faults == []


def test_a_sender_stands_still_while_the_other_side_does_not_read(tunnel):
    stalled = []

    def script(peer):
        small_buffers(peer.socket)
        stalled.append(pour_until_stalled(peer.socket))
        peer.origin.changed()
        peer.wait_end()
    proxy, one = tunnel(script)
    before = proxy.reset_peak()
    with Client(proxy.address(), receive_buffer=65536):
        one.wait_for(lambda o: stalled, seconds=20)
        assert stalled[0] < 24 * MIB
        assert proxy.peak() - before < 4 * 1024


def test_the_last_bytes_before_an_end_are_not_lost(tunnel):
    """The upstream closes at once after a large answer; the client reads slowly."""
    total = 8 * MIB

    def script(peer):
        peer.fill()
        pour(peer.socket, total)
    proxy, _ = tunnel(script)
    with Client(proxy.address(), receive_buffer=16384, patience=20) as client:
        client.send(b"go")
        assert drain(client.socket, total) == total
        client.expect_closed()


def test_many_connections_at_once_each_have_their_own_bytes(tunnel):
    proxy, one = tunnel(echo)
    clients = [Client(proxy.address()) for _ in range(200)]
    for number, client in enumerate(clients):
        client.send(b"client %d" % number)
    for number, client in enumerate(clients):
        wanted = b"CLIENT %d" % number
        assert client.read_exactly(len(wanted)) == wanted
    assert len(one.peers) == 200
    for client in clients:
        client.close()
    one.wait_for(lambda o: all(peer.ended for peer in o.peers))
    proxy.wait_fds(lambda count: count < 60)


def test_a_drain_waits_for_tunnels_up_to_its_time(sluice, origin):
    one = origin(echo)
    proxy = sluice({**tcp_proxy(one.endpoint), "drain_timeout": "300ms"})
    with Client(proxy.address()) as client:
        client.send(b"a")
        assert client.read_exactly(1) == b"A"
        proxy.signal(15)
        proxy.wait_log("^draining")
        client.send(b"b")
        assert client.read_exactly(1) == b"B"
        assert proxy.wait_exit() == 0
        assert client.read_to_end() == b""
