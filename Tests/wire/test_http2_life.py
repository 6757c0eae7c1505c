"""HTTP/2 connections in the course of their life: drained, given up, changed, and over TLS."""
import signal
import ssl
import socket
import threading

import pytest

from admin import expect_idle, stats
from certificates import authority, server
from configs import cluster, http_proxy
from flow import wait_until
from h2bank import HTTP2Bank, rows
from h2raw import *  # noqa: F403
from origin import answer, chunked

ADMIN = {"bind": "127.0.0.1:0"}


class Held:
    """A script that answers when the test says so."""

    def __init__(self, body=b"held"):
        self.let_go, self.body = threading.Event(), body

    def __call__(self, peer):
        while request := peer.read_request():
            if request.target != "/now":
                self.let_go.wait(20)
            peer.send(answer(self.body))


def test_a_drained_connection_finishes_its_streams_and_refuses_others(sluice, origin):
    """B125."""
    held = Held()
    one = origin(held)
    proxy = sluice(http_proxy(one.endpoint, workers=1))
    with H2Client(proxy.address(), patience=10) as client:
        client.send(H())
        one.wait_for(lambda o: o.requests)
        proxy.signal(signal.SIGTERM)
        client.read_until(lambda: client.goaways)
        assert client.goaway == NO_ERROR and client.goaways[0].payload[:4] == number(2**31 - 1)
        # Sent before the client could know, and served.
        assert client.ask("/now", stream=3).status == 200
        client.read_until(lambda: len(client.goaways) == 2)
        assert client.goaways[1].payload[:4] == number(3) and client.goaway == NO_ERROR
        late = client.ask("/now", stream=5)
        assert late.reset == REFUSED
        held.let_go.set()
        assert bytes(client.answer(1).body) == b"held"
        client.read_until(lambda: False)
    assert proxy.wait_exit() == 0
    assert [r.target for r in one.requests] == ["/x", "/now"]


def test_streams_of_a_client_that_says_goodbye_are_finished(sluice, origin):
    """B126."""
    held = Held()
    one = origin(held)
    proxy = sluice(http_proxy(one.endpoint, workers=1, admin=ADMIN))
    with H2Client(proxy.address()) as client:
        client.send(H() + H(3, P(p="/now")) + goaway(0, NO_ERROR))
        assert client.answer(3).status == 200
        held.let_go.set()
        assert bytes(client.answer(1).body) == b"held"
        client.read_until(lambda: False)
        assert client.ended and client.goaway in (None, NO_ERROR)
    expect_idle(proxy)


def test_a_client_that_leaves_takes_its_requests_with_it(sluice, origin):
    one = origin(lambda peer: [peer.read_head(), peer.wait_end()])
    proxy = sluice(http_proxy(one.endpoint, workers=1, admin=ADMIN))
    with H2Client(proxy.address()) as client:
        client.send(b"".join(H(i) for i in ids(10)) + b"".join(H(i, P("POST"), EH) for i in ids(10, 21)))
        one.wait_for(lambda o: len(o.peers) == 20)
    one.wait_for(lambda o: all(peer.ended for peer in o.peers))
    expect_idle(proxy)


@pytest.mark.parametrize("cut", ["reset", "half_close"])
def test_a_connection_cut_within_frames_leaves_nothing(sluice, origin, cut):
    one = origin(lambda peer: [peer.read_head(), peer.wait_end()])
    proxy = sluice(http_proxy(one.endpoint, workers=1, admin=ADMIN))
    data = H(1, P("POST"), EH) + F(DATA, 0, 1, b"x" * 100) + H(3, P("POST"), 0)
    for count in range(1, len(data), 7):
        client = H2Client(proxy.address())
        client.send(data[:count])
        getattr(client, cut)()
        client.close()
    expect_idle(proxy)
    assert not one.requests


def test_the_table_of_fields_may_be_taken_away_and_given_back(sluice, origin):
    """B128."""
    proxy = sluice(http_proxy(origin().endpoint, workers=1))
    with H2Client(proxy.address()) as client:
        fields = None
        for size in (4096, 0, 0, 4096, 100, 65536, 0):
            acks = client.acks
            client.send(settings((TABLE, size)))
            client.read_until(lambda: client.acks > acks)
            client._decoder.max_allowed_table_size = size
            for _ in range(2):
                stream = client.ask()
                assert stream.status == 200
                fields = fields or set(stream.fields)
                assert set(stream.fields) == fields


def test_frames_stay_small_for_a_client_that_takes_large_ones(sluice, origin):
    """B130: `h2raw` does not take a frame of more than 16 KiB."""
    proxy = sluice(http_proxy(origin(lambda peer: [peer.read_request(), peer.send(answer(bytes(1 << 20)))]).endpoint, workers=1))
    with H2Client(proxy.address(), own=[(MAX_FRAME, (1 << 24) - 1), (WINDOW, 1 << 24)]) as client:
        assert len(client.ask().body) == 1 << 20


def test_a_stream_that_is_reset_while_a_filter_holds_it_is_over(sluice, origin):
    """B133."""
    one = origin()
    proxy = sluice(http_proxy(one.endpoint, workers=1, admin=ADMIN, filters=[{"fault": {"delay": {"fixed": "300ms"}}}]))
    with H2Client(proxy.address()) as client:
        client.send(b"".join(H(i, P(p="/reset")) for i in ids(20)))
        client.send(b"".join(F(RST, 0, i, number(CANCEL)) for i in ids(20)))
        assert client.ask("/after", stream=101).status == 200
        assert client.ask("/after", stream=103).status == 200
    assert [r.target for r in one.requests] == ["/after"] * 2
    expect_idle(proxy)


