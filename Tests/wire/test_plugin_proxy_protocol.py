"""plugins/proxy_protocol: headers of other proxies are believed where they may be, and upstreams are told of clients."""
import json
import socket
import ssl
import struct
import subprocess

import pytest

from admin import BIND, text
from certificates import authority, server
from client import Client, encode
from peers import haproxy, nginx, program  # noqa: F401
from plugin_builds import library
from sluice import run_cli

GET = encode()
V2 = b"\r\n\r\n\0\r\nQUIT\n"
FOUR = bytes([203, 0, 113, 9, 198, 51, 100, 2]) + struct.pack("!HH", 4711, 443)
LOCAL = ["127.0.0.0/8"]


def v2(body=FOUR, command=0x21, family=0x11):
    return V2 + bytes([command, family]) + struct.pack("!H", len(body)) + body


V1 = b"PROXY TCP4 203.0.113.9 198.51.100.2 4711 443\r\n"
SIX = (b"\x20\x01\x0d\xb8" + b"\0" * 11 + b"\x07") * 2 + struct.pack("!HH", 4711, 443)


def config(endpoint, *, chain=("http", {"router": {"to": "app"}}), upstream=(), **settings):
    reader = {"proxy_protocol": {"trusted": LOCAL, **settings}}
    return {"workers": 1, "plugins": [library("proxy_protocol")], "admin": BIND,
            "access_log": {"to": "stdout", "format": "%DOWNSTREAM_REMOTE_ADDRESS% %DOWNSTREAM_LOCAL_ADDRESS% "
                           "%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT% %RESPONSE_CODE%"},
            "listeners": {"inbound": {"bind": "127.0.0.1:0", "chain": [reader, *chain]}},
            "clusters": {"app": {"endpoints": [endpoint], "chain": list(upstream)}}}


def names(origin, number=0):
    return [value for name, value in origin.requests[number].headers if name.lower() == "x-forwarded-for"]


def ask(proxy, *pieces):
    with Client(proxy.address()) as client:
        client.send_pieces(pieces)
        return client.read_response()


@pytest.mark.parametrize("header, client", [
    (V1, "203.0.113.9"), (v2(), "203.0.113.9"), (v2(FOUR + b"\x04\0\x05hello"), "203.0.113.9"),
    (v2(SIX, family=0x21), "2001:db8::7"), (b"PROXY UNKNOWN\r\n", "127.0.0.1"), (v2(b"", 0x20, 0), "127.0.0.1")],
    ids=["v1", "v2", "v2 with a value", "v2 with IPv6", "unknown", "local"])
def test_the_header_says_who_the_client_is(sluice, origin, header, client):
    one = origin()
    proxy = sluice(config(one.endpoint))
    assert ask(proxy, header + GET).status == 200
    assert ask(proxy, *[bytes([byte]) for byte in header], GET).status == 200
    assert [names(one, number) for number in (0, 1)] == [[client]] * 2


def test_logs_and_trusted_hops_see_the_client(sluice, origin):
    one = origin()
    chain = [{"http": {"trusted_hops": 1}}, {"router": {"to": "app"}}]
    proxy = sluice(config(one.endpoint, chain=chain))
    assert ask(proxy, V1 + GET).status == 200
    proxy.wait_stdout(r"^203\.0\.113\.9:4711 198\.51\.100\.2:443 127\.0\.0\.1 200$")
    assert ask(proxy, V1 + encode(headers=[("X-Forwarded-For", "192.0.2.1, 192.0.2.2")])).status == 200
    assert names(one, 1) == ["192.0.2.1, 192.0.2.2, 203.0.113.9"]
    proxy.wait_stdout(r"^192\.0\.2\.2 198\.51\.100\.2:443 127\.0\.0\.1 200$")


