"""TLS from clients and upstreams that mean harm.

Where the rows of the bank are tested (U: Tests/FiltersTests/TLS, else the name of a test of test_tls*.py):

T01 test_old_version_gets_alert_70
T03 test_a_request_over_each_version, test_weak_suites_get_alert_40
T05 T07 test_weak_suites_get_alert_40
T09 test_plain_http_is_told_that_this_is_https, test_nobody_is_called_before_the_handshake_is_over
T11 test_empty_records_are_bounded, test_floods_of_records_that_say_nothing_end_the_connection
T13 test_garbage_is_closed, test_what_no_client_says_is_refused_at_once
T15 test_handshake_has_a_deadline, test_bytes_that_trickle_in_do_not_put_off_the_deadline,
    test_those_who_begin_and_say_no_more_cost_little
T17 test_a_hello_in_single_bytes, test_a_hello_in_records_of_one_byte, U TLSExchangeTests flights, singleBytes
T19 test_certificate_follows_the_name, test_unknown_names_are_refused_where_that_is_set
T21 test_odd_names_are_no_names, test_a_list_of_names_that_can_be_read_in_two_ways_is_refused, U ClientHelloTests
T23 test_client_without_a_common_protocol_gets_alert_120
T25 test_no_protocol_is_agreed_on_that_is_not_set, test_neither_compression_nor_heartbeats_are_agreed_on,
    test_renegotiation_is_refused, U HostilePeerTests renegotiation
T27 U HostilePeerTests fewKeyUpdates, keyUpdates, keyUpdatesWithData
T29 U HostilePeerTests earlyData
T31 test_bad_upstreams_get_nothing, test_names_with_a_nul_match_nothing,
    test_names_of_an_upstream_that_only_look_alike_match_nothing, U CertificateNamesTests
T33 test_upstream_that_speaks_plain_first_gives_nothing_to_the_client
T35 test_corrupt_record_ends_that_connection_only, U HostilePeerTests records
T37 test_nothing_leaks_when_clients_leave_in_every_phase, test_nothing_stays_of_clients_that_leave_behind_any_message
T39 test_tls_rotation.py, test_tls_trust.py, U TLSMaterialTests failures
T41 U TLSMaterialTests expiry
T43 U TLSSessionTests, TLSExchangeTests endings
T45 scripts/tls-scan
"""
import re
import socket
import ssl
import struct
import time

import pytest

from certificates import authority
from test_tls import (  # noqa: F401
    alert_of, begins, connect, context, ends, fetch, files, names, plain_get, raw_exchange, secure)

GROUPS = b"\x00\x0a\x00\x04\x00\x02\x00\x17\x00\x0d\x00\x06\x00\x04\x04\x03\x08\x04"


def record(kind, body, version=0x0301):
    return struct.pack(">BHH", kind, version, len(body)) + body


def extension(kind, body):
    return struct.pack(">HH", kind, len(body)) + body


def hello(extensions=GROUPS, suites=(0xC02B,), compression=b"\x00", version=0x0303, session=b""):
    """A first message of TLS 1.2, to which the server answers in the clear."""
    body = struct.pack(">H", version) + bytes(range(32)) + bytes([len(session)]) + session
    body += struct.pack(">H", 2 * len(suites)) + b"".join(struct.pack(">H", s) for s in suites)
    body += bytes([len(compression)]) + compression + struct.pack(">H", len(extensions)) + extensions
    return record(22, b"\x01" + struct.pack(">I", len(body))[1:] + body)


def server_name(*names, kind=0):
    entries = b"".join(bytes([kind]) + struct.pack(">H", len(name)) + name for name in names)
    return extension(0, struct.pack(">H", len(entries)) + entries)


def answered(address, sent):
    """What the server says first to a message, until it waits for more or closes."""
    with socket.create_connection(address, timeout=5) as plain:
        plain.sendall(sent)
        received = b""
        try:
            # ServerHelloDone, or an alert, or the end.
            while not received.endswith(b"\x0e\x00\x00\x00") and alert_of(received) is None:
                part = plain.recv(65536)
                if not part:
                    break
                received += part
        except ConnectionError:
            pass
        return received


