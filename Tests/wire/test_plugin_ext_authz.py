"""plugins/ext_authz: an authorization service over HTTP decides who comes in, and what upstreams are told of them."""
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from admin import BIND, expect, expect_rest
from client import Client, encode, get
from flow import wait_until
from origin import answer, chunked
from plugin_builds import library
from sluice import run_cli

LOG = {"to": "stdout", "format": "%REQ(:PATH)% %RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS%"}
# Long enough for a machine with much to do, where a test does not want it to run out.
CALM = {"timeout": "10s"}


def config(app, auth, **settings):
    return {"plugins": [library("ext_authz")], "admin": BIND, "access_log": LOG,
            "clusters": {"app": {"endpoints": [app]}, "auth": {"endpoints": [auth]}},
            "listeners": {"inbound": {"bind": "127.0.0.1:0", "chain": [
                "http", {"ext_authz": {"cluster": "auth", **CALM, **settings}}, {"router": {"to": "app"}}]}}}


def service(decide):
    """A script for a service that answers each question with what `decide(request)` returns."""
    def script(peer):
        while request := peer.read_request():
            if not peer.send(decide(request)):
                return
    return script


def fields_of(request):
    return {name.lower(): value for name, value in request.headers}


def counts(**expected):
    names = ("ok", "denied", "error", "timeout", "failure_mode_allowed")
    return {f"http.inbound.ext_authz.{name}": expected.get(name, 0) for name in names}


def test_a_yes_lets_in_with_what_the_service_says_and_nothing_forged(sluice, origin):
    app = origin()
    auth = origin(service(lambda _: answer(b"fine", headers=[("X-User", "ada"), ("X-Inner", "secret")])))
    proxy = sluice(config(app.endpoint, auth.endpoint, path_prefix="/check", allowed_headers=["authorization", "x-a"],
                          allowed_upstream_headers=["x-user", "x-groups"]))
    with Client(proxy.address()) as client:
        response = client.request("POST", "/orders?id=1", [
            ("Authorization", "Bearer t"), ("Cookie", "a=b"), ("x-a", "1"), ("x-user", "root"), ("X-Groups", "admin"),
            ("x-user", "again"), ("x-kept", "yes")], body=b"goods", host="shop.test")
    assert (response.status, response.body) == (200, b"ok")
    [asked], [request] = auth.requests, app.requests
    assert (asked.method, asked.target, asked.body) == ("POST", "/check/orders?id=1", b"")
    shown = fields_of(asked)
    assert shown["host"] == "shop.test" and shown["authorization"] == "Bearer t" and shown["x-a"] == "1"
    assert not {"cookie", "x-user", "x-groups", "x-kept"} & set(shown)
    assert [value for name, value in request.headers if name.lower() == "x-user"] == ["ada"]
    told = fields_of(request)
    assert request.body == b"goods" and told["x-kept"] == "yes" and told["authorization"] == "Bearer t"
    assert "x-groups" not in told and "x-inner" not in told
    expect(proxy, counts(ok=1))


@pytest.mark.parametrize("data, told", [
    (answer(b"no", "403 Forbidden", [("Content-Type", "application/json"), ("X-Inner", "secret")]),
     {"content-type": "application/json", "x-inner": None}),
    (chunked([b"n", b"o"], headers=[("WWW-Authenticate", "A"), ("WWW-Authenticate", "B")]).replace(
        b"200 OK", b"401 Unauthorized"), {"www-authenticate": "A, B"}),
    (answer(b"", "302 Found", [("Location", "https://sso.test/?to=a")]), {"location": "https://sso.test/?to=a"}),
    (answer(b"no", "429 Too Many Requests", [("Retry-After", "3")]), {"retry-after": "3"})],
    ids=["403", "401", "302", "429"])