def test_a_head_that_does_not_end_in_time_ends_the_connection(sluice, origin):
    proxy = sluice(http_proxy(origin().endpoint, workers=1, admin=ADMIN, http={"head_timeout": "300ms"}))
    with H2Client(proxy.address()) as client:
        client.send(H(1, P(), ES))
        client.expect_goaway(CALM)
    wait_until(lambda: stats(proxy)["fault.http2.head_timeout"])
    expect_idle(proxy)


def test_a_preface_that_does_not_end_in_time_ends_the_connection(sluice, origin):
    proxy = sluice(http_proxy(origin().endpoint, workers=1, admin=ADMIN, http={"head_timeout": "300ms"}))
    for begun in (PREFACE[:2], PREFACE[:10], PREFACE[:23], PREFACE + settings()[:5]):
        with H2Client(proxy.address(), greets=False) as client:
            client.send(begun)
            client.read_until(lambda: False)
            assert client.ended, begun
    expect_idle(proxy)


def test_a_body_that_stands_still_ends_its_stream_alone(sluice, origin):
    proxy = sluice(http_proxy(origin().endpoint, workers=1, admin=ADMIN, http={"body_idle_timeout": "300ms"}))
    with H2Client(proxy.address()) as client:
        client.send(H(1, P("POST"), EH) + F(DATA, 0, 1, b"x"))
        stream = client.answer(1)
        assert stream.status == 408 or stream.reset is not None
        assert client.ask(stream=3).status == 200
    expect_idle(proxy)


def test_trailers_and_interim_answers_of_an_origin_of_http1_come_through(sluice, origin):
    def script(peer):
        while peer.read_request():
            peer.send(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + chunked([b"a", b"b"], trailers=[("X-End", "1")]))
    proxy = sluice(http_proxy(origin(script).endpoint, workers=1, http={"trailers": True}))
    with H2Client(proxy.address()) as client:
        stream = client.ask()
        assert stream.interim == [103] and bytes(stream.body) == b"ab" and stream.ended
        assert stream.trailers in ({}, {"x-end": "1"})


# MARK: TLS

class SecureBank(HTTP2Bank):
    def __init__(self, start, context):
        self.context = context
        super().__init__(start)

    def connect(self, row, patience):
        raw = socket.create_connection(self.proxy.address("secure"), timeout=patience)
        connection = self.context.wrap_socket(raw, server_hostname="a.test")
        assert connection.selected_alpn_protocol() == "h2"
        return H2Client(None, greets=not row.raw, patience=patience, connection=connection)


def context(*protocols):
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.load_verify_locations(cadata=authority().pem.decode())
    made.set_alpn_protocols(list(protocols))
    return made


def secure_config(endpoint, folder):
    crt, key = server().write(folder, "server")
    http = {"http": {"http2": {"extended_connect": False}}}
    router = {"router": {"routes": [{"name": "all", "to": "app", "idle_timeout": "500ms"}]}}
    return {"workers": 1, "admin": ADMIN, "clusters": {"app": cluster(endpoint)}, "listeners": {
        "inbound": {"bind": "127.0.0.1:0", "chain": [http, router]},
        "secure": {"bind": "127.0.0.1:0", "chain": [{"tls": {"certificate": crt, "key": key}}, http, router]}}}


@pytest.fixture(scope="module")
def secure(tmp_path_factory):
    from sluice import Sluice
    bank = SecureBank(lambda endpoint: Sluice(secure_config(endpoint, tmp_path_factory.mktemp("secure"))), context("h2"))
    yield bank
    bank.stop()


@pytest.mark.parametrize("row", [row for row in rows() if not row.raw and "scheme" not in row.case], ids=lambda row: row.name)
def test_a_row_of_the_bank_gets_its_verdict_over_tls(secure, row):
    secure.mark()
    assert secure.judge(row, secure.play_row(row), is_split=True) == []


def test_http2_is_not_agreed_on_with_ciphers_that_it_forbids(secure):
    """T25: RFC 9113 section 9.2.2."""
    for suites in ("AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-SHA256", "ECDHE-ECDSA-AES256-SHA"):
        offer = context("h2")
        offer.maximum_version = ssl.TLSVersion.TLSv1_2
        offer.set_ciphers(suites + ":@SECLEVEL=0")
        with socket.create_connection(secure.proxy.address("secure"), timeout=5) as raw, pytest.raises(ssl.SSLError):
            offer.wrap_socket(raw, server_hostname="a.test")
    offer = context("h2")
    offer.maximum_version = ssl.TLSVersion.TLSv1_2
    with offer.wrap_socket(socket.create_connection(secure.proxy.address("secure"), timeout=5), server_hostname="a.test") as agreed:
        assert agreed.selected_alpn_protocol() == "h2" and agreed.cipher()[0].startswith("ECDHE-") and agreed.compression() is None


def test_the_preface_of_http2_is_not_taken_where_http1_was_agreed_on(secure):
    raw = socket.create_connection(secure.proxy.address("secure"), timeout=5)
    with context("http/1.1").wrap_socket(raw, server_hostname="a.test") as connection:
        connection.sendall(PREFACE + settings())
        assert connection.recv(1000).startswith(b"HTTP/1.1 ")
