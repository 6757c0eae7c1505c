"""A plugin that does what a filter must not do: what the host can refuse it refuses, and other requests go on."""
import signal
import time

import pytest

import plugins
import sluice as harness
from builds import sluice_of
from client import Client, get

# One process builds them all; they share the folder that they are built in.
pytestmark = pytest.mark.xdist_group("plugins")


@pytest.fixture(params=["debug", "release"])
def built(request, monkeypatch):
    """The configuration of the proxy under test, which must have been built before."""
    monkeypatch.setattr(harness, "BINARY", sluice_of(request.param))
    return request.param


def config(library, fault, phase, workers=1):
    route = {"respond": {"status": 200, "body": "ok"}}
    return {"workers": workers, "admin": "127.0.0.1:0", "plugins": [str(library)], "listeners": {"inbound": {
        "bind": "127.0.0.1:0",
        "chain": ["http", {"misbehaving": {"fault": fault, "phase": phase}}, {"router": {"routes": [route]}}]}}}


def post(address):
    return get(address, "/bad", method="POST", body=b"four")


# What a filter does, where, and what the client sees of it.
REFUSED = [
    ("throw", "open", 500), ("throw", "request_head", 500), ("throw", "request_body", 500),
    ("throw", "response_head", 500), ("throw", "wake", 500),
    ("drop", "request_head", 500), ("drop", "request_body", 500), ("drop", "response_head", 500),
    ("take", "request_head", 500), ("take", "response_head", 500),
    ("twice", "request_head", 500), ("twice", "request_body", 500), ("twice", "wake", 500),
    ("refuse", "open", 400), ("refuse", "request_head", 400), ("refuse", "request_body", 400),
    ("refuse", "wake", 400),
]


@pytest.mark.parametrize("fault,phase,status", REFUSED)
def test_what_fails_a_stream_fails_only_that(sluice, built, fault, phase, status):
    address = sluice(config(plugins.misbehaving(built), fault, phase)).address()
    assert get(address).status == 200
    for _ in range(2):
        assert post(address).status == status
        assert get(address).body == b"ok"


@pytest.mark.parametrize("fault", ["twice", "late"])
@pytest.mark.parametrize("phase", ["request_head", "request_body", "response_head", "response_body", "wake", "close"])
def test_whatever_a_filter_sends_besides_reaches_no_other_request(sluice, built, fault, phase):
    address = sluice(config(plugins.misbehaving(built), fault, phase)).address()
    with Client(address) as client:
        client.send(b"POST /bad HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nfour")
        client.send(b"GET /good HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        try:
            seen = client.read_to_end()
        except (ConnectionResetError, TimeoutError):
            seen = b""
    assert seen.count(b"HTTP/1.1 ") <= 2, seen
    assert not (b"one" in seen and b"two" in seen), seen
    assert get(address).body == b"ok"


@pytest.mark.parametrize("phase", ["open", "request_head", "request_body", "response_head", "response_body", "wake",
                                   "close"])
def test_a_trap_ends_the_process_with_its_signal(sluice, built, phase):
    # Swift's own report of a crash takes longer than the test.
    proxy = sluice(config(plugins.misbehaving(built), "trap", phase), env={"SWIFT_BACKTRACE": "enable=no"})
    assert get(proxy.address()).status == 200
    with Client(proxy.address()) as client:
        client.send(b"POST /bad HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nfour")
        assert proxy.wait_exit() in (-signal.SIGILL, -signal.SIGTRAP)
    words = {"open": "the stream's beginning", "wake": "its timer", "close": "the stream's end"}
    said = words.get(phase, "the " + phase.replace("_", "'s "))
    report = next(line for line in proxy.log_text().splitlines() if line.startswith("sluice: crashed by "))
    assert f"in the filter `misbehaving` of the listener inbound, at: {said}, plugin " in report
    assert "libmisbehaving.so; version " in report


@pytest.mark.parametrize("phase", ["request_head", "response_head", "wake"])
def test_a_filter_that_blocks_delays_its_request_and_spoils_nothing(sluice, built, phase):
    proxy = sluice(config(plugins.misbehaving(built), "block", phase))
    address = proxy.address()
    begin = time.monotonic()
    with Client(address) as client:
        client.send(b"POST /bad HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nfour")
        assert client.read_response().status == 200
    assert time.monotonic() - begin >= 1
    assert get(address).body == b"ok"
    line = proxy.wait_log("a worker is blocked")
    assert line["filter"] == "misbehaving" and line["of"] == "listener inbound" and int(line["for_ms"]) >= 200
    assert line["plugin"].endswith("libmisbehaving.so")
    assert stat(proxy, "server.watchdog_miss") >= 1


def stat(proxy, name):
    text = get(proxy.address("admin"), f"/stats?filter={name}", host="localhost").body.decode()
    return next((int(line.split(": ")[1]) for line in text.splitlines() if line.startswith(name + ":")), None)


def with_policy(library, fault, phase, **policy):
    return {**config(library, fault, phase), "plugins": [{"path": str(library), **policy}]}


@pytest.mark.parametrize("fault,phase", [
    ("throw", "open"), ("throw", "request_head"), ("throw", "response_head"), ("drop", "request_head"),
    ("take", "request_head"), ("take", "response_head")])
def test_a_plugin_that_may_fail_is_left_out_of_the_stream(sluice, built, fault, phase):
    proxy = sluice(with_policy(plugins.misbehaving(built), fault, phase, on_fault="open"))
    for count in (1, 2):
        answer = post(proxy.address())
        assert answer.status == 200 and answer.body == b"ok"
        assert stat(proxy, "plugin.misbehaving.faults") == count
    shown = get(proxy.address("admin"), "/plugins", host="localhost").body.decode()
    assert "misbehaving::faults::2\n" in shown and "misbehaving::on_fault::open\n" in shown
    assert "misbehaving::last_fault::misbehaving " in shown


def test_what_a_filter_says_of_a_peer_is_said_under_every_policy(sluice, built):
    proxy = sluice(with_policy(plugins.misbehaving(built), "refuse", "request_head", on_fault="open"))
    assert post(proxy.address()).status == 400
    assert stat(proxy, "plugin.misbehaving.faults") is None


def test_a_plugin_that_fails_too_often_is_taken_out(sluice, built):
    library = plugins.misbehaving(built)
    proxy = sluice(with_policy(library, "throw", "request_head", on_fault="bypass", bypass_after=3))
    assert [post(proxy.address()).status for _ in range(5)] == [500, 500, 500, 200, 200]
    assert stat(proxy, "plugin.misbehaving.faults") == 3 and stat(proxy, "plugin.misbehaving.bypassed") == 1
    assert proxy.wait_log("a plugin has failed too often: streams go on without its filters")["faults"] == "3"
    # Another policy is another beginning.
    proxy.reload(with_policy(library, "throw", "request_head"))
    assert post(proxy.address()).status == 500
