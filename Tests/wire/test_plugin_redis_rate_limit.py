"""plugins/redis_rate_limit: one limit for many proxies, kept by a real Redis that may be slow, full of errors, or gone."""
import json
import pathlib
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from admin import BIND, expect, stats, text
from certificates import authority, server
from client import Client, encode, get
from flow import wait_until
from load import Load
from peers import free_port, program, redis  # noqa: F401
from plugin_builds import library
from sluice import run_cli

LOG = {"to": "stdout", "format": "%REQ(:PATH)% %RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% %REACHED_LIMIT%"}
# Long enough for a machine with much to do, where a test does not want it to run out.
CALM = {"timeout": "10s"}


def config(app, server, routes=None, **limit):
    listener = {"bind": "127.0.0.1:0", "chain": [
        "http", {"redis_rate_limit": {"server": server, **CALM, **limit}}, {"router": {"routes": routes or [{"to": "app"}]}}]}
    return {"plugins": [library("redis_rate_limit")], "admin": BIND, "access_log": LOG, "listeners": {"inbound": listener},
            "clusters": {"app": {"endpoints": [app]}}}


def statuses(proxy, count, *args, **kwargs):
    return [get(proxy.address(), *args, **kwargs).status for _ in range(count)]


def errors(proxy, reason):
    line = f'sluice_redis_rate_limit_errors_total{{listener="inbound",filter="redis_rate_limit",reason="{reason}"}} '
    found = [each for each in text(proxy, "/stats/prometheus").splitlines() if each.startswith(line)]
    return int(found[0].rpartition(" ")[2]) if found else 0


def counts(**expected):
    return {f"http.inbound.redis_rate_limit.{name}": expected.get(name, 0)
            for name in ("allowed", "limited", "failure_mode_allowed")}


# MARK: The limit

def test_just_as_many_requests_pass_as_may_whichever_proxies_they_come_to(sluice, origin, redis):
    app, store = origin(), redis()
    proxies = [sluice({**config(app.endpoint, store.endpoint, requests=57, per="1h"), "workers": 2}) for _ in range(2)]
    assert [get(each.address()).status for each in proxies] == [200, 200]

    def ask(number):
        with Client(proxies[number % 2].address()) as client:
            return [client.request().status for _ in range(10)]
    with ThreadPoolExecutor(16) as pool:
        seen = [status for some in pool.map(ask, range(32)) for status in some]
    assert (seen.count(200), seen.count(429)) == (55, 320 - 55)
    assert len(app.requests) == 57
    wait_until(lambda: sum(stats(each)["http.inbound.redis_rate_limit.allowed"] for each in proxies) == 57)


def test_tokens_grow_again_one_by_one(sluice, origin, redis):
    proxy = sluice(config(origin().endpoint, redis().endpoint, requests=5, per="5s", burst=1))
    with Client(proxy.address()) as client:
        for _ in range(2):
            wait_until(lambda: client.request().status == 200, what="no token came")
            assert client.request().status == 429


def test_clients_and_logs_are_told_which_limit_it_was(sluice, origin, redis):
    proxy = sluice(config(origin().endpoint, redis().endpoint, requests=2, per="1h"))
    with Client(proxy.address()) as client:
        assert client.request().get("ratelimit-limit") is None
        client.request()
        response = client.request("POST", body=b"x" * 100_000)
    assert response.status == 429
    assert response.body == b"the limit of 2 requests in 3600s for all together is reached\n"
    told = {name: response.get(name) for name in [
        "retry-after", "ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"]}
    assert told == {"retry-after": "1800", "ratelimit-limit": "2", "ratelimit-remaining": "0", "ratelimit-reset": "3600"}
    line = proxy.wait_stdout("^/ 429 ")
    limit = "the limit of 2 requests in 3600s for all together is reached, set at "
    assert line.startswith(f"/ 429 RL redis_rate_limit.over_limit {limit}")
    number = int(line.rsplit(":", 2)[1])
    assert '"requests": 2' in proxy.config_file.read_text().splitlines()[number - 1]
    expect(proxy, counts(allowed=2, limited=1))


