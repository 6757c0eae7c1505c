"""Several chains in one listener: who gets which, TLS passed through unopened, and those who do not say enough."""
import json
import signal
import socket
import ssl

import pytest

from certificates import Authority
from client import Client, reset
from configs import cluster
from peek import wait_until_read
from sluice import run_cli

REQUEST = b"GET / HTTP/1.1\r\nhost: a.test\r\nconnection: close\r\n\r\n"


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    """(file of the certificate, file of the key, file of the only authority that has signed it) by host name."""
    folder = tmp_path_factory.mktemp("certificates")

    def made(name):
        authority, trusted = Authority(name), folder / f"{name}.ca"
        trusted.write_bytes(authority.pem)
        return (*authority.issue(name).write(folder, name), str(trusted))
    return {name: made(name) for name in ("a.test", "b.test", "x.wild.test")}


@pytest.fixture
def tls_origin(origin, pairs):
    """`tls_origin(name)`: a server that ends TLS with that name's certificate and answers each client with its name."""
    def start(name):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*pairs[name][:2])
        context.set_alpn_protocols(["h2", "http/1.1"])

        def script(peer):
            try:
                with context.wrap_socket(peer.socket, server_side=True) as secure:
                    secure.sendall(name.encode() + b" heard " + secure.recv(1000))
            except OSError:
                pass
        return origin(script)
    return start


def entry(to, **match):
    chain = [{"tcp_proxy": {"to": to}}]
    return {"match": match, "chain": chain} if match else {"chain": chain}


ANSWER = {"chain": ["http", {"router": {"routes": [{"respond": {"status": 200, "body": "plain"}}]}}]}


def config(chains, clusters, bind="127.0.0.1:0", **listener):
    return {"listeners": {"inbound": {"bind": bind, "chains": chains, **listener}},
            "clusters": {name: cluster(endpoint) for name, endpoint in clusters.items()}, "workers": 1}


def handshake(address, name, trusted, alpn=None):
    """A connection on which TLS was agreed with a server that has shown a certificate for `name`."""
    context = ssl.create_default_context(cafile=trusted[2])
    if alpn:
        context.set_alpn_protocols(alpn)
    plain = socket.create_connection(address, 5)
    try:
        return context.wrap_socket(plain, server_hostname=name)
    except (OSError, ssl.SSLError):
        plain.close()
        raise


def hears(address, name, trusted, alpn=None):
    """What the server behind that name answers."""
    with handshake(address, name, trusted, alpn) as secure:
        secure.sendall(b"hello")
        answer = b""
        while data := secure.recv(1000):
            answer += data
        return answer.decode()


