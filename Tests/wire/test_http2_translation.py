"""Requests and answers from one version of HTTP to the other: what is forwarded is the same message (B138)."""
import threading

import pytest

from bank import ResponseBank, request_rows, response_rows
from client import Client
from configs import http_proxy
from h2bank import rows as http2_rows
from h2raw import *  # noqa: F403
from origin import Origin
from sluice import Sluice
from test_http2_mutations import check_head

UPSTREAM = {"http": {"protocol": "http2"}}


class Recording:
    """A script that keeps what comes over HTTP/2."""

    def __init__(self):
        self.seen = []

    def __call__(self, peer):
        h2 = H2Peer(peer)
        while request := h2.next_request():
            self.seen.append(request)
            h2.answer(request.id)


@pytest.fixture(scope="module")
def over_http2():
    script = Recording()
    origin = Origin(script)
    proxy = Sluice(http_proxy(origin.endpoint, workers=1, route={"idle_timeout": "500ms"}, upstream=UPSTREAM,
                              http={"http2": {"extended_connect": False}}))
    yield proxy, script, origin
    proxy.finish()
    origin.stop()


def complaint(step, stream):
    head = stream.heads[0]
    check_head(head)
    fields = dict(head)
    actual = {"method": fields[":method"], "target": fields[":path"], "host": fields.get(":authority"),
              "body": stream.body.decode("latin-1")}
    for name, value in step.conditions:
        if name in actual and actual[name] != value:
            return f"{name} is {actual[name]!r:.200}, not {value!r:.200}"
        field, _, wanted = value.partition(":")
        if name == "has" and (field.lower(), wanted) not in head and not field.lower().startswith("transfer-encoding"):
            return f"no {value!r} in {head}"
        if name == "lacks" and field.lower() in fields:
            return f"{field} was passed on: {head}"
    return None


FORWARDED = [row for row in http2_rows() if not row.raw and all(step.statuses == (200,) for step in row.alternatives)]


@pytest.mark.parametrize("row", FORWARDED, ids=lambda row: row.name)
def test_a_row_of_http2_is_the_same_over_http2(over_http2, row):
    proxy, script, origin = over_http2
    script.seen.clear()
    with H2Client(proxy.address()) as client:
        client.send(row.bytes)
        for id in row.watched:
            assert client.answer(id).status == 200
        client.ping()
    step = row.alternatives[0]
    assert complaint(step, script.seen[-1]) is None and origin.faults == []


ONE = [row for row in request_rows() if row.only("forward") and len(row.alternatives) == 1]


@pytest.mark.parametrize("row", ONE, ids=lambda row: row.name)
def test_a_row_of_http1_is_the_same_over_http2(over_http2, row):
    proxy, script, origin = over_http2
    script.seen.clear()
    with Client(proxy.address()) as client:
        client.send(row.bytes)
        assert client.read_response(row.text.split()[0] if row.text.startswith("HEAD") else "GET").status == 200
    assert complaint(row.alternatives[0][0], script.seen[-1]) is None and origin.faults == []


class OverHTTP2(ResponseBank):
    """The bank of answers, asked for over HTTP/2."""

    def play_http2(self, row):
        self.sent = threading.Event()
        self.pieces, self.then = row.writes, row.then
        self.served.clear()
        with H2Client(self.address) as client:
            stream = client.ask("/row", row.method)
            second = client.ask("/second")
        assert second.status == 200 and bytes(second.body) == b"second"
        return stream


@pytest.fixture(scope="module")
def answers():
    bank = OverHTTP2(lambda endpoint: Sluice(http_proxy(endpoint, workers=1, route={"idle_timeout": "500ms"})))
    yield bank
    bank.stop()


@pytest.mark.parametrize("row", response_rows(), ids=lambda row: row.name)
def test_an_answer_of_http1_gets_its_verdict_over_http2(answers, row):
    """An answer that is cut is a stream that is reset, and never one that ended."""
    if row.method == "CONNECT" or "101" in row.text.split("\r\n")[0][:14]:
        pytest.skip("tunnels are tested apart")
    stream = answers.play_http2(row)
    for (step,) in row.alternatives:
        if step.kind == "abort":
            if stream.reset not in (None, NO_ERROR) and stream.status in (None, *step.statuses) or stream.status == 502:
                return
        elif stream.status in step.statuses and stream.ended:
            for body in step.values("body"):
                assert stream.status != 200 or stream.body == body.encode("latin-1")
            names = {name for name, _ in stream.heads[-1]}
            assert not names & {"connection", "keep-alive", "transfer-encoding", "upgrade", "proxy-connection"}
            return
    raise AssertionError((stream.status, stream.reset, stream.ended, bytes(stream.body[:100])))