def test_each_answer_tells_what_is_left_where_it_is_asked_to(sluice, origin, redis):
    proxy = sluice(config(origin().endpoint, redis().endpoint, requests=3, per="1h", headers="always", status=420,
                          header_prefix="x-ratelimit", body="slowly\n"))
    with Client(proxy.address()) as client:
        seen = [client.request() for _ in range(4)]
    assert [(response.status, response.get("x-ratelimit-remaining")) for response in seen] == [
        (200, "2"), (200, "1"), (200, "0"), (420, "0")]
    assert seen[3].body == b"slowly\n" and {response.get("x-ratelimit-limit") for response in seen} == {"3"}


# MARK: Whom it is for

def test_each_client_and_each_value_has_a_bucket_which_ceases_to_be_when_it_is_full(sluice, origin, redis):
    store = redis()
    limit = config(origin().endpoint, store.endpoint, requests=1, per="20s", by="client_address", name="edge")
    limit["listeners"]["inbound"]["chain"][0] = {"http": {"trusted_hops": 1}}
    proxy = sluice(limit)
    seen = [get(proxy.address(), headers={"X-Forwarded-For": address}).status for address in [
        "192.0.2.1", "192.0.2.2", "198.51.100.7, 192.0.2.1", "2001:db8::1", "2001:0DB8:0::2", "2001:db8:0:1::1",
        "::ffff:192.0.2.2"]]
    assert seen == [200, 200, 429, 200, 429, 200, 429]
    limit = config(origin().endpoint, store.endpoint, requests=1, per="20s", by={"header": "X-Api-Key"}, missing="limit")
    other = sluice(limit)
    assert [get(other.address(), headers={"x-api-key": key} if key else {}).status
            for key in ("secret-a", "secret-b", "secret-a", None, None, "s" * 9000)] == [200, 200, 429, 200, 429, 200]
    keys = store.ask("keys", "*").split()
    assert {"sluice:edge:client:192.0.2.1", "sluice:edge:client:2001:db8:0:0::/64", "sluice:inbound:x-api-key:"} <= set(keys)
    assert len(keys) == 8 and not [key for key in keys if "secret" in key or len(key) > 60]
    assert all(0 < int(store.ask("pttl", key)) <= 20_000 for key in keys)


def test_each_route_has_its_own_limit_and_some_have_none(sluice, origin, redis):
    own = {"redis_rate_limit": {"requests": 2, "per": "1h"}}
    routes = [{"name": "health", "match": {"path": "/health"}, "to": "app",
               "filters": {"redis_rate_limit": {"enabled": False}}},
              {"name": "pay", "match": {"path": "/pay"}, "to": "app", "filters": own},
              {"name": "hello", "match": {"path": "/hello"}, "respond": {"status": 200, "body": "hello"}},
              {"name": "rest", "match": {"path": "/rest"}, "to": "app"}, {"name": "more", "to": "app"}]
    store = redis()
    proxy = sluice(config(origin().endpoint, store.endpoint, routes, requests=1, per="1h"))
    assert statuses(proxy, 3, "/health") == [200] * 3
    assert statuses(proxy, 3, "/pay") == [200, 200, 429]
    # What the router answers itself goes nowhere.
    assert statuses(proxy, 3, "/hello") == [200] * 3
    assert statuses(proxy, 1, "/rest") + statuses(proxy, 1, "/more") == [200, 429]
    assert get(proxy.address(), "/pay").body == b"the limit of 2 requests in 3600s for this route is reached\n"
    assert set(store.ask("keys", "*").split()) == {"sluice:inbound:route:pay", "sluice:inbound"}
    other = sluice(config(origin().endpoint, store.endpoint, routes, requests=1, per="1h", by="route", name="b"))
    assert [get(other.address(), path).status for path in ("/rest", "/more", "/rest", "/pay", "/pay", "/pay")] == [
        200, 200, 429, 200, 200, 429]


# MARK: Where Redis does not decide

