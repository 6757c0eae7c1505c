"""TLS from clients and towards upstreams: what is agreed on, what is refused, and what is told of it."""
import contextlib
import os
import re
import socket
import ssl
import struct
import subprocess
import threading

import pytest

from certificates import Authority, authority, server
from client import Client
from configs import cluster
from flow import wait_until
from origin import OK, answer

GET = b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n"


@pytest.fixture
def files(tmp_path):
    """A folder with the authority, the usual pair, and a way to write more."""
    (tmp_path / "ca.pem").write_bytes(authority().pem)
    server().write(tmp_path, "server")
    return tmp_path


def settings(files, **more):
    return {"certificate": str(files / "server.crt"), "key": str(files / "server.key"), **more}


def listener(tls, to="app", chain=None):
    return {"bind": "127.0.0.1:0", "chain": [{"tls": tls}, *(chain or ["http", {"router": {"to": to}}])]}


def config(tls, *endpoints, upstream=None, chain=None, **top):
    return {"workers": 1, "log": {"level": "debug"}, "listeners": {"inbound": listener(tls, chain=chain)},
            "clusters": {"app": cluster(*endpoints, **(upstream or {}))}, **top}


def context(version=None, pair=None, folder=None, ca=None, alpn=None):
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.load_verify_locations(cadata=(ca or authority().pem).decode())
    if version:
        made.minimum_version = made.maximum_version = version
    if pair:
        made.load_cert_chain(*pair.write(folder, "shown"))
    if alpn:
        made.set_alpn_protocols(alpn)
    return made


def connect(address, name="a.test", **how):
    made = how.pop("context", None) or context(**how)
    raw = socket.create_connection(address, timeout=10)
    return made.wrap_socket(raw, server_hostname=name)


def fetch(connection, request=GET):
    connection.sendall(request)
    data = b""
    while b"\r\n\r\n" not in data:
        part = connection.recv(65536)
        if not part:
            return data
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    length = int(re.search(rb"content-length: (\d+)", head, re.I)[1])
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def raw_exchange(address, sent, seconds=5):
    """Sends bytes, and reads to the end of the connection."""
    with socket.create_connection(address, timeout=seconds) as plain:
        plain.sendall(sent)
        received = b""
        try:
            while part := plain.recv(65536):
                received += part
        except ConnectionError:
            pass
        return received


def alert_of(received):
    """The number of the alert that ends what came."""
    at = 0
    found = None
    while at + 5 <= len(received):
        kind, _, length = struct.unpack(">BHH", received[at:at + 5])
        if kind == 21 and length == 2:
            found = received[at + 6]
        at += 5 + length
    return found


@pytest.fixture
def ends(sluice, origin, files):
    """`ends(**tls settings)` gives a proxy that ends TLS in front of an origin."""
    def start(script=None, chain=None, access_log="stdout", **more):
        one = origin(script) if script else origin()
        return sluice(config(settings(files, **more), one.endpoint, chain=chain, access_log=access_log))
    return start


# MARK: What is agreed on

@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_request_over_each_version(ends, version):
    with connect(ends().address(), version=version) as client:
        assert fetch(client).startswith(b"HTTP/1.1 200 ")
        assert client.version() == ("TLSv1.2" if version == ssl.TLSVersion.TLSv1_2 else "TLSv1.3")
        assert "GCM" in client.cipher()[0] or "POLY1305" in client.cipher()[0]
        assert fetch(client).startswith(b"HTTP/1.1 200 "), "the connection is kept"