def server_hello(received):
    """The compression and the extensions' numbers of the server's first message."""
    kind, _, length = struct.unpack(">BHH", received[:5])
    assert kind == 22 and received[5] == 2, received[:16].hex()
    at = 5 + 4 + 2 + 32
    at += 1 + received[at]
    compression, at = received[at + 2], at + 3
    end, kinds = at + 2 + struct.unpack(">H", received[at:at + 2])[0], []
    at += 2
    while at < end:
        kind, size = struct.unpack(">HH", received[at:at + 4])
        kinds.append(kind)
        at += 4 + size
    return compression, kinds


def serves(proxy):
    with connect(proxy.address()) as client:
        return fetch(client).startswith(b"HTTP/1.1 200 ")


# MARK: What must be refused at once

WARNING = record(21, b"\x01\x5a")
MESSAGES = {
    "record above the limit": (b"\x16\x03\x01\xff\xff", 22),
    "message of 16 MiB": (record(22, b"\x01\xff\xff\xff" + bytes(200)), 47),
    "messages of 16 MiB in pieces": (record(22, b"\x01\x0f\xff\xff") + record(22, bytes(16000)) * 40, 47),
    "data before the handshake": (record(23, b"hello"), 10),
    "heartbeat before the handshake": (record(24, b"\x01\x40\x00"), 10),
    "unknown kind of record": (record(99, b"hello"), 10),
    "flood of warnings": (WARNING * 1000, 10),
    "empty records": (record(22, b"") * 1000, 10),
    "a message that no client sends first": (record(22, b"\x02\x00\x00\x04abcd"), 10),
    "no suite": (hello(suites=()), 47, "tls.no_shared_cipher"),
    "half of a suite": (hello().replace(b"\x00\x02\xc0\x2b", b"\x00\x01\xc0\x2b"), 50),
    "no compression to choose from": (hello(compression=b""), 50),
    "only real compression": (hello(compression=b"\x01"), 50),
    "the same extension twice": (hello(GROUPS + extension(23, b"") * 2), 47),
    "lengths that do not fit": (hello(GROUPS + b"\x00\x17\x00\x09"), 50),
    "long session": (hello(session=bytes(33)), 50),
    "no groups in common": (hello(b"\x00\x0a\x00\x04\x00\x02\x00\x01" + GROUPS[8:]), 40, "tls.no_shared_cipher"),
}


@pytest.mark.parametrize("case", MESSAGES)
def test_what_no_client_says_is_refused_at_once(ends, case):
    sent, alert, reason = (*MESSAGES[case], "tls.handshake_failed")[:3]
    proxy = ends()
    begin = time.monotonic()
    assert alert_of(raw_exchange(proxy.address(), sent)) == alert
    assert time.monotonic() - begin < 3, "it was not the deadline"
    line = proxy.wait_log("handshake with a client failed")
    assert line["reason"] == reason and line["error"]
    assert serves(proxy)


# MARK: What is never agreed on

def test_neither_compression_nor_heartbeats_are_agreed_on(ends):
    offered = GROUPS + extension(15, b"\x01") + extension(0x3374, b"") + extension(0xFF01, b"\x00")
    compression, kinds = server_hello(answered(ends().address(), hello(offered, compression=b"\x01\x00")))
    assert compression == 0 and 15 not in kinds and 0x3374 not in kinds


@pytest.mark.parametrize("suite, alpn, alert", [
    (0xC02B, b"\x02h3", 120), (0xC009, b"\x02h3", 40), (0xC02B, b"\x08http/1.0", 120), (0xC02B, b"", 50),
    (0xC02B, b"\x00", 50), (0xC02B, b"\x09http/1.1", 50),
])
def test_no_protocol_is_agreed_on_that_is_not_set(ends, suite, alpn, alert):
    offered = extension(16, struct.pack(">H", len(alpn)) + alpn)
    assert alert_of(answered(ends().address(), hello(GROUPS + offered, (suite,)))) == alert