def hello(name=None, alpn=None):
    """A client's first message of TLS."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if alpn:
        context.set_alpn_protocols(alpn)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    with pytest.raises(ssl.SSLWantReadError):
        context.wrap_bio(incoming, outgoing, server_hostname=name).do_handshake()
    return outgoing.read()


def marked(name):
    """A script that says at once who it is, and reads to the end."""
    def script(peer):
        peer.send(name)
        peer.wait_end()
    return script


def first_bytes(peer):
    """Sends back how many bytes have come when the client has ended its direction."""
    peer.wait_end()
    peer.send(b"%d" % len(peer.received))


@pytest.fixture
def two(sluice, tls_origin):
    """A proxy that passes TLS on by name: `a.test` exactly, all below `wild.test`, and all else to `b`."""
    a, b, x = tls_origin("a.test"), tls_origin("b.test"), tls_origin("x.wild.test")
    return sluice(config(
        [entry("a", server_names=["a.test"]), entry("x", server_names=["*.wild.test"]), entry("b", tls=True), ANSWER],
        {"a": a.endpoint, "b": b.endpoint, "x": x.endpoint},
        access_log={"to": "stdout", "format": "name=%REQUESTED_SERVER_NAME% to=%UPSTREAM_CLUSTER% in=%BYTES_RECEIVED%"}))


def test_tls_is_passed_on_unopened_by_the_name_that_is_asked_for(two, pairs):
    address = two.address()
    # The client trusts one authority only: what answers is the server behind the name, and nobody in between.
    assert hears(address, "a.test", pairs["a.test"]) == "a.test heard hello"
    assert hears(address, "x.wild.test", pairs["x.wild.test"]) == "x.wild.test heard hello"
    assert hears(address, "b.test", pairs["b.test"]) == "b.test heard hello"


def test_names_are_matched_whatever_their_case(two, pairs):
    assert hears(two.address(), "A.TEST", pairs["a.test"]) == "a.test heard hello"


def test_plain_http_and_tls_share_a_port(two, pairs):
    with Client(two.address()) as client:
        client.send(REQUEST)
        answer = client.read_response()
        assert (answer.status, answer.body) == (200, b"plain")
    assert hears(two.address(), "a.test", pairs["a.test"]) == "a.test heard hello"


def test_the_log_tells_the_name_of_a_connection_that_was_passed_on(two, pairs):
    hears(two.address(), "a.test", pairs["a.test"])
    line = two.wait_stdout("^name=a.test to=a in=")
    # What was read before the chain was known counts as well.
    assert int(line.rpartition("=")[2]) > len(hello("a.test"))
    hears(two.address(), "B.test", pairs["b.test"])
    two.wait_stdout("^name=b.test to=b in=")


def test_a_hello_in_single_bytes_is_passed_on_whole(sluice, origin):
    one, other = origin(first_bytes), origin(first_bytes)
    proxy = sluice(config([entry("one", server_names="a.test"), entry("other")],
                          {"one": one.endpoint, "other": other.endpoint}))
    message = hello("a.test")
    with Client(proxy.address()) as client:
        client.send_pieces([message[i:i + 1] for i in range(len(message))])
        client.half_close()
        assert client.read_to_end() == b"%d" % len(message)
    assert bytes(one.peers[0].received) == message and not other.peers


def test_a_hello_in_records_of_one_byte_is_read(sluice, origin):
    one, other = origin(first_bytes), origin(first_bytes)
    proxy = sluice(config([entry("one", server_names="a.test"), entry("other")],
                          {"one": one.endpoint, "other": other.endpoint}))
    message = b"".join(b"\x16\x03\x01\x00\x01" + bytes([byte]) for byte in hello("a.test")[5:])
    with Client(proxy.address()) as client:
        client.send(message + b"and more")
        client.half_close()
        assert client.read_to_end() == b"%d" % (len(message) + 8)
    assert bytes(one.peers[0].received) == message + b"and more"


def test_all_that_came_with_the_first_bytes_is_passed_on_with_the_end(sluice, origin):
    one = origin(first_bytes)
    proxy = sluice(config([entry("one", tls=True)], {"one": one.endpoint}))
    with Client(proxy.address()) as client:
        # More than is read at once, and the end behind it: no further event of the kernel will come.
        client.send(hello("a.test") + b"x" * 300_000)
        client.half_close()
        assert client.read_to_end() == b"%d" % (len(hello("a.test")) + 300_000)


def test_pipelined_requests_behind_the_choice_are_answered(two):
    keep = REQUEST.replace(b"connection: close\r\n", b"")
    with Client(two.address()) as client:
        client.send(keep + keep + REQUEST)
        assert [client.read_response().status for _ in range(3)] == [200] * 3
        client.expect_closed()


def test_protocols_that_are_offered_pick_a_chain(sluice, tls_origin, pairs):
    a, b = tls_origin("a.test"), tls_origin("b.test")
    proxy = sluice(config([entry("a", application_protocols=["h2"]), entry("b")],
                          {"a": a.endpoint, "b": b.endpoint}))
    assert hears(proxy.address(), "a.test", pairs["a.test"], ["http/1.1", "h2"]).startswith("a.test")
    assert hears(proxy.address(), "b.test", pairs["b.test"], ["http/1.1"]).startswith("b.test")
    assert hears(proxy.address(), "b.test", pairs["b.test"]).startswith("b.test")


def test_tls_ends_here_for_one_name_and_elsewhere_for_another(sluice, tls_origin, pairs):
    a = tls_origin("a.test")
    tls = {"tls": {"certificate": pairs["b.test"][0], "key": pairs["b.test"][1]}}
    proxy = sluice(config([entry("a", server_names="a.test"), {"match": {"tls": True}, "chain": [tls, *ANSWER["chain"]]},
                           ANSWER], {"a": a.endpoint}))
    assert hears(proxy.address(), "a.test", pairs["a.test"]) == "a.test heard hello"
    with handshake(proxy.address(), "b.test", pairs["b.test"]) as secure:
        secure.sendall(REQUEST)
        answer = b""
        while data := secure.recv(1000):
            answer += data
    assert answer.endswith(b"\r\n\r\nplain")


def test_the_first_that_matches_is_taken(sluice, origin):
    one, other = origin(marked(b"one")), origin(marked(b"other"))
    proxy = sluice(config([entry("one", server_names="*.test"), entry("other", server_names="a.test", tls=True)],
                          {"one": one.endpoint, "other": other.endpoint}))
    with Client(proxy.address()) as client:
        client.send(hello("a.test"))
        assert client.read_exactly(3) == b"one"


def test_a_client_for_which_there_is_no_chain_is_closed(sluice, origin):
    one = origin(first_bytes)
    proxy = sluice(config([entry("one", server_names="a.test")], {"one": one.endpoint}))
    for data in [hello("b.test"), hello(), REQUEST, b"\x16\x03\x01\xff\xff"]:
        with Client(proxy.address()) as client:
            client.send(data)
            client.expect_closed()
    assert not one.peers
    before = proxy.fds()
    with Client(proxy.address()) as client:
        client.send(hello("b.test"))
        client.expect_closed()
    proxy.wait_fds(lambda count: count <= before)


def test_where_only_addresses_matter_the_server_may_speak_first(sluice, origin):
    one, other, rest = origin(marked(b"one")), origin(marked(b"other")), origin(marked(b"rest"))
    proxy = sluice(config(
        [entry("one", sources="127.0.0.2"), entry("other", destinations=["127.0.0.3", "192.0.2.0/24"]), entry("rest")],
        {"one": one.endpoint, "other": other.endpoint, "rest": rest.endpoint}, bind="0.0.0.0:0"))
    port = proxy.address()[1]

    def answer(source, destination):
        with socket.create_connection((destination, port), 5, source_address=(source, 0)) as connection:
            return connection.recv(100)
    assert answer("127.0.0.2", "127.0.0.1") == b"one"
    assert answer("127.0.0.1", "127.0.0.3") == b"other"
    assert answer("127.0.0.2", "127.0.0.3") == b"one"
    assert answer("127.0.0.1", "127.0.0.1") == b"rest"


def test_ports_pick_a_chain(sluice, origin):
    one, other = origin(marked(b"one")), origin(marked(b"other"))
    clusters = {"one": one.endpoint, "other": other.endpoint}
    proxy = sluice(config([entry("other")], clusters, bind=["127.0.0.1:0", "127.0.0.2:0"]))
    first, second = proxy.addresses("inbound")
    proxy.reload(config([entry("one", destination_ports=[second[1]]), entry("other")], clusters,
                        bind=["127.0.0.1:0", "127.0.0.2:0"]))
    for address, name in [(first, b"other"), (second, b"one")]:
        with Client(address) as client:
            assert client.read_exactly(len(name)) == name


def test_a_hello_that_is_never_finished_is_given_up(sluice, origin):
    one = origin(first_bytes)
    proxy = sluice(config([entry("one", tls=True)], {"one": one.endpoint}, match_timeout="50ms"))
    for data in [b"", b"\x16", hello("a.test")[:-1]]:
        with Client(proxy.address()) as client:
            if data:
                client.send(data)
            client.expect_closed()
    assert not one.peers


@pytest.mark.parametrize("leave", [Client.reset, Client.close], ids=["reset", "close"])
def test_clients_that_leave_while_they_wait_leave_nothing_behind(sluice, origin, leave):
    one = origin(first_bytes)
    proxy = sluice(config([entry("one", tls=True)], {"one": one.endpoint}))
    before = proxy.fds()
    for _ in range(10):
        client = Client(proxy.address())
        client.send(hello("a.test")[:100])
        wait_until_read(client.socket)
        leave(client)
    proxy.wait_fds(lambda count: count <= before)
    assert not one.peers


def test_a_client_that_resets_right_behind_its_hello_resets_the_upstream(sluice, origin):
    ends = []

    def script(peer):
        peer.wait_end()
        ends.append(bytes(peer.received))
    one = origin(script)
    proxy = sluice(config([entry("one", tls=True)], {"one": one.endpoint}))
    before = proxy.fds()
    for _ in range(20):
        client = Client(proxy.address())
        client.send(hello("a.test"))
        reset(client.socket)
    proxy.wait_fds(lambda count: count <= before)


def test_a_drain_does_not_wait_for_clients_that_say_nothing(sluice, origin):
    one = origin(first_bytes)
    proxy = sluice(config([entry("one", tls=True)], {"one": one.endpoint}))
    with Client(proxy.address()) as client:
        proxy.wait_fds(lambda count: count > 0)
        proxy.stop()
        client.expect_closed()


def test_a_hello_that_has_come_before_a_drain_is_served(sluice, origin):
    one = origin(first_bytes)
    proxy = sluice(config([entry("one", tls=True)], {"one": one.endpoint}))
    message = hello("a.test")
    with Client(proxy.address()) as client:
        client.send(message[:50])
        wait_until_read(client.socket)
        since = proxy.mark()
        proxy.signal(signal.SIGTERM)
        proxy.wait_log("draining", since=since)
        client.send(message[50:])
        client.half_close()
        assert client.read_to_end() == b"%d" % len(message)
    assert proxy.wait_exit() == 0


TAIL = '\nclusters:\n  app: { endpoints: [ "127.0.0.1:9000" ] }\n'
APP = "chain: [ tcp_proxy: app ]"

ERRORS = {
    "chain_and_chains": (f"    <<chain: [ tcp_proxy: app ]\n    chains: [ {{ {APP} }} ]\n", "either `chain` or `chains`"),
    "no_list": ("    chains: <<app\n", "expected a list of chains, found `app`"),
    "empty": ("    chains: <<[]\n", "found an empty list"),
    "no_mapping": ("    chains: [ <<tcp_proxy ]\n", "expected a chain with `match` and `chain`"),
    "no_chain": ("    chains:\n      - <<match: { tls: true }\n", "there is no `chain` in this entry"),
    "bad_chain": ("    chains:\n      - chain: [ <<http ]\n", "this chain has no end"),
    "unknown_cluster": ("    chains:\n      - chain: [ tcp_proxy: <<nobody ]\n", "there is no cluster `nobody`"),
    "unknown_key": (f"    chains: [ {{ <<mach: {{}}, {APP} }} ]\n", "unknown key `mach`"),
    "unknown_match": (f"    chains: [ {{ match: {{ <<sni: a }}, {APP} }} ]\n", "unknown key `sni`"),
    "bad_name": (f"    chains: [ {{ match: {{ server_names: [ a.test, <<'a.*' ] }}, {APP} }} ]\n", "not a host name"),
    "bad_range": (f"    chains: [ {{ match: {{ sources: [ <<10.0.0.1/8 ] }}, {APP} }} ]\n", "behind its first 8"),
    "bad_port": (f"    chains: [ {{ match: {{ destination_ports: [ <<0 ] }}, {APP} }} ]\n", "between 1 and 65535"),
    "impossible": (f"    chains: [ {{ match: {{ server_names: a.test, tls: <<false }}, {APP} }} ]\n", "matches nobody"),
    "not_last": (f"    chains:\n      - <<{APP}\n      - match: {{ tls: true }}\n        {APP}\n", "others follow it"),
    "no_time": (f"    chains: [ {{ {APP} }} ]\n    match_timeout: <<0s\n", "longer than 0"),
}


def findings(text, tmp_path):
    """All that is wrong with a listener, and the place that `<<` marks."""
    text = "listeners:\n  inbound:\n    bind: 127.0.0.1:0\n" + text + TAIL
    at = text.index("<<")
    file = tmp_path / "sluice.yaml"
    file.write_text(text.replace("<<", ""))
    done = run_cli("check", "--format", "json", str(file))
    place = (text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at))
    return [e for e in json.loads(done.stdout) if e["code"] != "SL0202"], place


@pytest.mark.parametrize("case", ERRORS)
def test_chains_that_make_no_sense_are_refused_at_their_place(case, tmp_path):
    text, message = ERRORS[case]
    found, place = findings(text, tmp_path)
    [error] = found
    assert error["severity"] == "error" and message in error["message"], error
    assert (error["line"], error["column"]) == place


def test_a_chain_that_no_client_gets_is_warned_of(tmp_path):
    found, place = findings(f"""
    chains:
      - match: {{ server_names: "*.a.test" }}
        {APP}
      - <<match: {{ server_names: [ b.a.test, c.b.a.test ], sources: 10.0.0.0/8 }}
        {APP}
      - match: {{ server_names: [ d.a.test, a.test ] }}
        {APP}
      - {APP}
""", tmp_path)
    [warning] = found
    assert warning["severity"] == "warning" and "no client gets this chain" in warning["message"]
    assert (warning["line"], warning["column"]) == place and warning["related"][0]["line"] == place[0] - 2


def test_a_filter_that_is_refused_is_shown_in_its_chain(tmp_path):
    found, place = findings(f"""
    chains:
      - match: {{ tls: true }}
        chain: [ http, router: {{ to: app }} ]
      - chain: [ http, router: {{ routes: [ {{ to: app, <<filters: {{ nobody: {{}} }} }} ] }} ]
""", tmp_path)
    assert len(found) == 1 and found[0]["line"] == place[0], found
