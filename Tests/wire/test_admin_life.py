"""What the admin interface says and does while the process begins, is too busy, drains, and ends."""
import os
import re
import signal
import threading

from admin import BIND, PROTECTED, ask, expect, post, stats, text
from client import Client, encode, get
from configs import http_proxy
from flow import wait_until
from origin import OK


def config(*endpoints, admin=PROTECTED, **more):
    return http_proxy(*endpoints, admin=admin, workers=1, **more)


class Gate:
    """An origin's script that answers once a test says so."""

    def __init__(self):
        self.open = threading.Event()

    def __call__(self, peer):
        while peer.read_request():
            self.open.wait(20)
            if not peer.send(OK):
                return


def test_while_it_drains_it_says_so_until_the_end(sluice, origin):
    gate = Gate()
    upstream = origin(gate)
    proxy = sluice(config(upstream.endpoint))
    running = Client(proxy.address())
    running.send(encode())
    upstream.wait_for(lambda o: o.peers and o.peers[0].parsed)
    kept = Client(proxy.address("admin"))
    assert kept.request(target="/ready", host="localhost").body == b"LIVE\n"
    proxy.signal(signal.SIGTERM)
    proxy.wait_log("draining")
    ready = kept.request(target="/ready", host="localhost")
    assert ready.status == 503 and ready.body == b"DRAINING\n"
    assert ask(proxy, "/ready").status == 503, "new connections too"
    numbers = stats(proxy)
    assert numbers["server.live"] == 0 and numbers["server.state"] == 1
    assert numbers["http.inbound.downstream_rq_active"] == 1
    gate.open.set()
    assert running.read_response().status == 200
    assert proxy.wait_exit() == 0
    kept.expect_closed()


def test_a_connection_to_it_does_not_hold_up_a_drain(sluice, origin):
    proxy = sluice(config(origin().endpoint, drain_timeout="60s"))
    idle, slow = Client(proxy.address("admin")), Client(proxy.address("admin"))
    assert idle.request(target="/ready", host="localhost").status == 200
    slow.send(b"GET /stats HTTP/1.1\r\nHost: loc")
    wait_until(lambda: stats(proxy)["listener.admin.downstream_cx_active"] == 3)
    proxy.stop(seconds=10)


def test_to_be_told_to_quit_is_as_good_as_a_signal(sluice, origin):
    gate = Gate()
    upstream = origin(gate)
    proxy = sluice(config(upstream.endpoint))
    running = Client(proxy.address())
    running.send(encode())
    upstream.wait_for(lambda o: o.peers and o.peers[0].parsed)
    assert post(proxy, "/quitquitquit").body == b"OK\n"
    proxy.wait_log("draining")
    assert ask(proxy, "/ready").body == b"DRAINING\n"
    gate.open.set()
    assert running.read_response().status == 200
    assert proxy.wait_exit() == 0


def test_the_answer_to_quit_comes_when_nothing_is_left_to_wait_for(sluice, origin):
    proxy = sluice(config(origin().endpoint))
    assert post(proxy, "/quitquitquit").body == b"OK\n"
    assert proxy.wait_exit() == 0


def test_listeners_that_are_drained_and_a_process_that_stays(sluice, origin):
    proxy = sluice(config(origin().endpoint))
    kept = Client(proxy.address())
    assert kept.request().status == 200
    assert post(proxy, "/drain_listeners?graceful").body == b"OK\n"
    ready = ask(proxy, "/ready")
    assert ready.status == 503 and ready.body.startswith(b"DRAINING\n")
    kept.expect_closed()

    def is_refused():
        try:
            Client(proxy.address()).close()
        except ConnectionRefusedError:
            return True

    wait_until(is_refused)
    reload = post(proxy, "/reload")
    assert reload.status == 400 and b"drained" in reload.body, "it would open listeners that are new"
    expect(proxy, {"listener.inbound.sockets_accepting": 0, "server.live": 0})
    proxy.stop()