# MARK: Names

LABEL = b"a" * 63
LOCAL, UNKNOWN, MALFORMED = "localhost", 112, 50
# What a client that asks for a name gets: a certificate, or an alert.
NAMES = {
    b"b.test": "b.test", b"B.TEST": "b.test", b"b.test.": "b.test", b"x.wide.test": "*.wide.test",
    b"_x.wide.test": "*.wide.test", LABEL + b".wide.test": "*.wide.test", b".".join([LABEL] * 3 + [b"a" * 61]): LOCAL,
    b"127.0.0.1": LOCAL, b"::1": LOCAL, b"b.test/../x": LOCAL, b"b.test\r\nx: y": LOCAL, b"b.t\xc3\xbcst": LOCAL,
    b"*.wide.test": LOCAL, b"b.test..": LOCAL, b".": LOCAL, b"b test": LOCAL, LABEL + b"a.wide.test": LOCAL,
    b".wide.test": LOCAL, b"": LOCAL, b"b.test\0": UNKNOWN, b"\0": UNKNOWN, b"b.test\0.evil.test": UNKNOWN,
    b"a" * 256: UNKNOWN, b"a." * 200 + b"b.test": UNKNOWN,
    b"a." * 8000 + b"b.test": UNKNOWN,
}


@pytest.mark.parametrize("unknown", ["serve", "refuse"])
def test_odd_names_are_no_names(names, unknown):
    proxy = names(unknown_names=unknown)
    for name, expected in NAMES.items():
        got = answered(proxy.address(), hello(GROUPS + server_name(name)))
        if expected == LOCAL and unknown == "refuse":
            expected = UNKNOWN
        if expected == UNKNOWN:
            assert alert_of(got) == UNKNOWN, name
        else:
            assert [host for host in ("b.test", "*.wide.test", LOCAL) if host.encode() in got] == [expected], name
    # In the log there are names of hosts only.
    logged = [entry["server_name"] for entry in proxy.log if "server_name" in entry]
    assert all(re.fullmatch(r"[a-z0-9_.-]{1,253}", name) for name in logged)


@pytest.mark.parametrize("asked", [
    server_name(b"b.test", b"a.test"), server_name(b"b.test", kind=1), extension(0, b""), extension(0, b"\0\0"),
    extension(0, b"\0\5\0\0\x09b."), server_name(b"b.test") + server_name(b"b.test"),
], ids=["two names", "another kind", "empty", "empty list", "too short", "twice"])
def test_a_list_of_names_that_can_be_read_in_two_ways_is_refused(names, asked):
    assert alert_of(answered(names().address(), hello(GROUPS + asked))) in (47, MALFORMED)


@pytest.mark.parametrize("pair, asked", [
    (lambda: authority().issue("a.test."), "a.test"),
    (lambda: authority().issue(raw_names=b"b\xc3\xbccher.test"), "xn--bcher-kva.test"),
    (lambda: authority().issue("*.test."), "a.test"), (lambda: authority().issue("xn--*.test"), "xn--bcher-kva.test"),
    (lambda: authority().issue("*.a.test"), "a.test"), (lambda: authority().issue("*.a.test"), "x.y.a.test"),
    (lambda: authority().issue("a.test@b.test", common="a.test"), "a.test"),
    (lambda: authority().issue("https://a.test", common="a.test"), "a.test"),
    (lambda: authority().issue("*.*.test"), "x.a.test"), (lambda: authority().issue("*"), "localhost"),
], ids=["dot at the end", "UTF-8", "wildcard with a dot", "wildcard in an A-label", "apex", "two labels",
        "mail address", "URI", "two wildcards", "bare wildcard"])
def test_names_of_an_upstream_that_only_look_alike_match_nothing(begins, secure, files, pair, asked):
    one = secure(pair())
    proxy = begins(one.endpoint, ca=str(files / "ca.pem"), server_name=asked)
    assert plain_get(proxy).startswith(b"HTTP/1.1 503 ")
    proxy.wait_log("handshake with an upstream failed", reason="tls.wrong_name")


