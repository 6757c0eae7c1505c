"""The end of a process that stands beside a service: what comes in closes first, what the service asks of others last."""
import pathlib
import re
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest

import admin
from client import Client, encode, get
from configs import cluster
from flow import wait_until
from origin import answer
from sluice import run_cli
from test_process import Slow, expect_refused, listens


def beside(service, other, inbound=None, outlive=True, workers=2, **top):
    """A config with a listener for each way, one for probes, and the admin interface."""
    def chain(to):
        return ["http", {"router": {"to": to}}]
    return {
        "admin": {"bind": "127.0.0.1:0"},
        "workers": workers,
        **({"outlive": service} if outlive else {}),
        "listeners": {
            "inbound": {"bind": "127.0.0.1:0", "chain": chain("app"), **(inbound or {})},
            "health": {"bind": "127.0.0.1:0", "chain": ["http", {"router": {"routes": [{"respond": {"body": "ok"}}]}}]},
            "outbound": {"bind": "127.0.0.1:0", "direction": "outbound", "chain": chain("other")},
        },
        "clusters": {"app": cluster(service), "other": cluster(other)},
        **top,
    }


def is_ready(proxy):
    return admin.ask(proxy, "/ready").status == 200


def begin_to_end(proxy):
    proxy.signal(signal.SIGTERM)
    proxy.wait_log("^draining")


def test_the_service_can_call_others_until_its_port_closes(sluice, origin):
    service, other = origin(), origin()
    proxy = sluice(beside(service.endpoint, other.endpoint))
    assert is_ready(proxy) and get(proxy.address("inbound")).status == 200
    begin_to_end(proxy)
    assert admin.ask(proxy, "/ready").status == 503
    wait_until(lambda: not listens(proxy.address("inbound")) and not listens(proxy.address("health")))
    expect_refused(proxy.address("inbound"))
    with Client(proxy.address("outbound")) as kept:
        for _ in range(20):
            assert get(proxy.address("outbound")).status == 200
            assert kept.request().get("connection") is None, "a service may keep its connections"
        assert not any("service has ended" in entry["message"] for entry in proxy.log)
        service.stop()
        kept.expect_closed()
    assert proxy.wait_exit(5) == 0
    proxy.wait_log("^the service has ended", address=service.endpoint)
    assert len(other.requests) == 40


def test_calls_that_run_when_the_service_has_closed_its_port_are_finished(sluice, origin):
    service, slow = origin(), Slow()
    proxy = sluice(beside(service.endpoint, origin(slow).endpoint))
    with Client(proxy.address("outbound")) as client:
        client.send(encode(target="/slow"))
        assert slow.came.wait(5)
        begin_to_end(proxy)
        service.stop()
        wait_until(lambda: not listens(proxy.address("outbound")))
        slow.go.set()
        response = client.read_response()
        assert response.body == b"/slow" and response.get("connection", "").lower() == "close"
    assert proxy.wait_exit(5) == 0


def test_a_service_that_is_not_there_any_more_keeps_nothing_up(sluice, origin):
    service = origin()
    proxy = sluice(beside(service.endpoint, origin().endpoint))
    service.stop()
    begin = time.monotonic()
    begin_to_end(proxy)
    assert proxy.wait_exit(5) == 0
    assert time.monotonic() - begin < 3


def test_a_service_that_stays_is_left_at_the_deadline(sluice, origin):
    proxy = sluice(beside(origin().endpoint, origin().endpoint, drain_timeout="700ms"))
    begin = time.monotonic()
    begin_to_end(proxy)
    assert proxy.wait_exit(5) == 0
    assert time.monotonic() - begin >= 0.7
    proxy.wait_log("drain timeout is over", level="warning")


def test_a_second_term_does_not_wait_for_the_service(sluice, origin):
    proxy = sluice(beside(origin().endpoint, origin().endpoint))
    begin_to_end(proxy)
    proxy.signal(signal.SIGTERM)
    assert proxy.wait_exit(3) == 0
    proxy.wait_log("^stopping now")


def test_a_service_at_a_unix_socket(sluice, origin, tmp_path):
    service, other = origin(path=str(tmp_path / "app.sock")), origin()
    proxy = sluice(beside(service.endpoint, other.endpoint))
    begin_to_end(proxy)
    wait_until(lambda: not listens(proxy.address("inbound")))
    assert get(proxy.address("outbound")).status == 200
    (tmp_path / "app.sock").unlink()
    assert proxy.wait_exit(5) == 0


