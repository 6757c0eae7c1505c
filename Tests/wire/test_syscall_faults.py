"""Every system call fails at every place once: the process lives, later requests are served, nothing is left open.

The program reads SLUICE_FAULTS; `recv:3:ECONNRESET` fails its third recv. Calls that come to an end with EAGAIN are
left out: the kernel promises an event after it, and a fault that is made up brings none.
"""
import functools
import re
import signal

import pytest

from client import Client, Closed, Silence, encode, get
from configs import http_proxy
from origin import Origin, answer
from sluice import Sluice

STARTING = {
    "socket": "EMFILE", "bind": "EACCES", "listen": "EADDRINUSE", "setsockopt": "ENOPROTOOPT",
    "epoll_create1": "EMFILE", "epoll_ctl": "ENOMEM", "eventfd": "ENFILE",
    "signalfd": "EMFILE", "pthread_create": "EAGAIN", "open": "EACCES",
}
RUNNING = {
    "accept4": ["EMFILE", "ENFILE", "ENOMEM", "ECONNABORTED", "EPROTO", "EINTR"],
    "recv": ["ECONNRESET", "ETIMEDOUT", "EINTR"],
    "send": ["EPIPE", "ECONNRESET", "EINTR"],
    "sendmsg": ["EPIPE", "ECONNRESET", "ENOMEM", "EINTR"],
    "connect": ["ECONNREFUSED", "ENETUNREACH", "EADDRNOTAVAIL", "ETIMEDOUT"],
    "socket": ["EMFILE", "ENFILE", "ENOBUFS"],
    "setsockopt": ["ENOPROTOOPT"],
    "getsockopt": ["ENOBUFS"],
    "epoll_ctl": ["ENOMEM", "ENOSPC"],
    "epoll_wait": ["EINTR"],
    "peek": ["ECONNRESET", "EINTR"],
    "shutdown": ["ENOTCONN"],
}
FAILED = {400, 408, 502, 503, 504}
STEP, ROUNDS = 3, 16


def echo(peer):
    """Answers with the body of the request; closes each fifth connection after its second answer."""
    served = 0
    while request := peer.read_request():
        peer.send(answer(request.body))
        served += 1
        if peer.number % 5 == 4 and served == 2:
            return


def config(endpoint, **settings):
    return http_proxy(endpoint, workers=1, **settings)


@functools.cache
def calls_of_the_start(call):
    """How many calls of a kind must not fail for the program to start."""
    if RUNNING[call] == ["EINTR"]:
        return 0
    one = Origin()
    try:
        for count in range(40):
            proxy = Sluice(config(one.endpoint), wait=False,
                           env={"SLUICE_FAULTS": f"{call}:{count + 1}:{RUNNING[call][0]}:*"})
            try:
                line = proxy.stderr.wait(lambda line: '"ready"' in line, 20)
                if line is not None:
                    return count
            finally:
                proxy.kill()
                proxy.finish()
    finally:
        one.stop()
    raise AssertionError(f"the program does not start without a failing {call}")


def talk(address, number):
    """One client with a few requests, any of which may fail, but none may be left without an end or be wrong."""
    body = b"%d|" % number * 3000
    try:
        with Client(address, patience=8) as client:
            for method, sent in (("GET", b""), ("POST", body), ("GET", b""), ("PUT", b"x")):
                response = client.request(method, f"/{number}", body=sent)
                assert response.status in FAILED or response.status == 200 and response.body == sent
                if response.status != 200 or response.get("connection", "").lower() == "close":
                    return False
            return True
    except (Closed, ConnectionError):
        return False
    except Silence as silence:
        raise AssertionError(f"client {number} was left without an end: {silence}") from None


@pytest.mark.parametrize("offset", range(STEP))
@pytest.mark.parametrize("call, errno", [(call, errno) for call, errnos in RUNNING.items() for errno in errnos])
def test_a_call_that_fails_costs_a_request_at_most(sluice, origin, call, errno, offset):
    one = origin(echo)
    first = calls_of_the_start(call) + 1 + offset
    schedule = ",".join(f"{call}:{nth}:{errno}" for nth in range(first, first + 60, STEP))
    proxy = sluice(config(one.endpoint), env={"SLUICE_FAULTS": schedule})
    address = proxy.address()
    before = proxy.fds()
    for number in range(ROUNDS):
        talk(address, number)
    # Whatever of the schedule is left is used up by more of the same; then everything is as it was.
    good = 0
    for number in range(300):
        good = good + 1 if talk(address, number) else 0
        if good == 10:
            break
    assert good == 10, "requests go on failing"
    proxy.wait_fds(lambda count: count <= before + 1)
    proxy.stop()


@pytest.mark.parametrize("call", STARTING)
def test_a_call_that_fails_at_the_start_is_reported_or_done_without(sluice, origin, call, tmp_path):
    one = origin(echo)
    errno = STARTING[call]
    for nth in range(1, 7):
        proxy = sluice(config(one.endpoint, access_log=str(tmp_path / "log")), wait=False,
                       env={"SLUICE_FAULTS": f"{call}:{nth}:{errno}"})
        if proxy.stderr.wait(lambda line: '"ready"' in line, 20):
            # The fault may be still to come.
            assert any(talk(proxy.address(), number) for number in range(5))
            proxy.stop()
        else:
            assert proxy.wait_exit() == 1, proxy.log_text()
            assert errno in proxy.log_text()


