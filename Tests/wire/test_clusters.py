"""Clusters: names that come, change and go; which endpoint is next; and what a reload keeps of both."""
import collections
import socket
import threading
import time

import pytest

import admin
from client import Client, encode, get
from configs import http_proxy, tcp_proxy
from flow import wait_until
from nameserver import A, AAAA, NameServer
from origin import OK, Origin, answer
from peek import wait_until_read
from sluice import run_cli


@pytest.fixture
def nameserver():
    """Starts name servers: `nameserver({"app.test": ["127.0.0.1"]})`."""
    running = []

    def start(*args, **kwargs):
        one = NameServer(*args, **kwargs)
        running.append(one)
        return one

    yield start
    for one in running:
        one.stop()


@pytest.fixture
def hosts():
    """Origins on the same port of several addresses: `port, origins = hosts("127.0.0.1", "127.0.0.2")`.

    Each answers with its own address, so that a name can lead to any of them.
    """
    running = []

    def start(*addresses):
        for _ in range(50):
            port, found = 0, {}
            try:
                for address in addresses:
                    found[address] = Origin(_says(address), host=address, port=port)
                    port = found[address].bound[1]
            except OSError:
                for one in found.values():
                    one.stop()
                continue
            running.extend(found.values())
            return port, found
        raise AssertionError("no port is free on all addresses")

    yield start
    for one in running:
        one.stop()


def _says(text):
    def script(peer):
        while request := peer.read_request():
            if request.get("x-gate"):
                peer.wait_end()
            if not peer.send(answer(text.encode())):
                return
    return script


def who(address, count=12, **headers):
    """How often each origin answered."""
    with Client(address) as client:
        return collections.Counter(client.request(headers=headers).body.decode() for _ in range(count))


def stats_text(proxy):
    return admin.ask(proxy, "/stats").body


def wait_served(address):
    wait_until(lambda: get(address).status == 200, what="the name was not resolved")


# MARK: Names

def test_all_addresses_of_a_name_are_endpoints(sluice, nameserver, hosts):
    port, _ = hosts("127.0.0.1", "127.0.0.2", "127.0.0.3")
    names = nameserver({"app.test": ["127.0.0.3", "127.0.0.1", "127.0.0.2"]}, ttl=60)
    address = sluice(http_proxy(f"app.test:{port}", workers=1, **names.config)).address()
    wait_served(address)
    assert who(address) == {"127.0.0.1": 4, "127.0.0.2": 4, "127.0.0.3": 4}
    assert {name for name, _ in names.queries} == {"app.test"}


def test_a_name_leads_raw_connections_too(sluice, nameserver, hosts):
    port, _ = hosts("127.0.0.1")
    names = nameserver({"app.test": ["127.0.0.1"]}, ttl=60)
    proxy = sluice({**tcp_proxy(f"app.test:{port}"), **names.config})

    def answered():
        with Client(proxy.address()) as client:
            client.send(encode())
            try:
                return client.read_response().status == 200
            except AssertionError:
                return False
    wait_until(answered)


def test_localhost_needs_no_name_server(sluice, origin, nameserver):
    one, names = origin(), nameserver()
    address = sluice(http_proxy(f"localhost:{one.bound[1]}", workers=1, **names.config)).address()
    wait_served(address)
    # Nobody listens at ::1, and nobody has to.
    assert [get(address).status for _ in range(6)] == [200] * 6
    assert names.queries == []


def test_an_address_is_never_looked_up(sluice, origin, nameserver):
    one, names = origin(), nameserver()
    assert get(sluice(http_proxy(one.endpoint, **names.config)).address()).status == 200
    assert names.queries == []


@pytest.mark.parametrize("family, kinds, expected", [
    ("auto", {A, AAAA}, {"127.0.0.1"}), ("v4", {A}, {"127.0.0.1"}), ("v6", {AAAA}, {"::1"}),
    ("all", {A, AAAA}, {"127.0.0.1", "::1"}),
])
def test_the_family_says_which_addresses_are_used(sluice, nameserver, hosts, family, kinds, expected):
    port, _ = hosts("127.0.0.1", "::1")
    names = nameserver({"app.test": ["127.0.0.1", "::1"]}, ttl=60)
    config = http_proxy(f"app.test:{port}", workers=1, upstream={"dns": {"family": family}}, **names.config)
    address = sluice(config).address()
    wait_served(address)
    assert set(who(address)) == expected
    assert {kind for _, kind in names.queries} == kinds