def test_a_no_is_what_the_client_gets(sluice, origin, data, told):
    head = data[:data.index(b"\r\n\r\n") + 4]
    app, auth = origin(), origin(service(lambda request: head if request.method == "HEAD" else data))
    proxy = sluice(config(app.endpoint, auth.endpoint, allowed_client_headers=[
        "content-type", "location", "www-authenticate", "retry-after"]))
    status = int(data.split()[1])
    for method, body in (("GET", b""), ("POST", b"x" * 300_000), ("HEAD", b"")):
        response = get(proxy.address(), method=method, body=body)
        assert response.status == status
        assert response.body == (b"" if status == 302 or method == "HEAD" else b"no")
        assert {name: response.get(name) for name in told} == told
    assert not app.requests
    proxy.wait_stdout(f"^/ {status} UAEX ext_authz.denied$")
    expect(proxy, counts(denied=3))


BROKEN = {
    "error": service(lambda _: answer(b"sorry", "500 Internal Server Error")),
    "unavailable": service(lambda _: answer(b"", "503 Service Unavailable")),
    "large no": service(lambda _: answer(b"x" * 9000, "403 Forbidden")),
    "large yes": service(lambda _: chunked([b"x" * 5000, b"x" * 5000])),
    "cut off": service(lambda _: b"HTTP/1.1 403 Forbidden\r\nContent-Length: 10\r\n\r\nhalf"),
    "no HTTP": service(lambda _: b"SSH-2.0-OpenSSH_9.2\r\n\r\n"),
    "gone": lambda peer: peer.read_request() and peer.reset(),
}


