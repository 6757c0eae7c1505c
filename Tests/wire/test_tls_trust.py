"""Authorities, lists of revocations and our own certificate, changed while the proxy runs (T39)."""
import socket
import ssl
import threading

import pytest

from certificates import Authority, authority, server
from test_tls import (  # noqa: F401
    SecureOrigin, client_pair, config, connect, context, fetch, files, plain_get, refused, secure, settings)
from test_tls_rotation import BROKEN, REFUSED, TAKEN, replace


@pytest.fixture
def mutual(sluice, origin, files):
    def start(**more):
        return sluice(config(settings(files, ca=str(files / "ca.pem"), **more), origin().endpoint))
    return start


def test_clients_of_a_new_authority_are_served_and_those_of_the_old_one_no_more(mutual, files, tmp_path):
    proxy, other = mutual(), Authority("next")
    old, new = client_pair(), other.issue("spiffe://example.org/web", usage="client")

    def served():
        return [not refused(proxy.address(), tmp_path, pair) for pair in (old, new)]

    assert served() == [True, False]
    for data, expected in ((authority().pem + other.pem, [True, True]), (other.pem, [False, True])):
        since = proxy.mark()
        replace(files / "ca.pem", data)
        proxy.wait_log(TAKEN, since=since)
        assert served() == expected


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_client_that_has_been_revoked_is_refused_even_with_an_earlier_session(mutual, files, tmp_path, version):
    replace(files / "crl.pem", authority().revoke())
    proxy, pair = mutual(crl=str(files / "crl.pem")), client_pair()
    made = context(version, pair=pair, folder=tmp_path)

    def again(session):
        plain = socket.create_connection(proxy.address(), timeout=10)
        return made.wrap_socket(plain, server_hostname="a.test", session=session)

    with connect(proxy.address(), context=made) as client:
        fetch(client)
        session = client.session
    with again(session) as client:
        fetch(client)
        assert client.session_reused
    since = proxy.mark()
    replace(files / "crl.pem", authority().revoke(pair))
    proxy.wait_log(TAKEN, since=since)
    with pytest.raises((ssl.SSLError, ConnectionError)):
        with again(session) as client:
            assert not fetch(client)
            raise ConnectionResetError
    proxy.wait_log("handshake with a client failed", reason="tls.certificate_revoked")


@pytest.mark.parametrize("name, data, message", [
    ("ca.pem", b"", "is empty"), ("ca.pem", BROKEN, "cannot be read"), ("crl.pem", b"nothing", "has no list of"),
    ("crl.pem", None, "No such file"),
])
def test_bad_authorities_and_revocations_leave_the_old_ones(mutual, files, tmp_path, name, data, message):
    revoked = client_pair()
    replace(files / "crl.pem", authority().revoke(revoked))
    proxy = mutual(crl=str(files / "crl.pem"))
    since = proxy.mark()
    (files / name).write_bytes(data) if data is not None else (files / name).unlink()
    line = proxy.wait_log(REFUSED, since=since, setting=name.partition(".")[0])
    assert message in line["error"]
    assert not refused(proxy.address(), tmp_path, client_pair())
    assert refused(proxy.address(), tmp_path, revoked)


# MARK: Towards upstreams

@pytest.fixture
def begins(sluice, files):
    def start(endpoint, **tls):
        upstream = {"max_requests_per_connection": 1, "chain": [{"tls": {"ca": str(files / "ca.pem"), **tls}}]}
        return sluice({"workers": 1, "log": {"level": "debug"},
                       "listeners": {"inbound": {"bind": "127.0.0.1:0", "chain": ["http", {"router": {"to": "app"}}]}},
                       "clusters": {"app": {"endpoints": [endpoint], **upstream}}})
    return start


def test_upstreams_are_verified_by_the_new_authority(begins, secure, files):
    other = Authority("next")
    proxy = begins(secure(other.issue("127.0.0.1")).endpoint)
    assert plain_get(proxy).startswith(b"HTTP/1.1 503 ")
    for data, status in ((other.pem, b"200"), (authority().pem, b"503")):
        since = proxy.mark()
        replace(files / "ca.pem", data)
        proxy.wait_log(TAKEN, since=since)
        assert plain_get(proxy).startswith(b"HTTP/1.1 " + status)


def test_a_new_certificate_of_our_own_is_shown(begins, secure, files):
    client_pair("spiffe://example.org/old").write(files, "own")
    one = secure(ca=authority().pem)
    proxy = begins(one.endpoint, certificate=str(files / "own.crt"), key=str(files / "own.key"))
    assert plain_get(proxy).endswith(b"secret")
    since = proxy.mark()
    client_pair("spiffe://example.org/new").write(files, "own")
    proxy.wait_log(TAKEN, since=since)
    assert plain_get(proxy).endswith(b"secret")
    assert [dict(peer["subjectAltName"])["URI"] for peer in one.peers] == \
        ["spiffe://example.org/old", "spiffe://example.org/new"]


class LateTickets(SecureOrigin):
    """Keeps its session tickets and its first answer back until it is told to let go."""

    def __init__(self, *args, **how):
        self.release, self.waiting = threading.Event(), threading.Event()
        super().__init__(*args, **how)

    def _serve(self, raw):
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        one = self.context.wrap_bio(incoming, outgoing, server_side=True)

        def step(call):
            while True:
                try:
                    return call()
                except ssl.SSLWantReadError:
                    raw.sendall(outgoing.read())
                    data = raw.recv(65536)
                    if not data:
                        raise ConnectionResetError
                    incoming.write(data)
        try:
            step(one.do_handshake)
            self.reused.append(one.session_reused)
            tickets = outgoing.read()
            step(lambda: one.read(65536))
            self.waiting.set()
            self.release.wait(20)
            one.write(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret")
            raw.sendall(tickets + outgoing.read())
        except (OSError, ssl.SSLError) as error:
            self.errors.append(error)
        finally:
            raw.close()


def test_tickets_of_a_connection_from_before_do_not_outlive_the_trust_in_it(begins, files, tmp_path):
    one = LateTickets(server(), tmp_path)
    proxy = begins(one.endpoint)
    first = []
    early = threading.Thread(target=lambda: first.append(plain_get(proxy)))
    early.start()
    try:
        assert one.waiting.wait(5)
        since = proxy.mark()
        replace(files / "ca.pem", Authority("next").pem)
        proxy.wait_log(TAKEN, since=since)
        assert plain_get(proxy).startswith(b"HTTP/1.1 503 ")
        one.release.set()
        early.join(5)
        assert first[0].endswith(b"secret"), "what has begun goes on"
        assert plain_get(proxy).startswith(b"HTTP/1.1 503 ")
        assert one.reused == [False]
    finally:
        one.release.set()
        one.stop()