def test_a_name_that_has_moved_is_followed(sluice, nameserver, hosts):
    port, origins = hosts("127.0.0.1", "127.0.0.2", "127.0.0.3")
    names = nameserver({"app.test": ["127.0.0.1", "127.0.0.2"]})
    address = sluice(http_proxy(f"app.test:{port}", workers=1, upstream={"dns": {"refresh": "100ms"}},
                                **names.config)).address()
    wait_served(address)
    assert set(who(address)) == {"127.0.0.1", "127.0.0.2"}
    names.names["app.test"] = ["127.0.0.2", "127.0.0.3"]
    wait_until(lambda: set(who(address, 2)) == {"127.0.0.2", "127.0.0.3"})
    # What was kept to the address that has gone is closed; what was kept to the one that stays is used further.
    origins["127.0.0.1"].wait_for(lambda o: all(peer.ended for peer in o.peers))
    assert who(address, 10) == {"127.0.0.2": 5, "127.0.0.3": 5}
    assert len(origins["127.0.0.2"].peers) == 1 and not origins["127.0.0.2"].peers[0].ended


def test_a_request_that_runs_when_its_endpoint_leaves_is_finished(sluice, nameserver):
    seen, gate = threading.Event(), threading.Event()

    def script(peer):
        peer.read_request()
        seen.set()
        assert gate.wait(10)
        peer.send(OK)
        peer.wait_end()
    slow = Origin(script)
    names = nameserver({"app.test": ["127.0.0.1"]})
    address = sluice(http_proxy(f"app.test:{slow.bound[1]}", workers=1, upstream={"dns": {"refresh": "100ms"}},
                                **names.config)).address()
    try:
        names.wait_for(lambda s: s.queries)
        with Client(address) as client:
            while not seen.is_set():
                client.send(encode())
                if not seen.wait(0.1):
                    assert client.read_response().status == 503
            names.names["app.test"] = ["127.0.0.2"]
            names.wait_asked_again("app.test", 4)
            assert b"refused" in get(address).body
            gate.set()
            assert client.read_response().status == 200
        slow.wait_for(lambda o: o.peers[0].ended, what="a connection to an endpoint that has gone was kept")
    finally:
        slow.stop()


def test_an_unresolved_name_is_answered_503_and_works_when_it_is_there(sluice, nameserver, hosts):
    port, _ = hosts("127.0.0.1")
    names = nameserver()
    proxy = sluice(http_proxy(f"late.test:{port}", workers=1, **names.config))
    proxy.wait_log("cannot resolve a name", name="late.test", error="the name does not exist", kept="none")
    response = get(proxy.address())
    assert response.status == 503 and b"name is not resolved" in response.body
    names.names["late.test"] = ["127.0.0.1"]
    wait_served(proxy.address())
    proxy.wait_log("name resolved again", name="late.test")
    assert sum(entry["message"] == "cannot resolve a name" for entry in proxy.log) == 1


def test_requests_that_come_before_the_name_is_known_wait_for_it(sluice, nameserver, hosts):
    """Whoever is ready may be asked: at the start, and after a reload that has brought the name."""
    port, _ = hosts("127.0.0.1")
    names = nameserver({"slow.test": "silence"})
    proxy = sluice(http_proxy(f"slow.test:{port}", workers=1, admin=admin.BIND, **names.config))
    names.wait_for(lambda s: s.asked("slow.test"))
    with Client(proxy.address()) as client, Client(proxy.address()) as gone:
        client.send(encode())
        gone.send(encode())
        wait_until(lambda: b"cluster.app.upstream_rq_pending_active: 2\n" in stats_text(proxy))
        gone.reset()
        wait_until(lambda: b"cluster.app.upstream_rq_pending_active: 1\n" in stats_text(proxy))
        # The next try of the lookup is answered.
        names.names["slow.test"] = ["127.0.0.1"]
        assert client.read_response().status == 200
    assert not any(entry["message"] == "cannot resolve a name" for entry in proxy.log)


