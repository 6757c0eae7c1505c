"""Where Sluice listens: families, several addresses, Unix sockets, and what it does when descriptors run out."""
import os
import pathlib
import signal
import socket
import stat
import time

import pytest

from client import Client, encode, get
from configs import http_proxy

needs_v6 = pytest.mark.skipif(not os.path.exists("/proc/net/if_inet6"), reason="this machine has no IPv6")


@pytest.fixture
def bound(sluice, origin):
    """`bound("127.0.0.1:0", ...)`: a proxy that listens there, and its origin."""
    def start(*addresses, **settings):
        one = origin()
        bind = list(addresses) if len(addresses) > 1 else addresses[0]
        return sluice(http_proxy(one.endpoint, listener={"bind": bind}, **settings)), one
    return start


def listening_sockets(port):
    """How many sockets of this machine listen at a port."""
    lines = [line.split() for name in ("tcp", "tcp6") for line in open(f"/proc/net/{name}").readlines()[1:]]
    return sum(fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == port for fields in lines)


# MARK: Addresses

def test_an_ipv4_address_with_port_0_is_logged_with_its_real_port(bound):
    proxy, _ = bound("127.0.0.1:0")
    host, port = proxy.address()
    assert host == "127.0.0.1" and port > 0
    assert get((host, port)).status == 200


@needs_v6
def test_an_ipv6_address_serves_ipv6_only(bound):
    proxy, one = bound("[::1]:0")
    host, port = proxy.address()
    assert host == "::1" and port > 0
    assert get((host, port)).status == 200
    assert one.requests[0].get("x-forwarded-for") == "::1"
    with pytest.raises(ConnectionRefusedError):
        Client(("127.0.0.1", port))


@needs_v6
def test_a_port_alone_serves_both_families(bound):
    proxy, one = bound(":0")
    port = proxy.address()[1]
    assert get(("127.0.0.1", port)).status == 200
    assert get(("::1", port)).status == 200
    assert [r.get("x-forwarded-for") for r in one.requests] == ["127.0.0.1", "::1"]


def test_a_unix_socket_serves_and_is_removed_in_the_end(bound, tmp_path):
    path = tmp_path / "in.sock"
    proxy, _ = bound(f"unix:{path}")
    assert proxy.address() == str(path)
    assert stat.S_ISSOCK(path.stat().st_mode)
    assert get(str(path)).status == 200
    proxy.stop()
    assert not path.exists()


def test_two_workers_share_a_unix_socket_and_let_go_of_it_together(bound, tmp_path):
    path = tmp_path / "in.sock"
    proxy, one = bound(f"unix:{path}", workers=2)
    clients = [Client(str(path)) for _ in range(20)]
    for client in clients:
        assert client.request().status == 200
    for client in clients:
        client.close()
    proxy.stop()
    assert not path.exists()
    assert len(one.requests) == 20


def test_an_abstract_unix_socket_serves(bound):
    name = f"sluice-test-{os.getpid()}-{id(bound)}"
    proxy, _ = bound(f"unix:@{name}")
    assert proxy.address() == "\0" + name
    assert get("\0" + name).status == 200


def test_a_unix_socket_that_nobody_answers_at_is_replaced(bound, tmp_path):
    path = tmp_path / "in.sock"
    with socket.socket(socket.AF_UNIX) as left_over:
        left_over.bind(str(path))
    bound(f"unix:{path}")
    assert get(str(path)).status == 200


def test_a_unix_socket_in_use_is_refused_and_stays(sluice, origin, tmp_path):
    path = tmp_path / "in.sock"
    other = origin(path=str(path))
    proxy = sluice(http_proxy("127.0.0.1:1", listener={"bind": f"unix:{path}"}), wait=False)
    assert proxy.wait_exit() == 1
    assert str(path) in proxy.log_text() and "EADDRINUSE" in proxy.log_text()
    assert get(str(path)).status == 200 and len(other.requests) == 1


def test_a_plain_file_in_the_place_of_a_unix_socket_is_refused_and_stays(sluice, tmp_path):
    path = tmp_path / "in.sock"
    path.write_text("precious")
    proxy = sluice(http_proxy("127.0.0.1:1", listener={"bind": f"unix:{path}"}), wait=False)
    assert proxy.wait_exit() == 1
    assert path.read_text() == "precious"


def test_an_address_in_use_stops_the_start_with_file_line_and_reason(sluice):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        proxy = sluice(f"""\
            listeners:
              inbound:
                bind: 127.0.0.1:{port}
                chain: [ http, router: {{ to: app }} ]
            clusters:
              app: {{ endpoints: [ "127.0.0.1:1" ] }}
            """, wait=False)
        assert proxy.wait_exit() == 1
    text = proxy.log_text()
    assert f"{proxy.config_file}:3:11" in text and f"127.0.0.1:{port}" in text and "EADDRINUSE" in text