@pytest.mark.parametrize("is_open", [False, True], ids=["closed", "open"])
@pytest.mark.parametrize("how", BROKEN)
def test_answers_that_do_not_count_mean_what_is_set(sluice, origin, how, is_open):
    def script(peer):
        BROKEN[how](peer)
        peer.close()

    def cut(peer):
        peer.read_request()
        peer.send(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 10\r\n\r\nhalf")
        peer.close()
    app, auth = origin(), origin(cut if how == "cut off" else script)
    proxy = sluice(config(app.endpoint, auth.endpoint, failure_mode_allow=is_open, status_on_error=511,
                          allowed_upstream_headers=["x-user"]))
    response = get(proxy.address(), headers=[("x-user", "root")])
    assert response.status == (200 if is_open else 511)
    assert len(app.requests) == is_open and not [one for one in app.requests if "x-user" in fields_of(one)]
    proxy.wait_stdout("^/ 200 - " if is_open else "^/ 511 UAEX ext_authz.error$")
    expect(proxy, counts(error=1, failure_mode_allowed=int(is_open)))


@pytest.mark.parametrize("is_open", [False, True], ids=["closed", "open"])
def test_a_service_that_is_down_means_what_is_set(sluice, origin, refused, is_open):
    app = origin()
    proxy = sluice(config(app.endpoint, refused, failure_mode_allow=is_open))
    assert [get(proxy.address()).status for _ in range(3)] == [200 if is_open else 403] * 3
    expect(proxy, counts(error=3, failure_mode_allowed=3 * is_open))


@pytest.mark.parametrize("is_open", [False, True], ids=["closed", "open"])
@pytest.mark.parametrize("first", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"], ids=["silent", "half"])
def test_a_service_that_takes_too_long_is_not_waited_for(sluice, origin, first, is_open):
    def script(peer):
        peer.read_request()
        peer.send(first)
        peer.wait_end()
    app, auth = origin(), origin(script)
    proxy = sluice(config(app.endpoint, auth.endpoint, timeout="100ms", failure_mode_allow=is_open))
    began = time.monotonic()
    assert get(proxy.address()).status == (200 if is_open else 403)
    assert 0.1 <= time.monotonic() - began < 4
    # The question that nobody waits for any more is taken back.
    auth.wait_for(lambda one: all(peer.ended for peer in one.peers))
    expect(proxy, counts(error=1, timeout=1, failure_mode_allowed=int(is_open)))


def test_a_client_that_leaves_takes_its_question_along(sluice, origin):
    asked = threading.Event()

    def script(peer):
        peer.read_request()
        asked.set()
        peer.wait_end()
    app, auth = origin(), origin(script)
    proxy = sluice(config(app.endpoint, auth.endpoint, timeout="1h"))
    with Client(proxy.address()) as client:
        client.send(encode())
        assert asked.wait(5)
        client.reset()
    auth.wait_for(lambda one: one.peers[0].ended)
    assert not app.requests
    proxy.wait_stdout("^/ 0 DC ")
    expect(proxy, counts())
    expect_rest(proxy)


def test_connections_to_the_service_are_used_again(sluice, origin):
    bodies = iter([answer(b"because " * 500), answer(b"no", "403 Forbidden"), chunked([b"yes"]), answer(b"")] * 5)
    app, auth = origin(), origin(service(lambda _: next(bodies)))
    proxy = sluice({**config(app.endpoint, auth.endpoint), "workers": 1})
    with Client(proxy.address()) as client:
        assert [client.request().status for _ in range(20)] == [200, 403, 200, 200] * 5
    assert (len(auth.peers), len(auth.requests)) == (1, 20)


def test_a_service_that_comes_back_is_asked_again(sluice, origin):
    auth = origin()
    proxy = sluice(config(origin().endpoint, auth.endpoint))
    assert get(proxy.address()).status == 200
    auth.stop()
    wait_until(lambda: get(proxy.address()).status == 403)
    origin(port=auth.bound[1])
    wait_until(lambda: get(proxy.address()).status == 200)


def test_each_of_many_clients_gets_its_own_verdict(sluice, origin):
    def decide(request):
        token = fields_of(request)["authorization"]
        if int(token) % 3 == 0:
            return answer(token.encode(), "403 Forbidden")
        return answer(b"", headers=[("X-User", token)])

    def echo(peer):
        while request := peer.read_request():
            peer.send(answer(fields_of(request)["x-user"].encode()))
    proxy = sluice({**config(origin(echo).endpoint, origin(service(decide)).endpoint,
                             allowed_upstream_headers=["x-user"]), "workers": 2})

    def ask(first):
        with Client(proxy.address()) as client:
            return [(number, client.request(headers=[("Authorization", str(number)), ("X-User", "0")]))
                    for number in range(first, first + 40)]
    with ThreadPoolExecutor(12) as pool:
        seen = [one for some in pool.map(ask, range(0, 480, 40)) for one in some]
    assert len(seen) == 480
    for number, response in seen:
        assert (response.status, response.body) == (403 if number % 3 == 0 else 200, str(number).encode())
    expect(proxy, {**counts(ok=320, denied=160), "cluster.auth.upstream_rq_active": 0})


def test_the_service_may_be_told_who_the_client_is(sluice, origin):
    auth = origin()
    proxy = sluice(config(origin().endpoint, auth.endpoint, allowed_headers=["x-forwarded-for", "x-request-id"]))
    assert get(proxy.address(), headers=[("X-Forwarded-For", "192.0.2.7")]).status == 200
    shown = fields_of(auth.requests[0])
    assert shown["x-forwarded-for"].endswith("127.0.0.1") and len(shown["x-request-id"]) == 36


def test_settings_that_cannot_work_are_refused_with_a_hint(tmp_path):
    for settings, words in [({"cluster": "atuh"}, "auth"), ({"path_prefix": "check"}, "path_prefix: /check"),
                            ({"allowed_upstream_headers": ["host"]}, "is not copied"),
                            ({"failure_mode_alow": True}, "failure_mode_allow")]:
        file = tmp_path / "sluice.yaml"
        file.write_text(json.dumps(config("127.0.0.1:1", "127.0.0.1:2", **settings), indent=1))
        done = run_cli("check", str(file))
        assert done.returncode == 1 and words in done.stdout, done.stdout