# MARK: Floods, and those who stop

class Raw:
    """A client whose bytes the test sends itself."""

    def __init__(self, address, version=None):
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context(version).wrap_bio(self.incoming, self.outgoing, server_hostname="a.test")
        self.socket = socket.create_connection(address, timeout=10)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def flight(self):
        """The next bytes of the handshake, not sent yet; none where it is over."""
        try:
            self.tls.do_handshake()
        except ssl.SSLWantReadError:
            pass
        return self.outgoing.read()

    def hear(self):
        data = self.socket.recv(65536)
        self.incoming.write(data)
        return data

    def open(self):
        self.socket.sendall(self.flight())
        while True:
            try:
                self.tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                self.socket.sendall(self.outgoing.read())
                self.hear()
        self.socket.sendall(self.outgoing.read())

    def ends(self):
        """Reads to the end of the connection."""
        try:
            while self.socket.recv(65536):
                pass
        except ConnectionError:
            pass


CHANGE = record(20, b"\x01", 0x0303)


@pytest.mark.parametrize("flood", [
    CHANGE, record(21, b"\x01\x5a", 0x0303), record(21, b"\x01\x00", 0x0303), record(22, b"", 0x0303),
], ids=["changes of cipher", "warnings", "ends", "empty records"])
@pytest.mark.parametrize("phase", ["behind the first message", "on an open connection"])
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_floods_of_records_that_say_nothing_end_the_connection(ends, flood, phase, version):
    proxy = ends(handshake_timeout="1m")
    with Raw(proxy.address(), version) as client:
        if phase == "on an open connection":
            client.open()
        else:
            client.socket.sendall(client.flight())
        try:
            client.socket.sendall(flood * 2000)
        except ConnectionError:
            pass
        client.ends()
    assert serves(proxy)


def test_bytes_that_trickle_in_do_not_put_off_the_deadline(ends):
    proxy = ends(handshake_timeout="400ms")
    begin = time.monotonic()
    with socket.create_connection(proxy.address(), timeout=5) as client:
        for byte in hello():
            try:
                client.sendall(bytes([byte]))
            except ConnectionError:
                break
            client.settimeout(0.02)
            try:
                if not client.recv(1000):
                    break
            except TimeoutError:
                continue
            except ConnectionError:
                break
    assert 0.3 < time.monotonic() - begin < 2
    proxy.wait_log("handshake with a client failed", reason="tls.handshake_timeout")


def test_those_who_begin_and_say_no_more_cost_little(ends):
    proxy = ends(handshake_timeout="1m")
    assert serves(proxy)
    before, held = proxy.heap(), []
    try:
        for _ in range(100):
            held.append(socket.create_connection(proxy.address(), timeout=5))
            held[-1].sendall(hello()[:11])
        proxy.wait_fds(lambda count: count >= 100)
        assert serves(proxy)
        assert (proxy.heap() - before) / len(held) <= 64
    finally:
        for client in held:
            client.close()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_nothing_stays_of_clients_that_leave_behind_any_message(ends, version):
    proxy = ends(access_log="off")
    assert serves(proxy)
    fds = proxy.fds()

    def leave(number):
        with Raw(proxy.address(), version) as client:
            client.socket.sendall(client.flight())
            client.hear()
            rest = client.flight()
            client.socket.sendall(rest[:number % (len(rest) + 1)] if number % 4 else rest)
            if number % 4 == 0:
                client.hear()
                client.socket.sendall(record(23, bytes(100), 0x0303)[:number % 106])
            if number % 2:
                client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    sizes = []
    for _ in range(3):
        for number in range(150):
            leave(number)
        proxy.wait_fds(lambda count: count <= fds + 1)
        sizes.append(proxy.heap())
    assert sizes[2] - sizes[1] < 256, f"KiB after each round: {sizes}"
    assert serves(proxy)
