"""plugins/api_key: who shows a key comes in, and the key stays here."""
import json

import pytest

from admin import BIND, text
from client import get
from flow import wait_until
from plugin_builds import library
from sluice import run_cli

KEY, OTHER = "k-reports-0123456789", "k-billing-0123456789"
ROUTES = [{"name": "open", "match": {"path": "/health"}, "respond": {"status": 200, "body": "up"},
           "filters": {"api_key": {"enabled": False}}},
          {"name": "own", "match": {"path": "/own"}, "respond": {"status": 200, "body": "secret"}},
          {"name": "away", "match": {"path": "/away"}, "redirect": {"path": "/"}},
          {"name": "billing", "match": {"prefix": "/billing"}, "to": "app", "filters": {"api_key": {"names": ["billing"]}}},
          {"name": "rest", "match": {"prefix": "/app"}, "to": "app"}]


def config(endpoint, **settings):
    return {"plugins": [library("api_key")], "admin": BIND, "clusters": {"app": {"endpoints": [endpoint]}},
            "access_log": {"to": "stdout", "format": "%REQ(:PATH)% %REQ(X-API-KEY-NAME)% %RESPONSE_CODE%"},
            "listeners": {"inbound": {"bind": "127.0.0.1:0", "chain": [
                "http", {"api_key": settings}, {"router": {"routes": ROUTES}}]}}}


def ask(proxy, target, key=None, **headers):
    return get(proxy.address(), target, ([("X-Api-Key", key)] if key else []) + list(headers.items()))


def test_only_who_shows_a_key_comes_in(sluice, origin):
    one = origin()
    proxy = sluice(config(one.endpoint, keys={"reports": KEY, "billing": OTHER}))
    statuses = [ask(proxy, target, key).status for target in ("/app", "/billing", "/own", "/away", "/none", "/health")
                for key in (None, "wrong", KEY, OTHER)]
    assert statuses == [401, 401, 200, 200] + [401, 401, 403, 200] + [401, 401, 200, 200] + [401, 401, 301, 301] \
        + [401, 401, 404, 404] + [200] * 4
    refused = ask(proxy, "/own")
    assert refused.get("www-authenticate") == 'ApiKey realm="api"' and b"secret" not in refused.body
    assert len(one.requests) == 3
    for request in one.requests:
        fields = {name.lower(): value for name, value in request.headers}
        assert "x-api-key" not in fields and fields["x-api-key-name"] in ("reports", "billing")
    proxy.wait_stdout("^/billing billing 200$")
    page = text(proxy, "/stats/prometheus")
    assert 'sluice_api_key_accepted_total{listener="inbound",filter="api_key",name="billing"} 5' in page
    assert 'sluice_api_key_refused_total{listener="inbound",filter="api_key",reason="not_allowed"} 1' in page
    assert KEY not in page and KEY not in proxy.log_text() + "\n".join(proxy.stdout.lines)


def test_a_bearers_token_and_a_parameter_are_keys_where_that_is_set(sluice, origin):
    one = origin()
    proxy = sluice(config(one.endpoint, keys={"reports": KEY}, bearer=True, query="key"))
    assert ask(proxy, "/app", Authorization=f"Bearer {KEY}").status == 200
    assert ask(proxy, f"/app?a=1&key={KEY}&b=2").status == 200
    assert ask(proxy, "/app", Authorization=f"Bearer {OTHER}").get("www-authenticate") == \
        'Bearer realm="api", error="invalid_token"'
    assert one.requests[1].target == "/app?a=1&b=2"
    assert "authorization" not in {name.lower() for name, _ in one.requests[0].headers}


def test_a_file_is_read_again_when_it_changes_and_kept_when_it_is_broken(sluice, origin, tmp_path):
    file = tmp_path / "keys.txt"

    def write(content):
        (tmp_path / "new").write_text(content)
        (tmp_path / "new").rename(file)
    write(f"reports: {KEY}\n")
    proxy = sluice(config(origin().endpoint, file=str(file)))
    assert [ask(proxy, "/app", key).status for key in (KEY, OTHER)] == [200, 401]
    write(f"# both\nreports: {KEY}\nbilling: {OTHER}\n")
    wait_until(lambda: ask(proxy, "/app", OTHER).status == 200)
    write(f"billing: {OTHER}\n")
    wait_until(lambda: ask(proxy, "/app", KEY).status == 401)
    write("this is no file of keys, but has k-secret-0123456789\n")
    line = proxy.wait_log("keys stay as they were")
    assert line["reason"] == "line 1 is no `name: key`"
    assert [ask(proxy, "/app", key).status for key in (KEY, OTHER)] == [401, 200]
    assert "k-secret" not in proxy.log_text()


@pytest.mark.parametrize("settings, words", [
    ({}, "there is no key"), ({"keys": {"a": KEY, "b": KEY}}, "two names have the same key"),
    ({"keys": {"a b": KEY}}, "a name has letters"), ({"file": "/nowhere/keys"}, "cannot be read"),
    ({"keys": {"a": KEY}, "names": ["b"]}, "no key of the name `b`")])
def test_settings_that_cannot_work_are_refused_without_a_word_of_a_key(tmp_path, settings, words):
    (tmp_path / "sluice.yaml").write_text(json.dumps(config("127.0.0.1:1", **settings), indent=1))
    done = run_cli("check", str(tmp_path / "sluice.yaml"))
    assert done.returncode == 1 and words in done.stdout, done.stdout
