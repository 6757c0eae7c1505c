"""The limits of a cluster: exact over all workers, told to the client, and without anyone who waits for ever."""
import re
import select
import time
from concurrent.futures import ThreadPoolExecutor

from client import Client, encode, get
from configs import http_proxy
from crowd import Crowd
from origin import answer


def burst(address, count):
    """Sends one request on each of `count` connections; returns the clients."""
    clients = [Client(address, patience=20) for _ in range(count)]
    for client in clients:
        client.send(encode())
    return clients


def wait_answered(clients, count):
    """Waits until as many of the clients have something to read; returns those, and the others."""
    poll = select.poll()
    for client in clients:
        poll.register(client.socket, select.POLLIN)
    end = time.monotonic() + 10
    while len(ready := {fd for fd, _ in poll.poll(100)}) < count:
        assert time.monotonic() < end, f"only {len(ready)} have an answer"
    return [c for c in clients if c.socket.fileno() in ready], [c for c in clients if c.socket.fileno() not in ready]


def test_max_requests_is_exact_over_two_workers(sluice, origin):
    crowd = Crowd()
    one = origin(crowd.script)
    proxy = sluice(http_proxy(one.endpoint, upstream={"max_requests": 50}, workers=2))
    clients = burst(proxy.address(), 200)
    crowd.wait_for(50)
    # All others have their answer while the fifty still run.
    refused, running = wait_answered(clients, 150)
    assert len(refused) == 150
    answers = [client.read_response() for client in refused]
    assert {answer.status for answer in answers} == {503}
    assert {answer.get("x-envoy-overloaded") for answer in answers} == {"true"}
    assert {answer.body for answer in answers} == {
        b"too many requests for this upstream: max_requests (50) of cluster app is reached\n"}
    crowd.open()
    assert [client.read_response().status for client in running] == [200] * 50
    assert (crowd.most, crowd.seen) == (50, 50)
    # Every place has been given back, so that fifty fit in again.
    again = Crowd()
    one.script = again.script
    fresh = burst(proxy.address(), 60)
    refused, _ = wait_answered(fresh, 10)
    assert len(refused) >= 10
    again.open()
    for client in clients + fresh:
        client.close()


def test_max_connections_is_exact_over_two_workers_and_nobody_waits_for_ever(sluice, origin):
    one = origin()
    proxy = sluice(http_proxy(one.endpoint, upstream={"max_connections": 3}, workers=2))
    with ThreadPoolExecutor(16) as pool:
        def client(_):
            with Client(proxy.address(), patience=20) as client:
                return [client.request().status for _ in range(50)]
        statuses = [status for answers in pool.map(client, range(16)) for status in answers]
    assert statuses == [200] * 800
    assert one.most_open <= 3


def test_a_worker_gets_the_room_of_connections_that_another_one_keeps(sluice, origin):
    one = origin()
    proxy = sluice(http_proxy(one.endpoint, upstream={"max_connections": 1}, workers=2))
    # The kernel deals connections out by their ports: with so many, both workers have some.
    for _ in range(40):
        assert get(proxy.address()).status == 200
    assert one.most_open == 1


def test_max_retries_limits_further_tries_only(sluice, origin):
    def script(peer):
        while peer.read_request():
            peer.send(answer(b"the upstream's own", "503 No"))

    one = origin(script)
    retry = {"retry": {"on": ["5xx"], "backoff": {"base": "1ms", "max": "1ms"}}}
    proxy = sluice(http_proxy(one.endpoint, filters=[retry], upstream={"max_retries": 0}, workers=1))
    # The answer that there is goes to the client.
    response = get(proxy.address())
    assert (response.status, response.body) == (503, b"the upstream's own")
    assert len(one.requests) == 1


def test_the_log_says_which_limit_and_where_it_is_set(sluice, origin, tmp_path):
    crowd = Crowd()
    one = origin(crowd.script)
    log = tmp_path / "access.log"
    listener = {"access_log": {"to": str(log), "format": "%RESPONSE_CODE% %REACHED_LIMIT%"}}
    proxy = sluice(http_proxy(one.endpoint, upstream={"max_requests": 1}, workers=1, listener=listener))
    clients = burst(proxy.address(), 1)
    crowd.wait_for(1)
    assert get(proxy.address()).status == 503
    crowd.open()
    clients[0].read_response()
    clients[0].close()
    proxy.stop()
    lines = log.read_text().splitlines()
    assert re.fullmatch(r"503 max_requests \(1\) of cluster app is reached, set at .*sluice\.yaml:\d+:\d+", lines[0])
    assert lines[1] == "200 -"