def test_a_health_check_that_fails_on_purpose(sluice, origin):
    proxy = sluice(config(origin().endpoint))
    assert post(proxy, "/healthcheck/fail").body == b"OK\n"
    ready = ask(proxy, "/ready")
    assert ready.status == 503
    assert get(proxy.address()).status == 200, "it goes on serving"
    assert stats(proxy)["server.live"] == 0
    assert post(proxy, "/healthcheck/ok").body == b"OK\n"
    assert text(proxy, "/ready") == "LIVE\n"
    assert stats(proxy)["server.live"] == 1


def test_a_listener_that_cannot_accept_is_not_ready(sluice, origin):
    """A process without descriptors stops accepting for a while."""
    proxy = sluice(config(origin().endpoint, max_connections=1000), fd_limit=40)
    admin = Client(proxy.address("admin"))
    assert admin.request(target="/ready", host="localhost").status == 200
    held = []
    try:
        def is_unready():
            # Those that the kernel holds in its queue are not accepted: connecting never fails.
            held.append(Client(proxy.address()))
            return admin.request(target="/ready", host="localhost").status == 503

        wait_until(is_unready)
        said = admin.request(target="/ready", host="localhost").body.decode()
        assert re.search(r"^listener inbound accepts at 0 of 1 sockets$", said, re.M) or said == "LIVE\n", said
        numbers = admin.request(target="/stats?filter=accept_failed", host="localhost").body.decode()
        assert int(re.search(r"^listener\.inbound\.downstream_cx_accept_failed: (\d+)", numbers, re.M)[1]) > 0
    finally:
        for client in held:
            client.close()
    wait_until(lambda: admin.request(target="/ready", host="localhost").status == 200, seconds=10)
    assert get(proxy.address()).status == 200


def test_it_can_be_reached_when_no_client_can_be_taken(sluice, origin):
    proxy = sluice(config(origin().endpoint, max_connections=2))
    held = [Client(proxy.address()) for _ in range(2)]
    assert all(client.request().status == 200 for client in held)
    Client(proxy.address()).expect_closed()
    assert text(proxy, "/ready") == "LIVE\n"
    numbers = expect(proxy, {"listener.inbound.downstream_global_cx_overflow": 1,
                             "listener.inbound.downstream_cx_active": 2, "server.total_connections": 2})
    assert numbers["listener.admin.downstream_cx_total"] >= 1


def test_it_can_be_added_moved_and_taken_away_by_a_reload(sluice, origin, tmp_path):
    upstream = origin()
    proxy = sluice(config(upstream.endpoint, admin=None))
    assert not proxy.addresses("admin")
    proxy.reload(config(upstream.endpoint, admin=BIND))
    assert text(proxy, "/ready") == "LIVE\n"
    path = str(tmp_path / "admin.sock")
    proxy.reload(config(upstream.endpoint, admin=f"unix:{path}"))
    assert ask(proxy, "/ready", address=path).body == b"LIVE\n"
    proxy.reload(config(upstream.endpoint, admin=None))
    wait_until(lambda: not os.path.exists(path))
    assert get(proxy.address()).status == 200


def test_a_reload_that_is_asked_for_over_it_may_change_it(sluice, origin):
    upstream = origin()
    proxy = sluice(config(upstream.endpoint))
    proxy.write(config(upstream.endpoint, admin={**BIND, "token": "another-token-1234"}))
    assert post(proxy, "/reload").body == b"OK\n"
    wait_until(lambda: post(proxy, "/healthcheck/ok").status == 401)
    assert post(proxy, "/healthcheck/ok", token="another-token-1234").status == 200


def test_a_body_is_read_and_ignored(sluice, origin):
    proxy = sluice(config(origin().endpoint))
    fields = [("Authorization", f"Bearer {PROTECTED['token']}")]
    for body in [b"a=b", b"x" * 100_000]:
        answer = get(proxy.address("admin"), "/healthcheck/ok", fields, "localhost", "POST", body)
        assert answer.status == 200 and answer.body == b"OK\n"
    assert ask(proxy, "/ready").status == 200
