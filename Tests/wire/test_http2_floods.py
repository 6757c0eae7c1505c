"""Floods over HTTP/2: whoever causes work for nothing is told to calm down, is counted, and hurts nobody else."""
import pytest

from admin import expect_idle, stats
from client import Silence
from configs import http_proxy
from flow import wait_until
from h2bank import rows as bank_rows
from h2raw import *  # noqa: F403
from origin import Origin, answer

BOMB = H(1, P() + b"\x60\x00" + b"\xbe" * 15000)


def opened(*what):
    """A POST that goes on, and then frames of its stream."""
    return H(1, P("POST"), EH) + b"".join(what)


def on_each(count, *frames):
    """A POST on each of so many streams, and then frames made for the stream's number."""
    return b"".join(H(i, P("POST"), EH) + b"".join(make(i) for make in frames) for i in ids(count))


def priority(stream, on=3):
    return F(PRIO, 0, stream, number(on) + b"\x10")


# What is sent, the codes of the GOAWAY that may end it, and the reasons that may be counted.
FLOODS = {
    "rapid reset": (b"".join(H(i) + F(RST, 0, i, number(CANCEL)) for i in ids(600)), [CALM], ["reset_flood"]),
    "rapid reset of uploads": (on_each(600, lambda i: F(RST, 0, i, number(CANCEL))), [CALM], ["reset_flood"]),
    "reset by credit of 0": (on_each(600, lambda i: F(WUPD, 0, i, number(0))), [CALM], ["reset_flood"]),
    "reset by too much credit": (on_each(600, lambda i: F(WUPD, 0, i, number(2**31 - 1))), [CALM], ["reset_flood"]),
    "reset by HEADERS after the end": (
        b"".join(H(i) + H(i) for i in ids(600)), [CALM, CLOSED, PROTOCOL], ["reset_flood", "stream_closed", "protocol_error"]),
    "reset by DATA after the end": (
        b"".join(H(i) + F(DATA, ES, i, b"x") for i in ids(600)), [CALM, CLOSED], ["reset_flood", "stream_closed"]),
    "reset by PRIORITY of 4 bytes": (on_each(600, lambda i: F(PRIO, 0, i, bytes(4))), [CALM, SIZE], ["reset_flood", "frame_size_error"]),
    "reset by PRIORITY on itself": (
        b"".join(priority(1, on=1) for _ in range(3000)), [CALM, PROTOCOL], ["frame_flood", "protocol_error"]),
    "reset by a length that does not fit": (
        b"".join(post("1", b"xy", stream=i) for i in ids(600)), [CALM], ["reset_flood"]),
    "reset by a field that may not be": (
        b"".join(H(i, P(extra=L("connection", "close"))) for i in ids(600)), [CALM], ["reset_flood"]),
    "empty CONTINUATION": (H(1, P(), ES) + F(CONT, 0, 1) * 10_000, [CALM], ["continuation_flood"]),
    "CONTINUATION of 2 MiB": (
        H(1, P(), ES) + b"".join(F(CONT, 0, 1, L("x%d" % i, "y" * 16000)) for i in range(128)), [CALM],
        ["continuation_flood", "head_flood"]),
    "SETTINGS": (settings() * 5000, [CALM], ["settings_flood", "flooded"]),
    "SETTINGS with a value": (settings((TABLE, 0), (TABLE, 4096)) * 5000, [CALM], ["settings_flood", "flooded"]),
    "SETTINGS of 33 entries": (settings(*[(0x99, i) for i in range(33)]), [CALM, PROTOCOL], ["too_many_settings"]),
    "SETTINGS of 14,400 bytes": (settings(*[(MAX_STREAMS, i) for i in range(2400)]) * 100, [CALM, PROTOCOL], ["too_many_settings"]),
    "PING": (F(PING, 0, 0, b"12345678") * 5000, [CALM], ["ping_flood", "flooded"]),
    "ACKs of PINGs": (F(PING, ACK, 0, b"12345678") * 5000, [CALM], ["ping_flood"]),
    "empty DATA": (opened(F(DATA, 0, 1) * 5000), [CALM], ["empty_data_flood"]),
    "DATA of padding": (opened(F(DATA, PAD, 1, b"\x05" + bytes(5)) * 5000), [CALM], ["empty_data_flood"]),
    "DATA of a padding's length": (opened(F(DATA, PAD, 1, b"\x00") * 5000), [CALM], ["empty_data_flood"]),
    "PRIORITY": (priority(1) * 3000, [CALM], ["frame_flood"]),
    "WINDOW_UPDATE": (F(WUPD, 0, 0, number(1)) * 5000, [CALM], ["window_update_flood"]),
    "WINDOW_UPDATE on a stream": (opened(F(WUPD, 0, 1, number(1)) * 5000), [CALM], ["window_update_flood"]),
    "frames of no known kind": (F(0xBE, 0, 0, b"hello") * 5000, [CALM], ["frame_flood"]),
    "PRIORITY_UPDATE": (F(16, 0, 0, number(1) + b"u=1") * 5000, [CALM], ["frame_flood"]),
    "GOAWAY": (opened(goaway(0, 0) * 5000), [CALM], ["frame_flood"]),
    "DATA of a stream that was refused": (
        opened(F(WUPD, 0, 1, number(2**31 - 1)), F(DATA, 0, 1, b"x") * 30_000), [CALM], ["frame_flood"]),
    "HEADERS of a stream that was refused": (
        opened(F(WUPD, 0, 1, number(2**31 - 1)), H(1, L("x", "y")) * 30_000), [CALM], ["frame_flood"]),
    "crumbs of cookies in every head": (
        b"".join(H(i, P() + b"\x60\x00" + b"\xbe" * 15000) for i in ids(600)), [CALM], ["head_flood"]),
}