@pytest.mark.parametrize("mode, status", [("open", 200), ("closed", 503)])
def test_without_redis_it_is_as_set_and_with_it_again_there_is_a_limit(sluice, origin, redis, mode, status):
    store = redis()
    proxy = sluice(config(origin().endpoint, store.endpoint, requests=2, per="1h", on_error=mode))
    assert statuses(proxy, 3) == [200, 200, 429]
    store.kill()
    proxy.wait_log("the connection to Redis is lost")
    begin = time.monotonic()
    assert statuses(proxy, 20) == [status] * 20
    # Nobody waits for what is known to be gone.
    assert time.monotonic() - begin < 5
    proxy.wait_stdout("^/ 200 - " if mode == "open" else "^/ 503 - redis_rate_limit.undecided")
    wait_until(lambda: errors(proxy, "unavailable") == 20)
    mark = proxy.mark()
    store.start()
    proxy.wait_log("connected to Redis", since=mark)
    assert statuses(proxy, 3) == [200, 200, 429]
    expect(proxy, counts(allowed=4, limited=2, failure_mode_allowed=20 if mode == "open" else 0))
    # What goes on for long is said once.
    assert len([entry for entry in proxy.log if "Redis" in entry["message"] and entry["level"] == "warning"]) <= 2


@pytest.mark.parametrize("mode, status", [("open", 200), ("closed", 503)])
def test_a_redis_that_was_never_there_is_the_same(sluice, origin, refused, mode, status):
    proxy = sluice(config(origin().endpoint, refused, requests=2, on_error=mode))
    assert statuses(proxy, 5) == [status] * 5
    assert proxy.wait_log("Redis cannot be reached")["reason"] == "Connection refused"
    wait_until(lambda: errors(proxy, "unavailable") == 5)


def test_a_redis_that_does_not_keep_connections_is_tried_ever_more_slowly(sluice, origin):
    def script(peer):
        peer.fill()
        peer.send(b"$40\r\n" + b"0" * 40 + b"\r\n")
    store = origin(script)
    proxy = sluice(config(origin().endpoint, store.endpoint, requests=2))
    begin = time.monotonic()
    while len(store.peers) < 7:
        assert get(proxy.address()).status == 200
    # At once, and after 62, 125, 250, 500 ms and a second, or after half of these.
    assert time.monotonic() - begin > 0.9
    said = [entry["message"] for entry in proxy.log if "Redis" in entry["message"]]
    assert said[:2] == ["connected to Redis", "the connection to Redis is lost"] and len(said) <= 4


@pytest.mark.parametrize("mode, status", [("open", 200), ("closed", 503)])
def test_a_redis_that_is_slow_is_waited_for_as_long_as_set(sluice, origin, redis, mode, status):
    store = redis()
    proxy = sluice(config(origin().endpoint, store.endpoint, requests=2, per="1h", on_error=mode, timeout="1s"))
    assert statuses(proxy, 3) == [200, 200, 429]
    store.pause()
    begin = time.monotonic()
    assert statuses(proxy, 1) == [status]
    assert 1 <= time.monotonic() - begin < 4
    wait_until(lambda: errors(proxy, "timeout") >= 1)
    # Then it counts as gone, and nobody waits.
    proxy.wait_log("the connection to Redis is lost", reason="no answer came in time")
    assert statuses(proxy, 5) == [status] * 5
    mark = proxy.mark()
    store.go_on()
    proxy.wait_log("connected to Redis", since=mark)
    assert statuses(proxy, 1) == [429]


def test_no_request_is_lost_while_redis_comes_and_goes(sluice, origin, redis):
    store = redis()
    proxy = sluice({**config(origin().endpoint, store.endpoint, requests=100_000, per="1h", timeout="100ms",
                             headers="always"), "workers": 2})
    with Load(proxy.address()) as load:
        for _ in range(3):
            load.wait_for(50)
            store.kill()
            load.wait_for(50)
            store.start()
            load.wait_for(50)
            store.pause()
            load.wait_for(50)
            store.go_on()
    load.check()
    later = []

    def is_decided():
        later.append(get(proxy.address()))
        return later[-1].get("ratelimit-remaining")
    wait_until(is_decided)
    number = load.done + len(later)
    failed = sum(errors(proxy, reason) for reason in ("timeout", "unavailable", "overflow", "refused"))
    expect(proxy, counts(allowed=number - failed, failure_mode_allowed=failed))