def test_two_processes_do_not_share_a_port_by_accident(sluice, origin):
    """Workers share their port by SO_REUSEPORT, which would let a second process in as well, and half of the clients."""
    first, second = origin(), origin()
    running = sluice(http_proxy(first.endpoint, workers=2))
    host, port = running.address()
    other = sluice(http_proxy(second.endpoint, listener={"bind": f"{host}:{port}"}), wait=False)
    assert other.wait_exit() == 1 and "EADDRINUSE" in other.log_text()
    running.reload(http_proxy(first.endpoint, workers=2))
    for _ in range(10):
        assert get((host, port)).status == 200
    assert second.requests == []


def test_an_address_that_the_machine_does_not_have_stops_the_start(sluice):
    proxy = sluice(http_proxy("127.0.0.1:1", listener={"bind": "192.0.2.1:8080"}), wait=False)
    assert proxy.wait_exit() == 1
    assert "192.0.2.1:8080" in proxy.log_text() and "EADDRNOTAVAIL" in proxy.log_text()


def test_several_addresses_of_a_listener_all_serve(bound, tmp_path):
    proxy, one = bound("127.0.0.1:0", "127.0.0.2:0", f"unix:{tmp_path}/in.sock")
    first, second, third = proxy.addresses("inbound")
    assert (first[0], second[0], third) == ("127.0.0.1", "127.0.0.2", f"{tmp_path}/in.sock")
    for address in (first, second, third):
        assert get(address).status == 200
    assert len(one.requests) == 3


def test_listeners_are_told_apart_in_the_log(sluice, origin):
    left, right = origin(), origin()
    config = http_proxy(left.endpoint, clusters={"second": {"endpoints": [right.endpoint]}})
    config["listeners"]["other"] = {"bind": "127.0.0.1:0", "chain": ["http", {"router": {"to": "second"}}]}
    proxy = sluice(config)
    get(proxy.address("inbound"))
    get(proxy.address("other"))
    assert (len(left.requests), len(right.requests)) == (1, 1)


# MARK: Workers

def test_two_workers_both_accept_and_serve(bound):
    """Each worker has a listening socket of its own, among which the kernel spreads connections by a hash: that all
    of them are answered says that both are accepted from."""
    proxy, one = bound("127.0.0.1:0", workers=2)
    address = proxy.address()
    assert listening_sockets(address[1]) == 2
    clients = [Client(address) for _ in range(64)]
    for client in clients:
        client.send(encode())
    for client in clients:
        assert client.read_response().status == 200
        client.close()
    # Each worker has connections of its own to the origin.
    assert len(one.peers) >= 2
    names = [pathlib.Path(task, "comm").read_text().strip() for task in pathlib.Path(f"/proc/{proxy.pid}/task").iterdir()]
    assert {"sluice-0", "sluice-1"} <= set(names)


def test_the_command_line_sets_the_number_of_workers(sluice, origin):
    proxy = sluice(http_proxy(origin().endpoint, workers=1), args=["--workers", "3"])
    assert listening_sockets(proxy.address()[1]) == 3
    assert proxy.wait_log("^ready$")["workers"] == "3"


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="this machine has one processor")
def test_there_are_as_many_workers_as_processors_that_the_process_may_use(sluice, origin):
    endpoint = origin().endpoint
    allowed = os.sched_getaffinity(0)
    workers = []
    try:
        for count in (1, 2):
            os.sched_setaffinity(0, set(sorted(allowed)[:count]))
            workers.append(int(sluice(http_proxy(endpoint)).wait_log("^ready$")["workers"]))
    finally:
        os.sched_setaffinity(0, allowed)
    # A quota of the test's own group may leave one of two.
    assert workers[0] == 1 and workers[1] in (1, 2)


# MARK: Limits

LIMIT = 64


def test_without_descriptors_those_connected_are_served_and_the_rest_wait_until_some_are_free(sluice, origin):
    one = origin()
    proxy = sluice(http_proxy(one.endpoint, workers=1, max_connections=1000), fd_limit=LIMIT)
    address = proxy.address()
    with Client(address) as first:
        assert first.request().status == 200
        crowd = [Client(address) for _ in range(LIMIT)]
        proxy.wait_fds(lambda count: count >= LIMIT)
        proxy.wait_log("descriptors", level="warning")
        # The first has its connection to the origin: it needs no new descriptor.
        for _ in range(3):
            assert first.request().status == 200
        # Nobody spins while it waits.
        before = proxy.cpu()
        with pytest.raises(AssertionError):
            proxy.wait_fds(lambda count: count < LIMIT, seconds=0.4)
        assert proxy.cpu() - before <= 0.1
        # Those in the queue come in when others go.
        waiting = crowd.pop()
        for client in crowd:
            client.close()
        waiting.send(encode())
        assert waiting.read_response().status == 200
        waiting.close()
        assert first.request().status == 200
    proxy.wait_fds(lambda count: count < 30)
    for _ in range(10):
        assert get(address).status == 200
    warnings = [entry for entry in proxy.log if "descriptors" in entry.get("message", "")]
    assert len(warnings) < 5, "the log is not flooded"