@pytest.mark.parametrize("answers", [None, "broken"])
def test_requests_that_wait_for_a_name_are_answered_when_there_is_none(sluice, nameserver, answers):
    names = nameserver({"none.test": "silence"})
    proxy = sluice(http_proxy("none.test:80", workers=1, admin=admin.BIND, **names.config))
    names.wait_for(lambda s: s.asked("none.test"))
    with Client(proxy.address(), patience=10) as client:
        client.send(encode())
        wait_until(lambda: b"cluster.app.upstream_rq_pending_active: 1\n" in stats_text(proxy))
        names.names["none.test"] = answers
        response = client.read_response()
        assert response.status == 503 and b"name is not resolved" in response.body
    assert get(proxy.address()).status == 503, "and nobody waits after that"


def test_a_reload_lets_nobody_wait_for_ever(sluice, nameserver, hosts):
    port, _ = hosts("127.0.0.1")
    names = nameserver({"slow.test": "silence"})
    proxy = sluice(http_proxy(f"slow.test:{port}", workers=1, admin=admin.BIND, **names.config))
    names.wait_for(lambda s: s.asked("slow.test"))
    with Client(proxy.address(), patience=10) as client:
        client.send(encode())
        wait_until(lambda: b"cluster.app.upstream_rq_pending_active: 1\n" in stats_text(proxy))
        proxy.reload(http_proxy(f"127.0.0.1:{port}", workers=1, admin=admin.BIND, **names.config))
        assert client.read_response().status == 503
    assert get(proxy.address()).status == 200


def test_an_unresolved_name_does_not_take_the_other_endpoints_away(sluice, nameserver, hosts):
    port, _ = hosts("127.0.0.1")
    names = nameserver()
    address = sluice(http_proxy(f"late.test:{port}", f"127.0.0.1:{port}", workers=1, **names.config)).address()
    assert who(address) == {"127.0.0.1": 12}


@pytest.mark.parametrize("how", ["missing", "broken", "silence", "gone"])
def test_the_last_addresses_stay_while_the_name_server_fails(sluice, nameserver, hosts, how):
    port, _ = hosts("127.0.0.1")
    names = nameserver({"app.test": ["127.0.0.1"]})
    upstream = {"dns": {"refresh": "100ms", "timeout": "300ms"}}
    proxy = sluice(http_proxy(f"app.test:{port}", workers=1, upstream=upstream, **names.config))
    wait_served(proxy.address())
    if how == "gone":
        names.stop()
    else:
        names.names["app.test"] = None if how == "missing" else how
    proxy.wait_log("cannot resolve a name", name="app.test", kept="127.0.0.1")
    assert who(proxy.address()) == {"127.0.0.1": 12}


def test_names_are_not_looked_up_to_check_a_config(nameserver, tmp_path):
    names = nameserver()
    file = tmp_path / "sluice.yaml"
    file.write_text(f"""
listeners: {{ inbound: {{ bind: "127.0.0.1:0", chain: [ http, router: {{ to: app }} ] }} }}
clusters: {{ app: {{ endpoints: [ "nowhere.invalid:80" ] }} }}
dns: {{ servers: [ "{names.address}" ] }}
""")
    done = run_cli("check", "-c", str(file))
    assert done.returncode == 0, done.stdout + done.stderr
    assert names.queries == []


# MARK: Reloads

def test_a_changed_cluster_begins_with_the_addresses_that_are_known(sluice, nameserver, hosts):
    port, _ = hosts("127.0.0.1")
    names = nameserver({"app.test": ["127.0.0.1"]}, ttl=60)

    def config(limit):
        return http_proxy(f"app.test:{port}", workers=1, upstream={"max_connections": limit}, **names.config)
    proxy = sluice(config(10))
    wait_served(proxy.address())
    names.stop()
    with Client(proxy.address()) as client:
        for limit in range(11, 16):
            assert client.request().status == 200
            proxy.reload(config(limit))
            assert client.request().status == 200


def test_a_reload_may_name_other_name_servers(sluice, nameserver, hosts):
    port, _ = hosts("127.0.0.1", "127.0.0.2")
    first, second = nameserver({"app.test": ["127.0.0.1"]}, ttl=60), nameserver({"app.test": ["127.0.0.2"]}, ttl=60)
    config = http_proxy(f"app.test:{port}", workers=1)
    proxy = sluice({**config, **first.config})
    wait_served(proxy.address())
    assert set(who(proxy.address())) == {"127.0.0.1"}
    proxy.reload({**config, **second.config})
    wait_until(lambda: set(who(proxy.address(), 1)) == {"127.0.0.2"})