def test_only_so_many_requests_wait_for_redis(sluice, origin, redis):
    store = redis()
    proxy = sluice({**config(origin().endpoint, store.endpoint, requests=100, per="1h", max_pending=3,
                             on_error="closed", timeout="1m"), "workers": 1})
    assert statuses(proxy, 1) == [200]
    store.pause()
    waiting = [Client(proxy.address()) for _ in range(3)]
    for client in waiting:
        client.send(encode())
    wait_until(lambda: statuses(proxy, 1) == [503])
    assert errors(proxy, "overflow") >= 1
    store.go_on()
    assert [client.read_response().status for client in waiting] == [200] * 3
    assert statuses(proxy, 1) == [200]


def test_a_client_that_leaves_is_neither_counted_nor_in_the_way(sluice, origin, redis):
    app, store = origin(), redis()
    proxy = sluice({**config(app.endpoint, store.endpoint, requests=100, per="1h", timeout="1m"), "workers": 1})
    assert statuses(proxy, 1) == [200]
    store.pause()
    with Client(proxy.address()) as client:
        client.send(encode("GET", "/left"))
        expect(proxy, {"http.inbound.downstream_rq_active": 1})
        client.reset()
    proxy.wait_stdout("^/left 0 DC ")
    store.go_on()
    assert statuses(proxy, 1) == [200]
    expect(proxy, counts(allowed=2))
    assert [request.target for request in app.requests] == ["/", "/"]


def test_a_script_that_redis_has_forgotten_is_brought_again(sluice, origin, redis):
    store = redis()
    proxy = sluice(config(origin().endpoint, store.endpoint, requests=3, per="1h"))
    assert statuses(proxy, 1) == [200]
    store.ask("script", "flush")
    assert statuses(proxy, 3) == [200, 200, 429]
    assert not errors(proxy, "refused")
    assert "calls=1," in [line for line in store.ask("info", "commandstats").splitlines() if "_eval:" in line][0]


def test_errors_of_redis_are_counted_and_said_once(sluice, origin, redis):
    store = redis()
    proxy = sluice(config(origin().endpoint, store.endpoint, requests=3, per="1h", on_error="closed"))
    store.ask("lpush", "sluice:inbound", "no number")
    assert statuses(proxy, 5) == [503] * 5
    assert "WRONGTYPE" in proxy.wait_log("Redis does not decide")["reason"]
    wait_until(lambda: errors(proxy, "refused") == 5)
    assert len([entry for entry in proxy.log if entry["message"] == "Redis does not decide"]) == 1
    store.ask("del", "sluice:inbound")
    assert statuses(proxy, 4) == [200, 200, 200, 429]


# MARK: The connection

def test_it_logs_in_and_says_why_it_cannot(sluice, origin, redis, tmp_path):
    store = redis(on_port=True)
    store.ask("acl", "setuser", "limits", "on", ">s3cret-word", "~sluice:*", "+eval", "+evalsha", "+script|load", "+select",
              "+time", "+get", "+set")
    file = tmp_path / "word"
    file.write_text("s3cret-word\n")
    limit = config(origin().endpoint, store.endpoint, requests=1, per="1h", user="limits", database=3)
    proxy = sluice(json.dumps(limit).replace('"user"', f'"password": !file {file}, "user"'))
    assert statuses(proxy, 2) == [200, 429]
    assert store.ask("-n", 3, "keys", "*") == "sluice:inbound"
    limit["listeners"]["inbound"]["chain"][1]["redis_rate_limit"]["password"] = "wr0ng-word"
    other = sluice(limit)
    assert statuses(other, 2) == [200, 200]
    assert other.wait_log("Redis cannot be reached")["reason"].startswith("WRONGPASS")
    page = text(proxy, "/stats/prometheus") + text(other, "/stats/prometheus")
    assert "-word" not in page + proxy.log_text() + other.log_text()