def test_without_a_descriptor_for_the_upstream_the_client_gets_503_and_later_200(sluice, origin):
    one = origin()
    proxy = sluice(http_proxy(one.endpoint, workers=1, max_connections=1000), fd_limit=LIMIT)
    address = proxy.address()
    with Client(address) as first:
        crowd = [Client(address) for _ in range(LIMIT)]
        proxy.wait_fds(lambda count: count >= LIMIT)
        assert first.request().status == 503
        for client in crowd:
            client.close()
        proxy.wait_fds(lambda count: count < LIMIT - 10)
        assert first.request().status == 200


def test_the_limit_of_connections_follows_from_the_limit_of_descriptors(sluice, origin):
    """Without a limit in the config there is room for a connection to an upstream for each client."""
    held = []

    def script(peer):
        while peer.read_request():
            held.append(peer)
            one.wait_for(lambda o: go)
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    go = []
    one = origin(script)
    proxy = sluice(http_proxy(one.endpoint, workers=1), fd_limit=200)
    clients = [Client(proxy.address()) for _ in range(200)]
    served = []
    for client in clients:
        client.send(encode())
    most = (200 - 64) // 2
    one.wait_for(lambda o: len(held) >= most)
    assert proxy.fds() < 200
    go.append(True)
    one.changed()
    for client in clients:
        answer = client.read_to_end() if client in clients[most:] else client.read_response()
        served.append(bool(answer))
        client.close()
    assert served[:most] == [True] * most and not any(served[most:])


def test_a_listeners_limit_leaves_the_other_listener_alone(sluice, origin):
    one = origin()
    config = http_proxy(one.endpoint, workers=1, listener={"max_connections": 1})
    config["listeners"]["other"] = {"bind": "127.0.0.1:0", "chain": ["http", {"router": {"to": "app"}}]}
    proxy = sluice(config)
    with Client(proxy.address("inbound")) as only, Client(proxy.address("inbound")) as above:
        assert only.request().status == 200
        above.send(encode())
        assert above.read_to_end() == b""
        assert get(proxy.address("other")).status == 200
        assert only.request().status == 200


def test_many_clients_that_come_and_go_leave_no_descriptor(sluice, origin):
    one = origin()
    proxy = sluice(http_proxy(one.endpoint, workers=2))
    address = proxy.address()
    get(address)
    before = proxy.fds()
    for number in range(150):
        client = Client(address)
        if number % 3 == 0:
            client.request()
        if number % 3 == 1:
            client.send(b"GET / HT")
        client.reset() if number % 2 else client.close()
    # The connections to the origin that are kept, one at most for each worker, may have come since.
    proxy.wait_fds(lambda count: count <= before + 2)


# MARK: Sockets

def test_small_answers_are_sent_at_once(bound):
    """Without TCP_NODELAY the second of two small writes would wait for the client's delayed acknowledgement, 40 ms."""
    proxy, _ = bound("127.0.0.1:0")
    with Client(proxy.address()) as client:
        client.request()
        begin = time.monotonic()
        for _ in range(20):
            client.request()
        assert time.monotonic() - begin < 20 * 0.030


def test_a_backlog_takes_clients_while_the_process_is_stopped(bound):
    proxy, _ = bound("127.0.0.1:0")
    proxy.signal(signal.SIGSTOP)
    clients = [Client(proxy.address()) for _ in range(100)]
    for client in clients:
        client.send(encode())
    proxy.signal(signal.SIGCONT)
    for client in clients:
        assert client.read_response().status == 200
        client.close()


def keepalive_timer(here, there):
    """Seconds until the kernel probes the peer of a connection, None where it never does."""
    def text(address):
        return "".join(f"{int(part):02X}" for part in reversed(address[0].split("."))) + f":{address[1]:04X}"
    for line in open("/proc/net/tcp").readlines()[1:]:
        fields = line.split()
        if fields[1:3] == [text(here), text(there)]:
            kind, when = fields[5].split(":")
            return int(when, 16) / os.sysconf("SC_CLK_TCK") if kind == "02" else None
    raise AssertionError("there is no such connection")


@pytest.mark.parametrize("silence, least, most", [(None, 50, 61), ("5m", 250, 301), ("0", None, None)])
def test_silent_peers_are_probed_on_both_sides(sluice, origin, silence, least, most):
    one = origin()
    setting = {} if silence is None else {"tcp_keepalive": silence}
    proxy = sluice(http_proxy(one.endpoint, workers=1, listener=setting, upstream=setting))
    with Client(proxy.address()) as client:
        assert client.request().status == 200
        peer = one.peers[0].socket
        for ours in (client.socket, peer):
            timer = keepalive_timer(ours.getpeername(), ours.getsockname())
            assert timer is None if least is None else least <= timer <= most


def test_a_reload_changes_how_clients_are_probed_at_a_socket_that_stays(sluice, origin):
    one = origin()
    proxy = sluice(http_proxy(one.endpoint, listener={"tcp_keepalive": "0"}))
    proxy.reload(http_proxy(one.endpoint, listener={"tcp_keepalive": "5m"}))
    with Client(proxy.address()) as client:
        assert client.request().status == 200
        assert keepalive_timer(client.socket.getpeername(), client.socket.getsockname()) > 250