def test_a_service_that_is_too_busy_to_accept_still_runs(sluice, origin):
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        address = full.getsockname()
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(address)
        proxy = sluice(beside("127.0.0.1:%d" % address[1], origin().endpoint))
        begin_to_end(proxy)
        wait_until(lambda: not listens(proxy.address("inbound")))
        for _ in range(10):
            assert get(proxy.address("outbound")).status == 200
        for one in waiting:
            one.close()
        proxy.signal(signal.SIGTERM)
        assert proxy.wait_exit(3) == 0


def test_a_request_that_runs_can_still_call_others(sluice, origin):
    """Also where the config does not say how to tell that the service has ended."""
    told, came = threading.Event(), threading.Event()

    def calls(peer):
        while peer.read_request():
            came.set()
            assert told.wait(10)
            peer.send(answer(get(proxy.address("outbound"), "/called").body))

    other = origin()
    proxy = sluice(beside(origin(calls).endpoint, other.endpoint, outlive=False))
    with Client(proxy.address("inbound")) as client:
        client.send(encode())
        assert came.wait(5)
        begin_to_end(proxy)
        wait_until(lambda: not listens(proxy.address("inbound")))
        told.set()
        response = client.read_response()
        assert (response.status, response.body) == (200, b"ok")
    assert [request.target for request in other.requests] == ["/called"]
    assert proxy.wait_exit(5) == 0


def test_without_requests_and_without_a_service_the_end_comes_at_once(sluice, origin):
    proxy = sluice(beside(origin().endpoint, origin().endpoint, outlive=False))
    with Client(proxy.address("outbound")) as kept:
        assert kept.request().status == 200
        begin = time.monotonic()
        begin_to_end(proxy)
        kept.expect_closed()
    assert proxy.wait_exit(5) == 0
    assert time.monotonic() - begin < 3


# MARK: drain_delay

DELAY = {"drain_delay": "2s"}


def test_a_listener_with_a_delay_serves_on_and_tells_its_clients_to_go(sluice, origin):
    service = origin()
    proxy = sluice(beside(service.endpoint, origin().endpoint, inbound=DELAY))
    address = proxy.address("inbound")
    with Client(address) as kept, Client(address) as idle:
        assert kept.request().get("connection") is None
        assert idle.request().get("connection") is None
        begin = time.monotonic()
        begin_to_end(proxy)
        assert not is_ready(proxy)
        wait_until(lambda: not listens(proxy.address("health")))
        last = kept.request()
        assert (last.status, last.get("connection").lower()) == (200, "close")
        kept.expect_closed()
        fresh = get(address)
        assert (fresh.status, fresh.get("connection").lower()) == (200, "close")
        assert listens(address) and time.monotonic() - begin < 2, "too slow a machine"
        idle.expect_closed()
        assert time.monotonic() - begin >= 1.9
    wait_until(lambda: not listens(address))
    service.stop()
    assert proxy.wait_exit(5) == 0


def test_a_request_that_runs_when_the_delay_begins_is_the_last_of_its_connection(sluice, origin):
    slow = Slow()
    proxy = sluice(beside(origin(slow).endpoint, origin().endpoint, inbound=DELAY, outlive=False))
    with Client(proxy.address("inbound")) as client:
        client.send(encode(target="/slow"))
        assert slow.came.wait(5)
        begin_to_end(proxy)
        wait_until(lambda: not listens(proxy.address("health")))
        slow.go.set()
        assert client.read_response().get("connection").lower() == "close"
        client.expect_closed()
    assert proxy.wait_exit(5) == 0


def test_a_client_that_has_the_head_of_its_answer_is_asked_with_the_next(sluice, origin):
    """It was not told that the connection ends, so the connection does not."""
    go, came = threading.Event(), threading.Event()

    def script(peer):
        while peer.read_request():
            whole = answer(b"twelve bytes")
            peer.send(whole[:-6])
            came.set()
            assert go.wait(10)
            peer.send(whole[-6:])

    proxy = sluice(beside(origin(script).endpoint, origin().endpoint, inbound=DELAY, outlive=False))
    with Client(proxy.address("inbound")) as client:
        client.send(encode())
        assert client.read_head().get("connection") is None and came.wait(5)
        begin_to_end(proxy)
        wait_until(lambda: not listens(proxy.address("health")))
        go.set()
        assert client.read_exactly(12) == b"twelve bytes"
        assert client.request().get("connection").lower() == "close"
        client.expect_closed()
    assert proxy.wait_exit(5) == 0


def test_a_delay_without_any_client_is_waited_for(sluice, origin):
    proxy = sluice(beside(origin().endpoint, origin().endpoint, inbound={"drain_delay": "300ms"}, outlive=False))
    begin = time.monotonic()
    begin_to_end(proxy)
    assert proxy.wait_exit(5) == 0
    assert 0.3 <= time.monotonic() - begin < 3