@pytest.fixture(scope="module")
def _running():
    from sluice import Sluice
    origin = Origin()
    proxy = Sluice(http_proxy(origin.endpoint, workers=1, admin={"bind": "127.0.0.1:0"}))
    yield proxy, origin
    proxy.finish()
    origin.stop()


@pytest.fixture
def running(_running):
    proxy, origin = _running
    yield _running
    with H2Client(proxy.address()) as client:
        assert client.ask().status == 200
    expect_idle(proxy)


@pytest.mark.parametrize("name", FLOODS)
def test_a_flood_ends_its_connection_and_is_counted(running, name):
    proxy, origin = running
    data, codes, reasons = FLOODS[name]
    before, requests = stats(proxy), len(origin.requests)
    with H2Client(proxy.address()) as client:
        client.send(data)
        client.expect_goaway(*codes)
    def counted():
        after = stats(proxy)
        return [r for r in reasons if after[f"fault.http2.{r}"] > before[f"fault.http2.{r}"]]
    wait_until(counted, what=f"none of {reasons} was counted")
    assert len(origin.requests) - requests <= 200


@pytest.mark.parametrize("name", ["rapid reset", "rapid reset of uploads", "reset by credit of 0"])
def test_what_goes_upstream_of_a_flood_is_bounded_where_nobody_answers(sluice, origin, name):
    silent = origin(lambda peer: peer.wait_end())
    proxy = sluice(http_proxy(silent.endpoint, workers=1, admin={"bind": "127.0.0.1:0"}))
    with H2Client(proxy.address()) as client:
        client.send(FLOODS[name][0])
        client.expect_goaway(CALM)
    expect_idle(proxy)
    assert len(silent.peers) <= 200


def test_resets_now_and_then_are_no_flood(running):
    proxy, _ = running
    with H2Client(proxy.address()) as client:
        for i in ids(60):
            client.send(H(i) + F(RST, 0, i, number(CANCEL)))
        assert client.ask(stream=1001).status == 200


def test_a_head_of_many_small_references_is_refused_and_the_connection_goes_on(running):
    proxy, origin = running
    requests = len(origin.requests)
    with H2Client(proxy.address()) as client:
        client.send(BOMB)
        stream = client.answer(1)
        assert stream.status == 431 or stream.reset is not None
        assert len(origin.requests) == requests
        assert client.ask(stream=3).status == 200


def test_large_fields_from_the_table_are_counted_at_their_size(running):
    proxy, origin = running
    requests = len(origin.requests)
    with H2Client(proxy.address()) as client:
        client.send(H(1, P(extra=LI("x", "y" * 3900))))
        assert client.answer(1).status == 200
        before = proxy.heap()
        for i in ids(20, 3):
            client.send(H(i, P(extra=b"\xbe" * 80)))
        for i in ids(20, 3):
            assert client.answer(i).status == 431
        assert proxy.heap() - before < 4096
        assert len(origin.requests) == requests + 1


