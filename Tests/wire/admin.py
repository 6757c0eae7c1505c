"""Asks the admin interface of a running proxy."""
import json

from client import Client
from flow import wait_until

BIND = {"bind": "127.0.0.1:0"}
TOKEN = "a-token-for-tests"
PROTECTED = {**BIND, "token": TOKEN}


def ask(proxy, target, method="GET", token=None, host="localhost", headers=(), address=None):
    """One request to the admin interface; `token` is shown as a bearer token."""
    fields = list(headers) + ([("Authorization", f"Bearer {token}")] if token else [])
    with Client(address or proxy.address("admin")) as client:
        return client.request(method, target, fields, host=host)


def post(proxy, target, token=TOKEN, **how):
    return ask(proxy, target, "POST", token, **how)


def text(proxy, target, **how):
    """The body of a page that must be there."""
    response = ask(proxy, target, **how)
    assert response.status == 200, response.body
    return response.body.decode()


def read_json(proxy, target, **how):
    response = ask(proxy, target, **how)
    assert response.status == 200 and response.get("content-type") == "application/json", response.body
    return json.loads(response.body)


class Stats(dict):
    """Counters and gauges by their names; 0 for what is not there."""

    def __missing__(self, name):
        return 0


def stats(proxy):
    found = Stats()
    for entry in read_json(proxy, "/stats?format=json")["stats"]:
        if "name" in entry:
            assert entry["name"] not in found, entry
            found[entry["name"]] = entry["value"]
    return found


def expect(proxy, expected, seconds=5.0):
    """Waits until statistics say what is expected: a request is counted when it is over, which its client cannot see."""
    now = Stats()

    def differences():
        now.update(stats(proxy))
        return {name: (now[name], value) for name, value in expected.items() if now[name] != value}

    wait = lambda: not differences()  # noqa: E731
    try:
        wait_until(wait, seconds)
    except AssertionError:
        raise AssertionError(f"name: (is, should be): {differences()}") from None
    return now


def active(numbers):
    """Everything that goes up and down and is not 0, without the admin interface's own."""
    return {name: value for name, value in numbers.items() if name.endswith("_active") and value
            and ".admin." not in name and not name.startswith(("server.", "listener_manager.", "cluster_manager."))}


def expect_rest(proxy, seconds=5.0):
    """All that is counted as running or open has ended."""
    wait_until(lambda: not active(stats(proxy)), seconds, f"still active: {active(stats(proxy))}")


def expect_idle(proxy, seconds=5.0):
    """Nothing runs; connections to upstreams may wait for more."""
    def left():
        return {name: value for name, value in active(stats(proxy)).items()
                if not name.startswith("cluster.") or "cx_active" not in name}
    wait_until(lambda: not left(), seconds, f"still active: {left()}")