@pytest.mark.parametrize("call, errno", [("socket", "EMFILE"), ("bind", "EADDRINUSE"), ("listen", "EADDRINUSE"),
                                         ("setsockopt", "ENOPROTOOPT"), ("open", "EMFILE"), ("epoll_ctl", "ENOSPC")])
def test_a_call_that_fails_at_a_reload_leaves_the_running_config_as_it_was(sluice, origin, tmp_path, call, errno):
    """Each call of the reload fails once, until one reload goes through."""
    one = origin()
    small = config(one.endpoint)
    large = config(one.endpoint, access_log=str(tmp_path / "log"))
    for name in ("second", "third"):
        large["listeners"][name] = {"bind": ["127.0.0.1:0", f"unix:{tmp_path}/{name}.sock"],
                                    "chain": ["http", {"router": {"to": "app"}}]}
    first = (calls_of_the_start(call) if call in RUNNING else 1) + 1
    schedule = ",".join(f"{call}:{nth}:{errno}" for nth in range(first, first + 40, 7))
    proxy = sluice(small, env={"SLUICE_FAULTS": schedule})
    descriptors = None
    for _ in range(40):
        since = proxy.mark()
        proxy.reload(large, expect="reloaded|refused")
        if any(entry.get("message") == "config reloaded" for entry in proxy.log[since:]):
            break
        answered(proxy)
        descriptors = descriptors or proxy.fds()
        proxy.wait_fds(lambda count: count <= descriptors + 1)
    else:
        raise AssertionError(f"no reload goes through:\n{proxy.log_text()}")
    for _ in range(30):
        answered(proxy)
    assert get(proxy.address()).status == 200
    assert get(f"{tmp_path}/second.sock").status == 200


def answered(proxy):
    """A request with any answer, or none: faults that are left over hit requests as well."""
    try:
        get(proxy.address())
    except (Closed, ConnectionError):
        pass


def test_a_full_disk_costs_lines_only(sluice, origin):
    proxy = sluice(config(origin().endpoint, access_log="/dev/full"))
    for _ in range(3):
        assert get(proxy.address()).status == 200
        proxy.signal(signal.SIGUSR1)
    proxy.stop()


@pytest.mark.parametrize("errno", ["ENOSPC", "EPIPE"])
def test_a_log_that_cannot_be_written_costs_lines_only(sluice, origin, tmp_path, errno):
    path = tmp_path / "log"
    schedule = ",".join(f"write:{nth}:{errno}:3" for nth in range(8, 200, 12))
    proxy = sluice(config(origin().endpoint, access_log={"to": str(path), "format": "%REQ(:PATH)%"}),
                   env={"SLUICE_FAULTS": schedule})
    for number in range(40):
        assert get(proxy.address(), f"/{number}").status == 200
        if number % 10 == 0:
            proxy.signal(signal.SIGUSR1)
    proxy.signal(signal.SIGTERM)
    assert proxy.wait_exit() == 0
    assert all(re.fullmatch(r"/\d+", line) for line in path.read_text().splitlines()), "no line is cut or joined"


def test_a_log_file_that_cannot_be_opened_again_is_reported_and_the_old_one_used(sluice, origin, tmp_path):
    path = tmp_path / "log"
    proxy = sluice(config(origin().endpoint, access_log={"to": str(path), "format": "%REQ(:PATH)%"}),
                   env={"SLUICE_FAULTS": "open:2:EMFILE"})
    path.rename(tmp_path / "old")
    proxy.signal(signal.SIGUSR1)
    assert "EMFILE" in proxy.wait_log("cannot open", level="error")["error"]
    assert get(proxy.address(), "/old").status == 200
    proxy.stop()
    assert (tmp_path / "old").read_text() == "/old\n" and not path.exists()


def test_a_socket_file_that_cannot_be_removed_does_not_spoil_the_end(sluice, origin, tmp_path):
    proxy = sluice(config(origin().endpoint, listener={"bind": f"unix:{tmp_path}/in.sock"}),
                   env={"SLUICE_FAULTS": "unlink:1:EACCES:*"})
    assert get(f"{tmp_path}/in.sock").status == 200
    proxy.stop()


def test_faults_hit_a_tunnel_without_harm(sluice, origin):
    """The same for tcp_proxy: each recv, sendmsg and connect in turn."""
    def upper(peer):
        while peer.fill():
            sent = len(peer.received)
            peer.send(bytes(peer.received[peer.parsed:sent]).upper())
            peer.parsed = sent
    one = origin(upper)
    schedule = ",".join([f"recv:{n}:ECONNRESET" for n in range(1, 60, 5)]
                        + [f"sendmsg:{n}:EPIPE,send:{n}:EPIPE" for n in range(1, 60, 7)]
                        + [f"connect:{n}:ECONNREFUSED,socket:{n + 1}:EMFILE" for n in range(2, 30, 5)]
                        + [f"epoll_ctl:{n}:ENOSPC" for n in range(8, 60, 6)])
    proxy = sluice({"workers": 1, "listeners": {"inbound": {"bind": "127.0.0.1:0",
                                                           "chain": [{"tcp_proxy": {"to": "app"}}]}},
                    "clusters": {"app": {"endpoints": [one.endpoint]}}}, env={"SLUICE_FAULTS": schedule})
    before = proxy.fds()
    served = 0
    for number in range(60):
        with Client(proxy.address(), patience=8) as client:
            client.send(encode())
            client.half_close()
            data = client.read_to_end()
            assert data in (b"", encode().upper()) or encode().upper().startswith(data)
            served += data == encode().upper()
    assert served > 10
    proxy.wait_fds(lambda count: count <= before)