def test_a_request_that_runs_in_a_cluster_that_a_reload_takes_away_is_finished(sluice, hosts):
    """The last one in a pool that nobody else knows any more: its connection must not outlive the pool."""
    seen, gate = threading.Event(), threading.Event()

    def script(peer):
        peer.read_request()
        seen.set()
        assert gate.wait(10)
        peer.send(OK)
        peer.wait_end()
    slow = Origin(script)
    try:
        proxy = sluice(http_proxy(slow.endpoint, workers=1))
        with Client(proxy.address()) as client:
            client.send(encode())
            assert seen.wait(5)
            port, _ = hosts("127.0.0.1")
            proxy.reload(http_proxy(f"127.0.0.1:{port}", workers=1))
            assert get(proxy.address()).body == b"127.0.0.1"
            gate.set()
            assert client.read_response().body == b"ok"
        slow.wait_for(lambda o: o.peers[0].ended, what="a connection of a cluster that has gone was kept")
        assert get(proxy.address()).status == 200
    finally:
        slow.stop()


# MARK: Balancing

def balanced(sluice, hosts, policy, weights, **top):
    """A proxy over endpoints with these weights; returns its address and the origins."""
    port, origins = hosts(*[f"127.0.0.{number + 1}" for number in range(len(weights))])
    config = http_proxy(*[{"address": f"{host}:{port}", "weight": weight} for host, weight in zip(origins, weights)],
                        workers=1, upstream={"balance": policy}, **top)
    return sluice(config).address(), origins


@pytest.mark.parametrize("weights", [(1, 1, 1), (3, 1), (1, 2, 3)])
def test_round_robin_gives_each_its_share_exactly(sluice, hosts, weights):
    address, origins = balanced(sluice, hosts, "round_robin", weights)
    found = who(address, 4 * sum(weights))
    assert [found[host] for host in origins] == [4 * weight for weight in weights]


def test_by_lot_all_endpoints_get_some(sluice, hosts):
    address, origins = balanced(sluice, hosts, "random", (1, 1, 4))
    found = who(address, 120)
    assert all(found[host] > 0 for host in origins) and found["127.0.0.3"] > found["127.0.0.1"]


def test_the_less_busy_endpoint_gets_the_requests(sluice, hosts):
    address, origins = balanced(sluice, hosts, "least_request", (1, 1))
    with Client(address) as stuck:
        stuck.send(encode(headers={"X-Gate": "1"}))
        wait_until(lambda: any(one.requests for one in origins.values()))
        busy = next(host for host, one in origins.items() if one.requests)
        free = next(host for host in origins if host != busy)
        assert who(address, 20) == {free: 20}


@pytest.mark.parametrize("policy", ["ring_hash", "maglev"])
def test_a_hash_leads_to_the_same_endpoint_always_and_to_all_of_them_together(sluice, hosts, policy):
    address, origins = balanced(sluice, hosts, policy, (1, 1, 1), route={"hash": {"header": "x-user"}})
    places = {}
    for user in range(40):
        found = who(address, 3, **{"X-User": f"user-{user}"})
        assert len(found) == 1
        places[user] = next(iter(found))
    assert set(places.values()) == set(origins)
    assert len(who(address, 60)) == 3, "a request without the header goes by lot"


def test_the_endpoint_that_answers_late_gets_no_requests_while_the_other_is_idle(sluice, origin):
    def late(peer):
        while peer.read_request():
            time.sleep(0.2)
            if not peer.send(answer(b"late")):
                return
    slow, fast = origin(late), origin()
    config = http_proxy(slow.endpoint, fast.endpoint, workers=1, upstream={"balance": "peak_ewma"})
    address = sluice(config).address()
    # While nothing is known of one of the two they get the same.
    for _ in range(100):
        if slow.requests and fast.requests:
            break
        get(address)
    assert [get(address).body for _ in range(20)] == [b"ok"] * 20