def test_a_delay_ends_with_the_service(sluice, origin):
    """There is nobody left to answer those who would still come: it is better for them to be refused."""
    service = origin()
    proxy = sluice(beside(service.endpoint, origin().endpoint, inbound={"drain_delay": "20s"}))
    with Client(proxy.address("inbound")) as idle:
        idle.request()
        begin_to_end(proxy)
        assert get(proxy.address("inbound")).status == 200
        service.stop()
        idle.expect_closed()
    assert proxy.wait_exit(5) == 0


def test_no_request_is_lost_while_clients_go_elsewhere(sluice, origin):
    """Clients that keep their connections, and do what an answer tells them, notice nothing within the delay."""
    service = origin()
    proxy = sluice(beside(service.endpoint, origin().endpoint, inbound=DELAY))
    address, ends, stop = proxy.address("inbound"), [], threading.Event()

    def talk():
        answered, told = 0, 0
        try:
            while not stop.is_set():
                with Client(address) as client:
                    while not stop.is_set():
                        response = client.request()
                        assert response.status == 200
                        answered += 1
                        if response.get("connection", "").lower() == "close":
                            told += 1
                            break
        except Exception as error:
            ends.append(error)
        ends.append((answered, told))
    threads = [threading.Thread(target=talk) for _ in range(4)]
    for thread in threads:
        thread.start()
    get(address)
    begin_to_end(proxy)
    stop.wait(0.5)
    stop.set()
    for thread in threads:
        thread.join(10)
    assert all(isinstance(end, tuple) and end[1] > 0 for end in ends), ends
    service.stop()
    assert proxy.wait_exit(5) == 0


# MARK: Reloads

def answering(text, delay="20s"):
    return {"workers": 1, "listeners": {"inbound": {
        "bind": "127.0.0.1:0", "drain_delay": delay,
        "chain": ["http", {"router": {"routes": [{"respond": {"body": text}}]}}]}}}


def test_after_a_reload_a_kept_connection_has_one_more_answer_from_the_old_chain(sluice):
    proxy = sluice(answering("old"))
    with Client(proxy.address()) as kept:
        assert kept.request().body == b"old"
        proxy.reload(answering("new"))
        assert get(proxy.address()).body == b"new"
        last = kept.request()
        assert (last.body, last.get("connection").lower()) == (b"old", "close")
        kept.expect_closed()
    with Client(proxy.address()) as fresh:
        assert [fresh.request().get("connection") for _ in range(3)] == [None] * 3, "those that come after it stay"


def test_after_a_reload_idle_connections_are_closed_when_the_delay_is_over(sluice):
    proxy = sluice(answering("old", "400ms"))
    with Client(proxy.address()) as idle:
        assert idle.request().body == b"old"
        begin = time.monotonic()
        proxy.reload(answering("new", "400ms"))
        with Client(proxy.address()) as fresh:
            assert fresh.request().body == b"new"
            idle.expect_closed()
            assert time.monotonic() - begin >= 0.3
            assert fresh.request().body == b"new"


def test_a_drain_after_a_reload_waits_for_its_own_delay(sluice):
    proxy = sluice(answering("old", "1s"))
    get(proxy.address())
    proxy.reload(answering("new", "1s"))
    begin = time.monotonic()
    begin_to_end(proxy)
    # The line of the log comes before the workers are told.
    wait_until(lambda: get(proxy.address()).get("connection") == "close")
    assert proxy.wait_exit(5) == 0 and time.monotonic() - begin >= 0.9