@pytest.mark.parametrize("how", ["send-proxy", "send-proxy-v2", "send-proxy-v2 proxy-v2-options crc32c,unique-id"])
def test_haproxy_in_front(sluice, origin, haproxy, how):  # noqa: F811
    one = origin()
    proxy = sluice(config(one.endpoint))
    front = haproxy("{}:{}".format(*proxy.address()), server=how)
    done = subprocess.run(["curl", "-sS", "--interface", "127.0.0.5", "http://{}:{}/".format(*front)],
                          capture_output=True, text=True)
    assert done.stdout == "ok", done.stderr
    assert names(one) == ["127.0.0.5"]


def test_curl_speaks_it(sluice, origin):
    one = origin()
    proxy = sluice(config(one.endpoint))
    command = ["curl", "-sS", "--haproxy-protocol", "--interface", "127.0.0.6", "http://{}:{}/".format(*proxy.address())]
    assert subprocess.run(command, capture_output=True, text=True).stdout == "ok"
    assert names(one) == ["127.0.0.6"]


def test_it_stands_above_tls(sluice, origin, tmp_path):
    one = origin()
    server().write(tmp_path, "server")
    tls = {"tls": {"certificate": str(tmp_path / "server.crt"), "key": str(tmp_path / "server.key")}}
    proxy = sluice(config(one.endpoint, chain=[tls, "http", {"router": {"to": "app"}}]))
    raw = socket.create_connection(proxy.address(), timeout=10)
    raw.sendall(v2())
    context = ssl.create_default_context(cadata=authority().pem.decode())
    with context.wrap_socket(raw, server_hostname="a.test") as secured:
        secured.sendall(GET)
        assert secured.recv(100).startswith(b"HTTP/1.1 200")
    assert names(one) == ["203.0.113.9"]


# Refusals

@pytest.mark.parametrize("bytes_, reason, settings", [
    (GET, "missing", {}), (b"PROXY TCP4 1.2.3.4\r\n" + GET, "malformed", {}),
    (b"PROXY UNKNOWN" + b"x" * 200, "malformed", {}), (v2(command=0x22), "malformed", {}),
    (v2(FOUR + b"\x04\xff\xff"), "malformed", {}), (v2(FOUR + b"\x03\0\4abcd"), "bad_checksum", {}),
    (V1 + GET, "malformed", {"versions": [2]}), (V1 + GET, "not_trusted", {"trusted": ["192.0.2.0/24"]}),
    (V1[:20], "timeout", {"timeout": "100ms"}), (b"", "timeout", {"timeout": "100ms"}),
    (b"PROXY TCP4 1.2.3.4\r\n" + GET, "malformed", {"required": False})])
def test_what_must_not_be_believed_closes_the_connection_and_is_counted(sluice, origin, bytes_, reason, settings):
    one = origin()
    proxy = sluice(config(one.endpoint, **settings))
    with Client(proxy.address()) as client:
        client.send(bytes_)
        client.expect_closed()
    assert not one.requests
    entry = f'sluice_proxy_protocol_refused_total{{listener="inbound",filter="proxy_protocol",reason="{reason}"}} 1'
    assert entry in text(proxy, "/stats/prometheus")


def test_a_connection_that_only_looks_whether_somebody_is_there_is_no_fault_of_the_header(sluice, origin):
    proxy = sluice(config(origin().endpoint))
    with Client(proxy.address()) as client:
        client.half_close()
        client.expect_closed()
    assert 'reason="closed"} 1' in text(proxy, "/stats/prometheus")


def test_a_second_header_is_no_request(sluice, origin):
    one = origin()
    assert ask(sluice(config(one.endpoint)), V1 + V1 + GET).status == 400
    assert not one.requests


@pytest.mark.parametrize("settings, client", [({}, "127.0.0.1"), ({"trusted": ["192.0.2.1"]}, "127.0.0.1")])
def test_where_none_is_required_connections_without_one_pass(sluice, origin, settings, client):
    one = origin()
    proxy = sluice(config(one.endpoint, required=False, **settings))
    post = encode("POST", body=b"x")
    assert ask(proxy, b"P", post[1:]).status == 200
    assert ask(proxy, *[bytes([byte]) for byte in post[:8]], post[8:]).status == 200
    assert [names(one, number) for number in (0, 1)] == [[client]] * 2