def test_a_later_priority_serves_only_what_the_first_has_failed(sluice, origin, refused):
    spare = origin()
    endpoints = [{"address": refused, "priority": 0}, {"address": spare.endpoint, "priority": 5}]
    assert get(sluice(http_proxy(*endpoints, workers=1)).address()).status == 503
    assert not spare.requests
    retry = {"retry": {"on": ["connect-failure"], "attempts": 1, "backoff": {"base": "1ms", "max": "1ms"}}}
    address = sluice(http_proxy(*endpoints, workers=1, filters=[retry])).address()
    assert [get(address).status for _ in range(5)] == [200] * 5


# MARK: Pools

def test_raw_connections_are_limited(sluice, origin):
    def script(peer):
        peer.send(b"hello")
        peer.wait_end()
    config = tcp_proxy(origin(script).endpoint)
    config["workers"] = 1
    config["clusters"]["app"]["max_connections"] = 2
    address = sluice(config).address()
    first, second = Client(address), Client(address)
    assert first.read_exactly(5) == b"hello" and second.read_exactly(5) == b"hello"
    with Client(address) as third:
        third.expect_closed()
    first.close()

    def admitted():
        with Client(address) as client:
            return client.fill()
    wait_until(admitted)
    second.close()


class Crowded:
    """A listener that takes connections only when it is told to; others wait in a full backlog, unanswered."""

    def __init__(self):
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(0)
        self.endpoint = "127.0.0.1:%d" % self.listener.getsockname()[1]
        self.fillers, self.accepted = [], []

    def fill(self):
        while True:
            filler = socket.socket()
            filler.settimeout(0.15)
            self.fillers.append(filler)
            try:
                filler.connect(self.listener.getsockname())
            except TimeoutError:
                return

    def accept(self):
        self.listener.settimeout(5)
        connection, _ = self.listener.accept()
        connection.settimeout(5)
        self.accepted.append(connection)
        return connection

    def close(self):
        for one in [self.listener, *self.fillers, *self.accepted]:
            one.close()


@pytest.fixture
def crowded():
    one = Crowded()
    yield one
    one.close()


def test_a_connection_that_gets_free_serves_whoever_waits_for_one_to_be_made(sluice, crowded):
    address = sluice(http_proxy(crowded.endpoint, workers=1, upstream={"connect_timeout": "60s"})).address()
    with Client(address) as first, Client(address) as second:
        first.send(encode(target="/first"))
        made = crowded.accept()
        assert b"/first" in made.recv(4096)
        crowded.fill()
        second.send(encode(target="/second"))
        wait_until_read(second.socket)
        made.sendall(OK)
        assert first.read_response().status == 200
        assert b"/second" in made.recv(4096), "the free connection was not given to the one that waits"
        made.sendall(OK)
        assert second.read_response().status == 200


def test_a_connection_that_nobody_waits_for_any_more_is_there_for_the_next(sluice, crowded):
    proxy = sluice(http_proxy(crowded.endpoint, workers=1, upstream={"connect_timeout": "60s", "max_connections": 1}))
    crowded.fill()
    before = proxy.fds()
    gone = Client(proxy.address())
    gone.send(encode(target="/gone"))
    proxy.wait_fds(lambda count: count == before + 2)
    gone.reset()
    proxy.wait_fds(lambda count: count == before + 1)
    with Client(proxy.address()) as client:
        client.send(encode(target="/next"))
        wait_until_read(client.socket)
        for filler in crowded.fillers:
            filler.close()
        while True:
            made = crowded.accept()
            try:
                data = made.recv(4096)
            except ConnectionError:
                continue
            if data:
                break
        assert b"/next" in data and b"/gone" not in data
        made.sendall(OK)
        assert client.read_response().status == 200


# MARK: Settings

@pytest.mark.parametrize("endpoint, words", [
    ("127.0.0.1", "has no port"), ("app.test", "has no port"), ("app.test:0", "port 0"),
    ("http://app.test:80", "without a scheme"), ("::1:80", "brackets"), ("1.2.3.400:80", "not an IPv4 address"),
])
def test_an_endpoint_that_is_none_is_refused_at_its_place(tmp_path, endpoint, words):
    file = tmp_path / "sluice.yaml"
    file.write_text(f"""listeners:
  inbound: {{ bind: "127.0.0.1:0", chain: [ http, router: {{ to: app }} ] }}
clusters:
  app:
    endpoints:
      - "{endpoint}"
""")
    done = run_cli("check", "-c", str(file))
    assert done.returncode == 1
    assert words in done.stdout + done.stderr and ":6:9" in done.stdout + done.stderr