def test_sluice_itself_carries_its_bytes_over_tls(sluice, origin, redis, tmp_path):
    crt, key = server().write(tmp_path, "redis")
    ca = tmp_path / "ca.pem"
    ca.write_bytes(authority().pem)
    port = free_port()
    store = redis("--tls-port", port, "--tls-cert-file", crt, "--tls-key-file", key, "--tls-ca-cert-file", ca,
                  "--tls-auth-clients", "no")
    inside = f"unix:{store.folder}/inside"
    limit = config(origin().endpoint, inside, requests=2, per="1h")
    limit["listeners"]["redis"] = {"bind": inside, "chain": [{"tcp_proxy": "redis"}]}
    limit["clusters"]["redis"] = {"endpoints": [f"localhost:{port}"], "chain": [{"tls": {"ca": str(ca)}}]}
    assert statuses(sluice(limit), 3) == [200, 200, 429]


def test_requests_that_come_together_are_asked_about_together(sluice, origin, redis):
    store = redis()
    proxy = sluice(config(origin().endpoint, store.endpoint, requests=100_000, per="1h"))

    def ask(_):
        with Client(proxy.address()) as client:
            return [client.request().status for _ in range(50)]
    with ThreadPoolExecutor(20) as pool:
        assert {status for some in pool.map(ask, range(40)) for status in some} == {200}
    expect(proxy, counts(allowed=2000))
    assert "calls=2000," in [line for line in store.ask("info", "commandstats").splitlines() if "_evalsha:" in line][0]
    # One connection for all workers, and the one that asks this.
    assert "connected_clients:2" in store.ask("info", "clients")


def threads(proxy):
    return [each for each in pathlib.Path(f"/proc/{proxy.pid}/task").iterdir()
            if (each / "comm").read_text().strip() == "redis_limit"]


def test_the_bucket_and_the_connection_outlive_a_reload_and_end_with_the_filter(sluice, origin, redis):
    app, store = origin(), redis()
    limit = config(app.endpoint, store.endpoint, requests=2, per="1h")
    proxy = sluice(limit)
    assert statuses(proxy, 3) == [200, 200, 429]
    limit["listeners"]["inbound"]["chain"][1]["redis_rate_limit"]["status"] = 420
    proxy.reload(limit)
    assert statuses(proxy, 1) == [420] and len(threads(proxy)) == 1
    assert len([entry for entry in proxy.log if entry["message"] == "connected to Redis"]) == 1
    del limit["listeners"]["inbound"]["chain"][1]
    proxy.reload(limit)
    assert statuses(proxy, 1) == [200]
    wait_until(lambda: not threads(proxy))
    wait_until(lambda: "connected_clients:1" in store.ask("info", "clients"))


# MARK: Settings

def test_a_config_is_checked_without_redis(origin, tmp_path):
    one = origin()
    file = tmp_path / "sluice.yaml"
    file.write_text(json.dumps(config("127.0.0.1:1", one.endpoint, requests=1)))
    assert run_cli("check", str(file)).returncode == 0
    assert not one.peers


def test_settings_that_cannot_work_are_refused_with_a_hint(tmp_path):
    for limit, message, hint in [
            ({"server": "redis"}, "is not where a server could be", "127.0.0.1:6379"),
            ({"per": "1s"}, "is missing", "requests: 100"), ({"user": "a"}, "has no `password`", ""),
            ({"requests": 2_000_000}, "more than a million a second", ""),
            ({"requests": 1, "by": "x-api-key"}, "expected `listener`", "by: { header: x-api-key }")]:
        file = tmp_path / "sluice.yaml"
        file.write_text(json.dumps(config("127.0.0.1:1", **{"server": "127.0.0.1:2", **limit}), indent=1))
        done = run_cli("check", str(file))
        assert done.returncode == 1
        assert message in done.stdout and hint in done.stdout
