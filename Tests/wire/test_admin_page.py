"""The index page: for browsers, terminals and programs; complete without its script, and up to date with it."""
import base64
import hashlib
import html
import html.parser
import json
import re
import signal
import threading

import pytest

import browser
from admin import PROTECTED, TOKEN, ask, expect, read_json, stats, text
from client import Client, encode, get
from configs import cluster, http_proxy
from flow import wait_until
from load import Load
from origin import OK, answer

NAME = "<script>alert(1)</script>\"'&"
MARKUP = [("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")]

needs_browser = pytest.mark.skipif(not browser.PROGRAM, reason="there is no chromium")


def config(*endpoints, **more):
    return http_proxy(*endpoints, **{"admin": PROTECTED, "workers": 1, **more})


def page(proxy, **how):
    response = ask(proxy, "/", headers=MARKUP, **how)
    assert response.status == 200 and response.get("content-type") == "text/html; charset=utf-8"
    return response.body.decode()


def words(markup):
    """What a person reads, without what the script and the style say."""
    markup = re.sub(r"<(script|style)>.*?</\1>", "", markup, flags=re.S)
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", markup)))


class Elements(html.parser.HTMLParser):
    """All elements, and what the attributes of each are."""

    def __init__(self, markup):
        super().__init__()
        self.found = []
        self.feed(markup)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))


def url(proxy):
    return "http://%s:%d/" % proxy.address("admin")


# What is in it

def test_the_policy_allows_the_script_of_the_page_and_no_other(sluice, origin):
    proxy = sluice(config(origin().endpoint))
    response = ask(proxy, "/", headers=MARKUP)
    [script] = re.findall(r"<script>(.*?)</script>", response.body.decode(), re.S)
    right = "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src '{right}';" in response.get("content-security-policy"), f"PageScript.hash should be {right}"
    elements = Elements(response.body.decode()).found
    assert not [attributes for _, attributes in elements if any(name.startswith("on") for name in attributes)]
    assert not [tag for tag, attributes in elements if "src" in attributes or tag in ("link", "iframe", "img")]


def test_it_says_the_same_as_a_page_as_text_and_as_data(sluice, origin, refused, certificates):
    upstream = origin(lambda peer: [peer.send(answer(b"", f"{one.target[1:] or 200} X"))
                                    for one in iter(peer.read_request, None)])
    tls = {"certificate": str(certificates / "server.crt"), "key": str(certificates / "server.key")}
    settings = config(upstream.endpoint, clusters={"down": cluster(refused)}, filters=["count", "stats"],
                      routes=[{"match": {"path": "/down"}, "to": "down"}, {"to": "app"}],
                      listener={"filter_times": True})
    settings["listeners"]["secure"] = {"bind": "127.0.0.1:0", "chain": [{"tls": tls}, {"tcp_proxy": "app"}]}
    proxy = sluice(settings)
    for path in ["/", "/", "/404", "/down"]:
        get(proxy.address(), path)
    expect(proxy, {"http.inbound.downstream_rq_total": 4, "http.inbound.downstream_rq_active": 0})
    data = read_json(proxy, "/?format=json")
    assert data["state"] == "LIVE" and data["config"]["generation"] == 1 and data["config"]["refused"] is None
    assert data["totals"]["requests"] == 4 and data["totals"]["errors"] == 1
    inbound, secure = data["listeners"]
    assert inbound["classes"] == {"1xx": 0, "2xx": 2, "3xx": 0, "4xx": 1, "5xx": 1}
    assert inbound["clusters"] == ["down", "app"] and secure["protocol"] == "tcp"
    http, count, stats_filter, router = inbound["chains"][0]["filters"]
    assert count["counters"]["requests"] == 4 and count["request"]["count"] == 4 and router["filter"] == "router"
    by_name = {one["name"]: one for one in data["clusters"]}
    assert by_name["app"]["requests"] == 3 and by_name["down"]["endpoints"][0]["errors"] >= 1
    assert by_name["app"]["endpoints"][0]["health"] == "healthy"
    [fault] = data["faults"]
    assert data["certificates"][0]["path"] == tls["certificate"]
    assert {one["filter"] for one in data["filters"]} == {"count", "stats", "http", "router", "tcp_proxy", "tls"}
    seen, plain = words(page(proxy)), text(proxy, "/")
    for told in [fault["reason"], tls["certificate"], "inbound", "secure", "app", "down", upstream.endpoint, refused,
                 "count", "healthy", "75.00 %", "%s:%d" % proxy.address(), "serving"]:
        assert told in seen and told in plain, told
    assert plain.startswith("● serving  sluice ")
    assert "client > http > count > stats > router > down, app" in plain
    assert re.search(r"^curl -s http://localhost/clusters +# ", plain.replace("    curl", "curl"), re.M)