def test_streams_beyond_the_limit_are_refused_one_by_one(sluice, origin):
    held = origin(lambda peer: [peer.read_head(), peer.wait_end()])
    proxy = sluice(http_proxy(held.endpoint, workers=1, admin={"bind": "127.0.0.1:0"},
                              http={"http2": {"max_concurrent_streams": 100}}))
    with H2Client(proxy.address()) as client:
        assert client.peer_settings[MAX_STREAMS] == 100
        client.send(b"".join(H(i, P("POST"), EH) for i in ids(150)))
        client.read_until(lambda: client.stream(299).over)
        refused = [i for i in ids(150) if client.stream(i).reset == REFUSED]
        assert refused == list(ids(50, 201)) and client.goaway is None
        held.wait_for(lambda o: len(o.peers) == 100)
        # A stream that ends makes room for another.
        client.send(F(RST, 0, 1, number(CANCEL)) + H(301, P("POST"), EH))
        client.ping()
        client.ping()
        assert client.stream(301).reset is None
    expect_idle(proxy)


def test_streams_refused_without_end_are_a_flood(sluice, origin):
    held = origin(lambda peer: [peer.read_head(), peer.wait_end()])
    proxy = sluice(http_proxy(held.endpoint, workers=1, admin={"bind": "127.0.0.1:0"},
                              http={"http2": {"max_concurrent_streams": 10}}))
    with H2Client(proxy.address()) as client:
        client.send(b"".join(H(i, P("POST"), EH) for i in ids(1500)))
        client.expect_goaway(CALM)
    wait_until(lambda: stats(proxy)["fault.http2.stream_flood"], what="it was not counted")
    assert len(held.peers) <= 10
    expect_idle(proxy)


def test_a_client_that_reads_nothing_holds_no_more_than_its_share(sluice, origin):
    body = bytes(1 << 20)

    def large(peer):
        while peer.read_request():
            peer.send(answer(body))
    proxy = sluice(http_proxy(origin(large).endpoint, workers=1, admin={"bind": "127.0.0.1:0"}))
    with H2Client(proxy.address()) as warm:
        assert len(warm.ask().body) == 1 << 20
    before = proxy.heap()
    with H2Client(proxy.address(), own=[(WINDOW, 0)]) as client:
        client.gives_credit = False
        client.send(b"".join(H(i) for i in ids(100)))
        client.read_until(lambda: all(client.stream(i).heads for i in ids(100)))
        client.ping()
        assert not any(client.stream(i).body for i in ids(100))
        assert proxy.heap() - before < 100 * 200
        # Credit on one of them lets that one go on.
        client.send(F(WUPD, 0, 1, number(1000)))
        client.read_until(lambda: len(client.stream(1).body) == 1000)
        client.ping()
        assert len(client.stream(1).body) == 1000
    expect_idle(proxy)


def test_credit_in_drops_costs_no_more_than_it_should(sluice, origin):
    def large(peer):
        while peer.read_request():
            peer.send(answer(bytes(1 << 20)))
    proxy = sluice(http_proxy(origin(large).endpoint, workers=1, admin={"bind": "127.0.0.1:0"}))
    with H2Client(proxy.address(), own=[(WINDOW, 0)]) as client:
        client.gives_credit = False
        client.send(H())
        client.read_until(lambda: client.stream(1).heads)
        # Each byte of credit lets a byte go, which earns credit: the flood is bounded by what is sent, or ends.
        before = proxy.cpu()
        for _ in range(200):
            client.send(F(WUPD, 0, 1, number(1)) * 50)
        try:
            client.read_until(lambda: len(client.stream(1).body) == 10_000)
        except Silence:
            pass
        assert client.ended and client.goaway == CALM or len(client.stream(1).body) == 10_000
        assert proxy.cpu() - before < 1.0
    expect_idle(proxy)


def test_hostile_rows_leave_no_memory_behind(sluice, origin):
    rows = [row.bytes for row in bank_rows() if not row.raw]
    rows += [data for data, _, _ in FLOODS.values() if len(data) < 50_000]
    proxy = sluice(http_proxy(origin().endpoint, workers=1, admin={"bind": "127.0.0.1:0"}, route={"idle_timeout": "500ms"}))

    def play_all():
        for data in rows:
            with H2Client(proxy.address()) as client:
                client.patience = 0.03
                client.send(data)
                try:
                    client.read_until(lambda: client.goaway is not None)
                except Silence:
                    pass
        expect_idle(proxy)
        return proxy.heap()
    play_all()
    before = play_all()
    assert play_all() - before < len(rows)