def test_no_request_is_lost_by_reloads_even_if_nobody_may_repeat_it(sluice, origin):
    """POST on connections that are kept: nobody sends one twice, and no connection ends under one."""
    service = origin()

    def config(number):
        made = beside(service.endpoint, origin().endpoint, inbound=DELAY, workers=1)
        made["listeners"]["inbound"]["chain"] = ["http", {"router": {"routes": [{"name": f"r{number}", "to": "app"}]}}]
        return made

    proxy = sluice(config(0))
    address, ends, stop = proxy.address("inbound"), [], threading.Event()

    def talk():
        answered, told = 0, 0
        try:
            while not stop.is_set():
                with Client(address) as client:
                    while not stop.is_set():
                        response = client.request("POST", body=b"once")
                        assert response.status == 200
                        answered += 1
                        if response.get("connection", "").lower() == "close":
                            told += 1
                            break
        except BaseException as error:
            ends.append(error)
        ends.append((answered, told))
    threads = [threading.Thread(target=talk) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number in range(1, 9):
        before = len(service.requests)
        proxy.reload(config(number))
        wait_until(lambda: len(service.requests) > before + 40 or any(isinstance(end, BaseException) for end in ends))
    stop.set()
    for thread in threads:
        thread.join(10)
    assert all(isinstance(end, tuple) and end[1] >= 4 for end in ends), ends


# MARK: From a hook

def test_a_hook_makes_it_drain_and_the_signal_that_follows_is_not_the_second(sluice, origin):
    """As in Kubernetes: a `preStop` hook at the begin, TERM when the service has ended."""
    service, slow = origin(), Slow()
    proxy = sluice(beside(service.endpoint, origin(slow).endpoint))
    with Client(proxy.address("outbound")) as client:
        client.send(encode(target="/slow"))
        assert slow.came.wait(5)
        done = run_cli("drain", str(proxy.pid))
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        proxy.wait_log("^draining")
        service.stop()
        wait_until(lambda: not listens(proxy.address("outbound")))
        proxy.signal(signal.SIGTERM)
        assert admin.ask(proxy, "/ready").status == 503
        slow.go.set()
        assert client.read_response().body == b"/slow"
    assert proxy.wait_exit(5) == 0


def pending(pid):
    """The set of signals that a process has not taken yet."""
    return int(re.search(r"^ShdPnd:\s+(\w+)", pathlib.Path(f"/proc/{pid}/status").read_text(), re.M)[1], 16)


def test_a_hook_then_two_signals_end_it_at_once(sluice, origin):
    proxy = sluice(beside(origin().endpoint, origin().endpoint))
    assert run_cli("drain", str(proxy.pid)).returncode == 0
    proxy.wait_log("^draining")
    proxy.signal(signal.SIGTERM)
    # Two that wait in the kernel at once are one.
    wait_until(lambda: not pending(proxy.pid))
    assert admin.ask(proxy, "/ready").status == 503, "one is not enough"
    proxy.signal(signal.SIGTERM)
    assert proxy.wait_exit(3) == 0
    proxy.wait_log("^stopping now")


def test_only_sluice_is_told_to_drain():
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        done = run_cli("drain", str(other.pid))
        assert done.returncode == 1 and "and not Sluice" in done.stderr
        assert other.poll() is None
        other.communicate(b"\n")
        assert other.returncode == 0
    done = run_cli("drain", str(other.pid))
    assert done.returncode == 1 and "there is no process" in done.stderr


# MARK: The admin interface

def test_inbound_listeners_alone_can_be_stopped(sluice, origin):
    service = origin()
    proxy = sluice(beside(service.endpoint, origin().endpoint, admin=admin.PROTECTED))
    assert admin.post(proxy, "/drain_listeners?inboundonly").body == b"OK\n"
    wait_until(lambda: not listens(proxy.address("inbound")))
    assert get(proxy.address("outbound")).status == 200 and not is_ready(proxy)
    service.stop()
    begin_to_end(proxy)
    assert proxy.wait_exit(5) == 0


# MARK: The file

GOOD = """\
outlive: 127.0.0.1:8080
drain_timeout: 20s
listeners:
  in: { bind: 127.0.0.1:8443, drain_delay: 5s, chain: [ http, router: { to: app } ] }
  out: { bind: 127.0.0.1:6010, direction: outbound, chain: [ http, router: { to: app } ] }
clusters:
  app: { endpoints: [ 127.0.0.1:9000 ] }
"""


@pytest.mark.parametrize("old, new, wrong, words", [
    ("127.0.0.1:8080", "localhost:8080", "localhost:8080", "error[SL0204]"),
    ("127.0.0.1:8080", "127.0.0.1:0", "127.0.0.1:0", "needs the port"),
    ("127.0.0.1:8080", "127.0.0.1:6010", "127.0.0.1:6010", "an address of the listener `out`"),
    ("bind: 127.0.0.1:8443, drain_delay: 5s, chain: [ http, router: { to: app } ] }\n  out: { bind: 127.0.0.1:6010, "
     "direction: outbound", "bind: 127.0.0.1:6010", "127.0.0.1:8080", "warning[SL0112]: `outlive` changes nothing"),
    ("direction: outbound", "direction: outward", "outward", "inbound, outbound"),
    ("drain_delay: 5s", "drain_delay: 20s", "20s, chain", "must be shorter than `drain_timeout`, which is 20s"),
], ids=lambda value: None if " " in value else value)
def test_what_does_not_fit_is_told_with_its_place(tmp_path, old, new, wrong, words):
    file = tmp_path / "sluice.yaml"
    file.write_text(GOOD)
    assert run_cli("check", str(file)).stdout.startswith("ok  ")
    assert GOOD.count(old) == 1
    text = GOOD.replace(old, new)
    file.write_text(text)
    before = text[:text.index(wrong)]
    place = f"{before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))}"
    said = run_cli("check", str(file)).stdout
    assert f"{file}:{place} " in said and words in said, said