def test_the_form_is_what_the_client_asks_for(sluice, origin):
    proxy = sluice(config(origin().endpoint))
    assert ask(proxy, "/").get("content-type") == "text/plain; charset=utf-8"
    assert ask(proxy, "/", headers=[("Accept", "*/*")]).get("content-type") == "text/plain; charset=utf-8"
    assert ask(proxy, "/", headers=MARKUP).get("content-type") == "text/html; charset=utf-8"
    assert ask(proxy, "/?format=text", headers=MARKUP).get("content-type") == "text/plain; charset=utf-8"
    assert ask(proxy, "/?format=html").get("content-type") == "text/html; charset=utf-8"
    assert ask(proxy, "/?format=json", headers=MARKUP).get("content-type") == "application/json"
    assert ask(proxy, "/?format=xml").status == 400


def test_names_cannot_become_markup(sluice, origin):
    settings = config(origin().endpoint, filters=[{"count": {}, "name": "<b>c</b>"}], routes=[{"name": NAME, "to": NAME}])
    settings["clusters"] = {NAME: settings["clusters"]["app"]}
    settings["listeners"] = {NAME: settings["listeners"]["inbound"]}
    proxy = sluice(settings)
    get(proxy.address(NAME))
    wait_until(lambda: stats(proxy)[f"http.{NAME}.downstream_rq_2xx"] == 1)
    markup = page(proxy)
    assert "alert(1)</script>" not in markup and "<b>c</b>" not in markup
    assert [tag for tag, _ in Elements(markup).found].count("script") == 1
    assert NAME in words(markup) and "<b>c</b>" in words(markup)
    data = read_json(proxy, "/?format=json")
    assert data["listeners"][0]["name"] == data["clusters"][0]["name"] == NAME
    assert NAME in text(proxy, "/")


def test_what_a_refused_config_said_is_on_it_in_full(sluice, origin):
    settings = config(origin().endpoint)
    proxy = sluice(settings)
    proxy.reload({**settings, "nonsense": 1, "workers": "many"}, expect="config refused")
    seen, plain, data = page(proxy), text(proxy, "/"), read_json(proxy, "/?format=json")
    details = data["config"]["refused"]["details"]
    assert "unknown key `nonsense`" in details and "many" in details
    assert details.rstrip() in html.unescape(seen)
    assert "\n".join("  " + line for line in details.rstrip().splitlines()) in plain


def test_states_that_are_not_well(sluice, origin):
    proxy = sluice(config(origin().endpoint))
    ask(proxy, "/healthcheck/fail", "POST", TOKEN)
    assert text(proxy, "/").startswith("◐ draining") and "◐ draining" in words(page(proxy))


def test_an_endpoint_that_is_not_well(sluice, origin):
    checks = {"http": {"path": "/"}, "interval": "20ms", "no_traffic_interval": "20ms", "unhealthy_threshold": 1,
              "timeout": "1s"}
    bad = origin(lambda peer: [peer.send(answer(b"", "500 X")) for _ in iter(peer.read_request, None)])
    proxy = sluice(config(bad.endpoint, upstream={"health_checks": checks}))
    expect(proxy, {"cluster.app.membership_healthy": 0})
    told = read_json(proxy, "/?format=json")["clusters"][0]["endpoints"][0]["health"]
    assert told in ("failed", "kept")
    seen = {"failed": "✕ failed its health check", "kept": "▲ bad, but kept in use"}[told]
    assert seen in text(proxy, "/") and seen[2:] in words(page(proxy))


def test_a_limit_that_is_reached(sluice, origin):
    go_on = threading.Event()
    slow = origin(lambda peer: peer.read_request() and go_on.wait(20) and peer.send(OK))
    proxy = sluice(config(slow.endpoint, upstream={"max_connections": 1}))
    assert "■" not in text(proxy, "/") and "of 1024" not in page(proxy)
    with Client(proxy.address()) as client:
        client.send(encode())
        slow.wait_for(lambda one: one.requests)
        assert "■ max_connections reached: 1 of 1" in text(proxy, "/")
        assert "■ max_connections 1 of 1" in words(page(proxy))
        go_on.set()
        assert client.read_response().status == 200


def test_commands_are_right_for_how_it_was_reached(sluice, origin, tmp_path):
    path = str(tmp_path / "a b'c.sock")
    proxy = sluice(config(origin().endpoint, admin={"bind": [f"unix:{path}", "127.0.0.1:0"]}))
    over_unix = text(proxy, "/", address=path)
    quoted = path.replace("'", "'\\''")
    assert f"curl -s -X POST --unix-socket '{quoted}' http://localhost/reload" in over_unix
    over_tcp = text(proxy, "/", host="localhost:81")
    assert "curl -s http://localhost:81/stats " in over_tcp
    assert "disabled" in page(proxy) and "disabled" not in page(proxy, address=path)