def test_large_bodies_pass_unchanged_both_ways(ends):
    body = os.urandom(3 << 20)

    def echo(peer):
        request = peer.read_request()
        peer.send(answer(request.body))

    proxy = ends(echo)
    with connect(proxy.address()) as client:
        got = fetch(client, b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        assert got.partition(b"\r\n\r\n")[2] == body


def test_protocol_is_agreed_on(ends):
    proxy = ends(alpn=["http/1.1", "other"])
    with connect(proxy.address(), alpn=["h2", "other", "http/1.1"]) as client:
        assert client.selected_alpn_protocol() == "http/1.1"


def test_client_without_a_common_protocol_gets_alert_120(ends):
    proxy = ends()
    with pytest.raises(ssl.SSLError) as caught:
        connect(proxy.address(), alpn=["zorg"])
    assert "no application protocol" in str(caught.value)
    proxy.wait_log("handshake with a client failed", reason="tls.no_application_protocol")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_sessions_are_taken_up_again_by_every_worker_and_after_a_reload(sluice, origin, files, version):
    one = origin()
    text = {**config(settings(files), one.endpoint), "workers": 2}
    proxy = sluice(text)
    made = context(version)
    with connect(proxy.address(), context=made) as first:
        fetch(first)
        session = first.session
        assert not first.session_reused
    for _ in range(6):
        with made.wrap_socket(socket.create_connection(proxy.address(), timeout=10), server_hostname="a.test",
                              session=session) as again:
            fetch(again)
            assert again.session_reused
    text["listeners"]["inbound"]["chain"].insert(2, "count")
    proxy.reload(text)
    with made.wrap_socket(socket.create_connection(proxy.address(), timeout=10), server_hostname="a.test",
                          session=session) as again:
        assert again.session_reused


def test_each_connection_that_takes_a_session_up_gets_the_ticket_for_the_next(ends):
    """Clients use a ticket of TLS 1.3 once (RFC 8446 appendix C.4)."""
    proxy, made, seen, session = ends(), context(ssl.TLSVersion.TLSv1_3), set(), None
    for number in range(5):
        with made.wrap_socket(socket.create_connection(proxy.address(), timeout=10), server_hostname="a.test",
                              session=session) as one:
            fetch(one)
            assert one.session_reused == (number > 0)
            session = one.session
            seen.add(session.id)
    assert len(seen) == 5


def test_no_session_is_taken_up_where_that_is_off(ends):
    proxy = ends(session_resumption=False)
    made = context(ssl.TLSVersion.TLSv1_3)
    with connect(proxy.address(), context=made) as first:
        fetch(first)
        assert first.session is None or not first.session.has_ticket


def test_a_hello_in_single_bytes(ends):
    proxy = ends()
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context().wrap_bio(incoming, outgoing, server_hostname="a.test")
    with socket.create_connection(proxy.address(), timeout=10) as plain:
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        def step(call):
            while True:
                try:
                    result = call()
                    for byte in outgoing.read():
                        plain.sendall(bytes([byte]))
                    return result
                except ssl.SSLWantReadError:
                    for byte in outgoing.read():
                        plain.sendall(bytes([byte]))
                    incoming.write(plain.recv(65536))

        step(client.do_handshake)
        step(lambda: client.write(GET))
        assert step(lambda: client.read(65536)).startswith(b"HTTP/1.1 200 ")


def test_a_hello_in_records_of_one_byte(ends):
    proxy = ends()
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context().wrap_bio(incoming, outgoing, server_hostname="a.test")
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    hello = outgoing.read()[5:]
    cut = b"".join(b"\x16\x03\x01\x00\x01" + bytes([byte]) for byte in hello)
    with socket.create_connection(proxy.address(), timeout=10) as plain:
        plain.sendall(cut)
        incoming.write(plain.recv(65536))
        while True:
            try:
                client.do_handshake()
                break
            except ssl.SSLWantReadError:
                incoming.write(plain.recv(65536))


# MARK: Certificates and names

def certificate_of(address, name, **how):
    made = context(**how)
    made.check_hostname = False
    with connect(address, name, context=made) as client:
        names = dict(client.getpeercert())["subjectAltName"]
        return [value for kind, value in names if kind == "DNS"]


@pytest.fixture
def names(sluice, origin, files):
    def start(**more):
        for host in ("b.test", "*.wide.test"):
            authority().issue(host).write(files, host.replace("*", "any"))
        extra = [{"certificate": str(files / f"{n}.crt"), "key": str(files / f"{n}.key")}
                 for n in ("b.test", "any.wide.test")]
        return sluice(config(settings(files, certificates=extra, **more), origin().endpoint))
    return start


@pytest.mark.parametrize("asked, got", [
    ("b.test", "b.test"), ("B.TEST", "b.test"), ("x.wide.test", "*.wide.test"), ("a.test", "localhost"),
    ("x.y.wide.test", "localhost"), ("wide.test", "localhost"), ("unknown.test", "localhost"), (None, "localhost"),
])
def test_certificate_follows_the_name(names, asked, got):
    assert certificate_of(names().address(), asked)[0] == got


@pytest.mark.parametrize("asked", ["unknown.test", "x.y.wide.test", None])
def test_unknown_names_are_refused_where_that_is_set(names, asked):
    proxy = names(unknown_names="refuse")
    assert certificate_of(proxy.address(), "b.test") == ["b.test"]
    with pytest.raises(ssl.SSLError) as caught:
        certificate_of(proxy.address(), asked)
    assert "UNRECOGNIZED_NAME" in str(caught.value).upper()
    proxy.wait_log("handshake with a client failed", reason="tls.unknown_name")


def test_rsa_and_ecdsa_side_by_side(sluice, origin, files):
    authority().issue("localhost", "127.0.0.1", "a.test", "*.wild.test", kind="rsa").write(files, "rsa")
    extra = [{"certificate": str(files / "rsa.crt"), "key": str(files / "rsa.key")}]
    proxy = sluice(config(settings(files, certificates=extra), origin().endpoint))
    for ciphers, kind in (("ECDHE-ECDSA-AES128-GCM-SHA256", "ECDSA"), ("ECDHE-RSA-AES128-GCM-SHA256", "RSA")):
        made = context(ssl.TLSVersion.TLSv1_2)
        made.set_ciphers(ciphers)
        with connect(proxy.address(), context=made) as client:
            assert kind in client.cipher()[0]


@pytest.mark.parametrize("offered, chosen", [
    ("ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-GCM-SHA256", "AES128-GCM"),
    ("ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-GCM-SHA256", "CHACHA20"),
])
def test_our_order_of_suites_counts_except_for_those_without_aes(ends, offered, chosen):
    asking = context(ssl.TLSVersion.TLSv1_2)
    asking.set_ciphers(offered)
    with connect(ends().address(), context=asking) as client:
        assert chosen in client.cipher()[0]


def test_encrypted_key(sluice, origin, files):
    server().write(files, "sealed", passphrase=b"open sesame")
    (files / "words").write_text("open sesame\n")
    tls = {"certificate": str(files / "sealed.crt"), "key": str(files / "sealed.key"),
           "passphrase_file": str(files / "words")}
    with connect(sluice(config(tls, origin().endpoint)).address()) as client:
        assert fetch(client).startswith(b"HTTP/1.1 200 ")


# MARK: What is refused

def test_plain_http_is_told_that_this_is_https(ends):
    proxy = ends()
    answered = raw_exchange(proxy.address(), GET)
    assert answered.startswith(b"HTTP/1.1 400 ") and b"HTTPS" in answered
    head, _, body = answered.partition(b"\r\n\r\n")
    assert int(re.search(rb"content-length: (\d+)", head)[1]) == len(body)
    proxy.wait_log("handshake with a client failed", reason="tls.plain_http")


@pytest.mark.parametrize("sent", [bytes(512), b"\x00garbage" * 64, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(520),
                                  b"\x80\x2e\x01\x00\x02" + bytes(44)])
def test_garbage_is_closed(ends, sent):
    proxy = ends()
    raw_exchange(proxy.address(), sent)
    with connect(proxy.address()) as client:
        assert fetch(client).startswith(b"HTTP/1.1 200 ")


def hello_of(version=0x0303, suites=(0x1301,), extensions=b""):
    body = struct.pack(">H", version) + bytes(32) + b"\x00"
    body += struct.pack(">H", 2 * len(suites)) + b"".join(struct.pack(">H", s) for s in suites) + b"\x01\x00"
    if extensions:
        body += struct.pack(">H", len(extensions)) + extensions
    message = b"\x01" + struct.pack(">I", len(body))[1:] + body
    return b"\x16\x03\x01" + struct.pack(">H", len(message)) + message


def test_old_version_gets_alert_70(ends):
    proxy = ends()
    assert alert_of(raw_exchange(proxy.address(), hello_of(0x0301, (0xC013, 0x002F)))) == 70
    proxy.wait_log("handshake with a client failed", reason="tls.version")


@pytest.mark.parametrize("suites", [
    (0x002F, 0x0035, 0x009C), (0x0001, 0x0002), (0x0034, 0x006C), (0x0003, 0x0008), (0x0004, 0x0005, 0xC011),
    (0x000A, 0xC012, 0xC008), (0x0033, 0x0039), (0xC009, 0xC00A, 0xC013, 0xC014),
], ids=["RSA", "NULL", "anonymous", "EXPORT", "RC4", "3DES", "DHE", "CBC"])
def test_weak_suites_get_alert_40(ends, suites):
    groups = b"\x00\x0a\x00\x04\x00\x02\x00\x17\x00\x0d\x00\x06\x00\x04\x04\x03\x08\x04"
    proxy = ends()
    assert alert_of(raw_exchange(proxy.address(), hello_of(0x0303, suites, groups))) == 40
    proxy.wait_log("handshake with a client failed", reason="tls.no_shared_cipher")


def test_handshake_has_a_deadline(ends):
    proxy = ends(handshake_timeout="300ms")
    with socket.create_connection(proxy.address(), timeout=5) as silent:
        silent.sendall(hello_of()[:11])
        assert silent.recv(100) == b""
    proxy.wait_log("handshake with a client failed", reason="tls.handshake_timeout")


def test_empty_records_are_bounded(ends):
    proxy = ends()
    raw_exchange(proxy.address(), b"\x16\x03\x01\x00\x00" * 200)


def test_corrupt_record_ends_that_connection_only(ends):
    proxy = ends()
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context().wrap_bio(incoming, outgoing, server_hostname="a.test")
    with connect(proxy.address()) as other, socket.create_connection(proxy.address(), timeout=10) as plain:
        while True:
            try:
                client.do_handshake()
                break
            except ssl.SSLWantReadError:
                plain.sendall(outgoing.read())
                incoming.write(plain.recv(65536))
        plain.sendall(outgoing.read())
        client.write(GET)
        sealed = bytearray(outgoing.read())
        sealed[-1] ^= 1
        plain.sendall(sealed)
        received = b""
        while part := plain.recv(65536):
            received += part
        incoming.write(received)
        with pytest.raises(ssl.SSLError) as caught:
            client.read(65536)
        assert "BAD_RECORD_MAC" in str(caught.value).upper()
        assert fetch(other).startswith(b"HTTP/1.1 200 ")
    proxy.wait_log("TLS with a client broke", reason="tls.bad_record")


def test_renegotiation_is_refused(ends):
    proxy = ends()
    host, port = proxy.address()
    done = subprocess.run(["openssl", "s_client", "-connect", f"{host}:{port}", "-tls1_2", "-legacy_renegotiation"],
                          input=b"R\n" + GET, capture_output=True, timeout=20)
    assert b"RENEGOTIATING" in done.stdout + done.stderr
    assert b"200 OK" not in done.stdout


def test_end_without_notice_is_counted_and_harmless(ends):
    proxy = ends()
    client = connect(proxy.address())
    fetch(client)
    os.close(client.detach())
    proxy.wait_log("TLS with a client broke", reason="tls.closed_without_notify")


def test_the_proxy_gives_notice_when_it_closes(ends):
    proxy = ends()
    with connect(proxy.address()) as client:
        client.sendall(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        data = b""
        while part := client.recv(65536):
            data += part
        # Without a close_notify Python's ssl would have raised an error instead.
        assert data.startswith(b"HTTP/1.1 200 ")


def test_nothing_leaks_when_clients_leave_in_every_phase(ends):
    proxy = ends(access_log="off")
    with connect(proxy.address()) as client:
        fetch(client)
    before = proxy.fds()
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context().wrap_bio(incoming, outgoing, server_hostname="a.test")
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    hello = outgoing.read()
    for round in range(300):
        with socket.create_connection(proxy.address(), timeout=5) as plain:
            plain.sendall(hello[:round % len(hello)] if round % 3 else hello)
            if round % 2:
                plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    proxy.wait_fds(lambda count: count <= before + 1)
    with connect(proxy.address()) as client:
        assert fetch(client).startswith(b"HTTP/1.1 200 ")


# MARK: Clients' certificates

@pytest.fixture
def mutual(sluice, origin, files):
    def start(**more):
        tls = settings(files, ca=str(files / "ca.pem"), **more)
        log = {"to": "stdout", "format": "%RESPONSE_CODE%"}
        return sluice(config(tls, origin().endpoint, access_log=log))
    return start


def client_pair(*names, **how):
    return authority().issue(*(names or ("spiffe://example.org/web",)), common="web", usage="client", **how)


def refused(address, tmp_path, pair):
    """Whether a client with this pair is turned away; in TLS 1.3 it learns with the first read."""
    try:
        with connect(address, pair=pair, folder=tmp_path) as client:
            return not fetch(client)
    except (ssl.SSLError, ConnectionError):
        return True


def test_client_with_a_certificate_is_served(mutual, tmp_path):
    with connect(mutual().address(), pair=client_pair(), folder=tmp_path) as client:
        assert fetch(client).startswith(b"HTTP/1.1 200 ")


def test_client_without_a_certificate_is_refused_unless_it_is_optional(mutual, tmp_path):
    proxy = mutual()
    assert refused(proxy.address(), tmp_path, None)
    proxy.wait_log("handshake with a client failed", reason="tls.no_client_certificate")
    with connect(mutual(client_certificates="optional").address()) as client:
        assert fetch(client).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("make, reason", [
    (lambda: Authority("other").issue("x.test", usage="client"), "tls.unknown_ca"),
    (lambda: client_pair(days=-2, start=-5), "tls.certificate_expired"),
    (lambda: client_pair(start=2), "tls.certificate_not_yet_valid"),
    (lambda: authority().issue("x.test", usage="server"), "tls.wrong_purpose"),
], ids=["unknown authority", "expired", "not yet valid", "wrong purpose"])
@pytest.mark.parametrize("asked", ["required", "optional"])
def test_bad_client_certificates_are_refused(mutual, tmp_path, make, reason, asked):
    proxy = mutual(client_certificates=asked)
    assert refused(proxy.address(), tmp_path, make())
    line = proxy.wait_log("handshake with a client failed", reason=reason)
    assert line["check"] and "CN=" in line["certificate"]


def test_revoked_client_is_refused(mutual, files, tmp_path):
    good, bad = client_pair(), client_pair()
    (files / "crl.pem").write_bytes(authority().revoke(bad))
    proxy = mutual(crl=str(files / "crl.pem"))
    assert not refused(proxy.address(), tmp_path, good)
    assert refused(proxy.address(), tmp_path, bad)
    proxy.wait_log("handshake with a client failed", reason="tls.certificate_revoked")


@pytest.mark.parametrize("names, accepted", [
    ({"uri": ["spiffe://example.org/web"]}, True), ({"uri": ["spiffe://example.org/*"]}, True),
    ({"uri": ["spiffe://example.org/other"]}, False), ({"uri": ["spiffe://example.org/web/*"]}, False),
    ({"dns": ["web.test"]}, True), ({"dns": ["*.web.test"]}, True),
    ({"dns": ["*.one.web.test"]}, False),
    ({"dns": ["other.test"], "ip": ["192.0.2.1"]}, True), ({"email": ["a@b.test"]}, False),
])
def test_client_must_have_an_accepted_name(mutual, tmp_path, names, accepted):
    proxy = mutual(accepted_names=names)
    pair = client_pair("spiffe://example.org/web", "web.test", "one.web.test", "192.0.2.1")
    assert refused(proxy.address(), tmp_path, pair) != accepted
    if not accepted:
        proxy.wait_log("handshake with a client failed", reason="tls.name_not_accepted")


def test_long_chain_is_refused(mutual, tmp_path):
    middle = Authority("middle", authority())
    pair = middle.issue("x.test", usage="client")
    assert not refused(mutual(verify_depth=1).address(), tmp_path, pair)
    assert refused(mutual(verify_depth=0).address(), tmp_path, pair)


# MARK: Towards upstreams

class SecureOrigin:
    """A server of TLS that answers each request with what it knows of the connection."""

    def __init__(self, pair, folder, before=b"", ca=None, answer=None, end_rudely=False):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(*pair.write(folder, "upstream"))
        if ca:
            self.context.load_verify_locations(cadata=ca.decode())
            self.context.verify_mode = ssl.CERT_REQUIRED
        self.names, self.reused, self.peers, self.errors = [], [], [], []
        self.context.sni_callback = lambda one, name, _: self.names.append(name)
        self.before, self.answer, self.end_rudely = before, answer, end_rudely
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.endpoint = "127.0.0.1:%d" % self.socket.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                raw, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(raw,), daemon=True).start()

    def _serve(self, raw):
        try:
            if self.before:
                raw.sendall(self.before)
            with self.context.wrap_socket(raw, server_side=True) as one:
                self.reused.append(one.session_reused)
                self.peers.append(one.getpeercert())
                while data := one.recv(65536):
                    if b"\r\n\r\n" in data:
                        one.sendall(self.answer or answer(b"secret"))
                        if self.answer:
                            if not self.end_rudely:
                                one.unwrap()
                            return
        except (OSError, ssl.SSLError) as error:
            self.errors.append(error)

    def stop(self):
        self.socket.close()


@pytest.fixture
def secure(tmp_path):
    running = []

    def start(pair=None, **how):
        running.append(SecureOrigin(pair or server(), tmp_path, **how))
        return running[-1]

    yield start
    for one in running:
        one.stop()


@pytest.fixture
def begins(sluice, files):
    """`begins(endpoint, **tls settings)` gives a proxy that begins TLS."""
    def start(endpoint, upstream=None, **tls):
        return sluice({
            "workers": 1, "log": {"level": "debug"},
            "access_log": {"to": "stdout", "format": "%RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS%"},
            "listeners": {"inbound": {"bind": "127.0.0.1:0", "chain": ["http", {"router": {"to": "app"}}]}},
            "clusters": {"app": cluster(endpoint, chain=[{"tls": tls}], **(upstream or {}))}})
    return start


def plain_get(proxy):
    with socket.create_connection(proxy.address(), timeout=10) as client:
        return fetch(client)


def test_upstream_is_asked_by_name_and_verified(begins, secure, files):
    one = secure()
    proxy = begins(one.endpoint, ca=str(files / "ca.pem"), server_name="a.test")
    assert plain_get(proxy).endswith(b"secret")
    assert one.names == ["a.test"]


def test_upstream_by_address_is_verified_by_address(begins, secure, files):
    one = secure()
    assert plain_get(begins(one.endpoint, ca=str(files / "ca.pem"))).endswith(b"secret")
    assert one.names == [None]


@pytest.mark.parametrize("make, more, reason", [
    (lambda: Authority("other").issue("127.0.0.1"), {}, "tls.unknown_ca"),
    (lambda: authority().issue("127.0.0.1", days=-1, start=-3), {}, "tls.certificate_expired"),
    (lambda: authority().issue("127.0.0.1", start=1), {}, "tls.certificate_not_yet_valid"),
    (lambda: authority().issue("127.0.0.2"), {}, "tls.wrong_name"),
    (lambda: authority().issue("127.0.0.1", usage="client"), {}, "tls.wrong_purpose"),
    (lambda: authority().issue("127.0.0.1"), {"accepted_names": {"uri": ["spiffe://a/b"]}}, "tls.name_not_accepted"),
    (lambda: authority().issue("*.com"), {"server_name": "x.com"}, "tls.wrong_name"),
    (lambda: authority().issue("*a.b.test"), {"server_name": "xa.b.test"}, "tls.wrong_name"),
    (lambda: authority().issue("a.*.test"), {"server_name": "a.b.test"}, "tls.wrong_name"),
    (lambda: authority().issue(common="a.test"), {"server_name": "a.test"}, "tls.wrong_name"),
], ids=["unknown authority", "expired", "not yet valid", "wrong address", "wrong purpose", "not accepted",
        "wildcard of a top level", "partial wildcard", "wildcard inside", "common name"])
def test_bad_upstreams_get_nothing(begins, secure, files, make, more, reason):
    one = secure(make())
    proxy = begins(one.endpoint, ca=str(files / "ca.pem"), **more)
    assert plain_get(proxy).startswith(b"HTTP/1.1 503 ")
    proxy.wait_stdout(f"^503 UF {reason}$")
    line = proxy.wait_log("handshake with an upstream failed", reason=reason, cluster="app", endpoint=one.endpoint)
    assert line["check"] and line["certificate"].startswith("CN=") and line["depth"] == "0"
    wait_until(lambda: one.errors)


def test_names_with_a_nul_match_nothing(begins, secure, files):
    one = secure(authority().issue(raw_names=b"a.test\0.evil.test"))
    assert plain_get(begins(one.endpoint, ca=str(files / "ca.pem"), server_name="a.test")).startswith(b"HTTP/1.1 503 ")


def test_revoked_upstream_gets_nothing(begins, secure, files):
    pair = authority().issue("127.0.0.1")
    (files / "crl.pem").write_bytes(authority().revoke(pair))
    proxy = begins(secure(pair).endpoint, ca=str(files / "ca.pem"), crl=str(files / "crl.pem"))
    assert plain_get(proxy).startswith(b"HTTP/1.1 503 ")
    proxy.wait_log("handshake with an upstream failed", reason="tls.certificate_revoked")


def test_system_authorities_are_the_default(begins, secure):
    proxy = begins(secure().endpoint)
    assert plain_get(proxy).startswith(b"HTTP/1.1 503 ")
    proxy.wait_log("handshake with an upstream failed", reason="tls.unknown_ca")


def test_insecure_must_be_spelled_out_and_is_loud(begins, secure):
    proxy = begins(secure(Authority("other").issue("other.test")).endpoint, insecure=True)
    assert plain_get(proxy).endswith(b"secret")
    assert proxy.wait_log("^INSECURE")["level"] == "warning"


def test_own_certificate_is_shown(begins, secure, files):
    client_pair().write(files, "own")
    one = secure(ca=authority().pem)
    proxy = begins(one.endpoint, ca=str(files / "ca.pem"), certificate=str(files / "own.crt"),
                   key=str(files / "own.key"))
    assert plain_get(proxy).endswith(b"secret")
    assert ("URI", "spiffe://example.org/web") in one.peers[0]["subjectAltName"]


def test_upstream_sessions_are_taken_up_again(begins, secure, files):
    one = secure()
    proxy = begins(one.endpoint, ca=str(files / "ca.pem"), upstream={"max_requests_per_connection": 1})
    for _ in range(3):
        assert plain_get(proxy).endswith(b"secret")
    assert one.reused[0] is False and one.reused[1:] == [True, True]


def test_upstream_that_speaks_plain_first_gives_nothing_to_the_client(begins, secure, files):
    one = secure(before=b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwrong")
    proxy = begins(one.endpoint, ca=str(files / "ca.pem"))
    got = plain_get(proxy)
    assert got.startswith(b"HTTP/1.1 503 ") and b"wrong" not in got
    proxy.wait_stdout("^503 UF tls.not_tls$")


def test_upstream_that_never_shakes_hands_is_given_up(begins, origin):
    release = threading.Event()
    one = origin(lambda peer: release.wait(20))
    proxy = begins(one.endpoint, insecure=True, upstream={"connect_timeout": "300ms"})
    try:
        assert plain_get(proxy).startswith(b"HTTP/1.1 503 ")
        proxy.wait_stdout("^503 UF upstream.connect_timeout$")
    finally:
        release.set()


def say_goodbye(peer):
    with contextlib.suppress(OSError, ssl.SSLError):
        peer.socket.unwrap()


def say_goodbye_and_reset(peer):
    peer.socket.settimeout(0)
    with contextlib.suppress(OSError, ssl.SSLError):
        peer.socket.unwrap()
    peer.reset()


@pytest.mark.parametrize("end", [say_goodbye, say_goodbye_and_reset, lambda peer: peer.close()],
                         ids=["notice", "notice and reset", "no notice"])
def test_a_request_survives_the_keep_alive_race_over_tls(begins, origin, files, end):
    """What TLS has to say when a kept connection ends is no part of an answer."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*server().write(files, "upstream"))

    def script(peer):
        peer.socket = context.wrap_socket(peer.socket, server_side=True)
        peer.read_request()
        peer.send(OK)
        peer.read_request()
        if peer.number == 0:
            return end(peer)
        peer.send(OK)

    one = origin(script)
    proxy = begins(one.endpoint, ca=str(files / "ca.pem"))
    with Client(proxy.address()) as client:
        assert [client.request(target=f"/{number}").status for number in range(3)] == [200, 200, 200]
    assert [request.target for request in one.requests] == ["/0", "/1", "/1", "/2"] and len(one.peers) == 2


def test_answer_that_ends_without_notice_is_cut_off(begins, secure, files):
    """A body that ends with the connection is complete only if the upstream says so."""
    body = b"HTTP/1.1 200 OK\r\n\r\nhalf of it"
    whole = begins(secure(answer=body).endpoint, ca=str(files / "ca.pem"))
    with socket.create_connection(whole.address(), timeout=10) as client:
        client.sendall(GET)
        data = b""
        while not data.endswith(b"0\r\n\r\n"):
            part = client.recv(65536)
            assert part, data
            data += part
    rude = begins(secure(answer=body, end_rudely=True).endpoint, ca=str(files / "ca.pem"))
    with socket.create_connection(rude.address(), timeout=10) as client:
        client.sendall(GET)
        data = b""
        try:
            while part := client.recv(65536):
                data += part
        except ConnectionError:
            pass
        assert b"half of it" in data and not data.endswith(b"0\r\n\r\n")
    rude.wait_stdout("tls.closed_without_notify")


# MARK: Bytes

def test_tls_in_front_of_bytes_both_ways(sluice, secure, files):
    one = secure()
    proxy = sluice(config(settings(files), one.endpoint, chain=[{"tcp_proxy": {"to": "app"}}],
                          upstream={"chain": [{"tls": {"ca": str(files / "ca.pem")}}]}))
    with connect(proxy.address()) as client:
        assert fetch(client).endswith(b"secret")


def test_nobody_is_called_before_the_handshake_is_over(sluice, origin, files):
    one = origin()
    proxy = sluice(config(settings(files), one.endpoint, chain=[{"tcp_proxy": {"to": "app"}}]))
    raw_exchange(proxy.address(), GET)
    raw_exchange(proxy.address(), bytes(600))
    assert not one.peers


def test_end_of_one_direction_is_passed_on(sluice, origin, files):
    def late(peer):
        while peer.fill():
            pass
        peer.send(b"after the end")

    proxy = sluice(config(settings(files), origin(late).endpoint, chain=[{"tcp_proxy": {"to": "app"}}]))
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context().wrap_bio(incoming, outgoing, server_hostname="a.test")
    with socket.create_connection(proxy.address(), timeout=10) as plain:
        def step(call):
            while True:
                try:
                    result = call()
                    plain.sendall(outgoing.read())
                    return result
                except ssl.SSLWantReadError:
                    plain.sendall(outgoing.read())
                    incoming.write(plain.recv(65536))
        step(client.do_handshake)
        with pytest.raises(ssl.SSLWantReadError):
            client.unwrap()
        plain.sendall(outgoing.read())
        assert step(lambda: client.read(100)) == b"after the end"


# MARK: Config

@pytest.mark.parametrize("change, message", [
    (lambda f: {"certificate": str(f / "none.crt")}, "No such file"),
    (lambda f: {"key": str(f / "ca.pem")}, "has no private key"),
    (lambda f: {"certificate": str(f / "empty")}, "is empty"),
    (lambda f: {"key": str(f / "other.key")}, "is not the key of"),
    (lambda f: {"certificate": str(f / "der")}, "is not PEM, it looks like DER"),
    (lambda f: {"key": str(f / "sealed.key")}, "is encrypted"),
    (lambda f: {"ca": "system"}, "need an authority of their own"),
    (lambda f: {"ciphers": "nonsense"}, "no cipher of this list"),
    (lambda f: {"server_name": "x"}, "is for clusters"),
    (lambda f: {"client_certificates": "required"}, "needs a `ca`"),
    (lambda f: {"max_version": "1.1"}, "1.2"),
    (lambda f: {"certificat": "x"}, "did you mean `certificate`"),
])
def test_bad_settings_are_refused_with_their_place(files, change, message):
    import json
    from sluice import run_cli
    (files / "empty").write_bytes(b"")
    (files / "der").write_bytes(server().certificate.public_bytes(__import__(
        "cryptography.hazmat.primitives.serialization", fromlist=["Encoding"]).Encoding.DER))
    authority().issue("x.test").write(files, "other")
    server().write(files, "sealed", passphrase=b"words")
    path = files / "sluice.yaml"
    path.write_text(json.dumps(config(settings(files, **change(files)), "127.0.0.1:9"), indent=1))
    done = run_cli("check", "-c", str(path))
    assert done.returncode == 1
    assert message in done.stdout
    assert re.search(r"sluice\.yaml:\d+:\d+", done.stdout)


def test_paths_are_relative_to_the_config_file(sluice, origin, files, tmp_path_factory):
    tls = {"certificate": "server.crt", "key": "server.key"}
    import json
    path = files / "sluice.yaml"
    path.write_text(json.dumps(config(tls, origin().endpoint)))
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    proxy = sluice(command=["run", "-c", str(path), "--log-format", "json"], started_in=str(elsewhere))
    with connect(proxy.address()) as client:
        assert fetch(client).startswith(b"HTTP/1.1 200 ")