def test_an_upstream_that_speaks_first_is_reached_without_a_header(sluice, origin):
    one = origin(lambda peer: (peer.send(b"220 hello\r\n"), peer.wait_end()))
    proxy = sluice(config(one.endpoint, chain=[{"tcp_proxy": "app"}], required=False, timeout="100ms"))
    with Client(proxy.address()) as client:
        assert client.read_until(b"\r\n") == b"220 hello\r\n"


# Towards upstreams

@pytest.mark.parametrize("settings", [{"version": 1}, {"version": 2}, {}, {"checksum": True}], ids=str)
def test_nginx_hears_who_the_client_is(sluice, nginx, settings):  # noqa: F811
    upstream = nginx("proxy_protocol", "return 200 $proxy_protocol_addr:$proxy_protocol_port/$proxy_protocol_server_addr;")
    writer = {"proxy_protocol": settings}
    proxy = sluice(config("{}:{}".format(*upstream), chain=[{"tcp_proxy": "app"}], upstream=[writer]))
    assert ask(proxy, V1 + GET).body == b"203.0.113.9:4711/198.51.100.2"


def test_haproxy_hears_who_the_client_is_through_tls(sluice, origin, haproxy, tmp_path):  # noqa: F811
    one = origin()
    inner = sluice(config(one.endpoint))
    pair = server().write(tmp_path, "server")
    (tmp_path / "both.pem").write_bytes(b"".join(open(file, "rb").read() for file in pair))
    (tmp_path / "ca.pem").write_bytes(authority().pem)
    middle = haproxy("{}:{}".format(*inner.address()), f"accept-proxy ssl crt {tmp_path}/both.pem", "send-proxy-v2")
    tls = {"tls": {"ca": str(tmp_path / "ca.pem"), "server_name": "a.test"}}
    outer = sluice(config("{}:{}".format(*middle), chain=[{"tcp_proxy": "app"}], upstream=[tls, "proxy_protocol"]))
    assert ask(outer, V1 + GET).status == 200
    assert names(one) == ["203.0.113.9"]


def test_health_checks_say_that_they_speak_for_nobody(sluice, origin):
    def script(peer):
        peer.wait_end()
    one = origin(script)
    settings = config(one.endpoint, chain=[{"tcp_proxy": "app"}], upstream=["proxy_protocol"])
    settings["clusters"]["app"]["health_checks"] = {"tcp": {}, "interval": "50ms"}
    sluice(settings)
    one.wait_for(lambda one: one.peers and len(one.peers[0].received) >= 16)
    assert bytes(one.peers[0].received) == V2 + b"\x20\0\0\0"


# Configs

@pytest.mark.parametrize("change, words", [
    (lambda c: c["listeners"]["inbound"]["chain"][0]["proxy_protocol"].pop("trusted"), "nobody is trusted"),
    (lambda c: c["listeners"]["inbound"]["chain"][0]["proxy_protocol"].update(trusted=["10.0.0.1/8"]), "not an IP address"),
    (lambda c: c["listeners"]["inbound"]["chain"][0]["proxy_protocol"].update(version=1), "belongs to a cluster's chain"),
    (lambda c: c["listeners"]["inbound"]["chain"][0]["proxy_protocol"].update(versions=[3]), "the versions 1 and 2"),
    (lambda c: c["clusters"]["app"].update(chain=["proxy_protocol"]), "cannot carry requests"),
    (lambda c: c["clusters"]["app"].update(chain=[{"proxy_protocol": {"trusted": LOCAL}}]), "a listener's chain"),
    (lambda c: c["clusters"]["app"].update(chain=[{"proxy_protocol": {"version": 3}}]), "the versions 1 and 2")])
def test_what_cannot_work_is_refused(tmp_path, change, words):
    settings = config("127.0.0.1:1")
    change(settings)
    (tmp_path / "sluice.yaml").write_text(json.dumps(settings, indent=1))
    done = run_cli("check", str(tmp_path / "sluice.yaml"))
    assert done.returncode == 1 and words in done.stdout, done.stdout