def test_a_large_config_makes_no_large_page(sluice, origin):
    upstream = origin()
    names = {f"service-{number}": cluster(upstream.endpoint) for number in range(50)}
    routes = [{"name": f"route-{number}", "match": {"path": f"/{number}"}, "to": f"service-{number % 50}"}
              for number in range(200)]
    many = [{"count": {}, "name": f"count_{number}"} for number in range(40)]
    proxy = sluice(config(upstream.endpoint, clusters=names, routes=[*routes, {"to": "app"}], filters=many))
    for number in range(0, 200, 7):
        get(proxy.address(), f"/{number}")
    markup = page(proxy)
    assert len(markup.encode()) < 60_000
    assert "service-49" in words(markup) and "count_39" in words(markup)


# In a browser

@needs_browser
def test_rates_appear_and_nothing_is_complained_of(sluice, origin):
    proxy = sluice(config(origin().endpoint, filters=["stats"], listener={"filter_times": True}))
    with Load(proxy.address(), threads=2), browser.Browser() as window:
        window.open(url(proxy))
        window.wait("document.documentElement.classList.contains('moves')")
        window.wait("parseFloat(document.querySelector('.tile b').innerText.replace(/,/g, '')) > 1")
        assert re.fullmatch(r"[\d,.]+/s", window.text(".tile b"))
        assert "requests/s" in window.text(".tile small")
        assert window.text("#pulse") == "live, every 2 s"
        window.wait("document.querySelector('.tile svg path').getAttribute('d').includes('L')")
        assert window.evaluate("getComputedStyle(document.querySelector('section')).borderRadius") == "10px"
        assert not window.messages


@needs_browser
def test_what_is_new_appears_without_a_reload_of_the_page(sluice, origin):
    upstream = origin()
    settings = config(upstream.endpoint)
    proxy = sluice(settings)
    with browser.Browser() as window:
        window.open(url(proxy))
        window.wait("document.documentElement.classList.contains('moves')")
        window.evaluate("document.getElementById('token').value = 'typed'")
        proxy.reload({**settings, "clusters": {**settings["clusters"], NAME: cluster(upstream.endpoint)}, "listeners": {
            **settings["listeners"], "more": {"bind": "127.0.0.1:0", "chain": [{"tcp_proxy": NAME}]}}})
        window.wait(f"document.body.innerText.includes({json.dumps(NAME)})")
        proxy.reload({**settings, "nonsense": 1}, expect="config refused")
        window.wait("document.querySelector('.banner')?.innerText.includes('unknown key `nonsense`')")
        assert window.evaluate("document.getElementById('token').value") == "typed"
        assert not window.messages


@needs_browser
def test_changes_are_made_with_the_token_only(sluice, origin):
    proxy = sluice(config(origin().endpoint))
    with browser.Browser() as window:
        window.open(url(proxy))
        press = ("document.querySelector('form[data-post=\"/logging\"] select').value = 'debug';"
                 "document.querySelector('form[data-post=\"/logging\"] button').click()")
        window.evaluate(press)
        window.wait("document.getElementById('said').innerText.includes('401')")
        window.evaluate(f"document.getElementById('token').value = {json.dumps(TOKEN)}")
        window.evaluate(press)
        window.wait("document.getElementById('said').innerText.includes('sluice: debug')")
        assert text(proxy, "/logging") == "active loggers:\n  sluice: debug\n"


@needs_browser
def test_it_says_so_when_it_is_not_live_any_more(sluice, origin):
    proxy = sluice(config(origin().endpoint))
    with browser.Browser() as window:
        window.open(url(proxy))
        window.wait("document.documentElement.classList.contains('moves')")
        proxy.signal(signal.SIGTERM)
        assert proxy.wait_exit() == 0
        window.wait("document.getElementById('pulse').innerText.includes('not live any more')")
        assert not window.evaluate("document.documentElement.classList.contains('moves')")


@needs_browser
@pytest.mark.parametrize("width", [390, 1200])
def test_nothing_is_wider_than_the_window(sluice, origin, width):
    settings = config(origin().endpoint, filters=["stats", {"count": {}, "name": "x" * 60}])
    settings["listeners"]["n" * 80] = {**settings["listeners"]["inbound"]}
    proxy = sluice(settings)
    get(proxy.address())
    with browser.Browser() as window:
        window.ask("Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=width < 500)
        window.open(url(proxy))
        window.wait("document.documentElement.classList.contains('moves')")
        assert window.evaluate("document.documentElement.scrollWidth") == width


def test_limits_are_shown_when_they_are_reached_and_not_before(sluice, origin):
    def script(peer):
        peer.read_request()
        peer.wait_end()
    proxy = sluice(config(origin(script).endpoint, upstream={"max_requests": 1}))
    assert "max_requests" not in words(page(proxy)).partition("clusters")[2].partition("faults by reason")[0]
    with Client(proxy.address()) as client:
        client.send(encode(target="/held"))
        expect(proxy, {"cluster.app.upstream_rq_active": 1})
        assert "max_requests 1 of 1" in words(page(proxy))
