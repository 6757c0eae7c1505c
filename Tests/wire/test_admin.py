"""The admin interface: its pages, and who may ask for what."""
import json
import re
import time

import pytest

from admin import BIND, PROTECTED, TOKEN, ask, expect, post, read_json, stats, text
from client import Client, get
from configs import cluster, http_proxy
from flow import wait_until
from origin import answer

CHANGES = ["/logging?level=debug", "/reopen_logs", "/reload", "/reset_counters", "/drain_listeners",
           "/healthcheck/fail", "/healthcheck/ok", "/quitquitquit"]
READS = ["/", "/help", "/ready", "/stats", "/stats/prometheus", "/clusters", "/listeners", "/plugins", "/config_dump",
         "/server_info", "/certs", "/memory"]


def config(*endpoints, admin=PROTECTED, **more):
    return http_proxy(*endpoints, admin=admin, workers=1, **more)


# Pages

def test_help_names_every_page_and_marks_those_that_change_something(sluice, origin):
    lines = text(sluice(config(origin().endpoint)), "/help")
    for page in READS:
        assert re.search(rf"^  {re.escape(page)}: \w", lines, re.M), page
    for page in CHANGES:
        assert re.search(rf"^  {re.escape(page.partition('?')[0])} \(POST\): \w", lines, re.M), page


@pytest.mark.parametrize("page", READS)
def test_every_answer_says_that_it_is_not_to_be_kept_framed_or_guessed_at(sluice, origin, page):
    response = ask(sluice(config(origin().endpoint)), page)
    assert response.status == 200
    assert response.get("cache-control") == "no-store, max-age=0"
    assert response.get("x-content-type-options") == "nosniff"
    assert response.get("x-frame-options") == "DENY"
    policy = response.get("content-security-policy")
    assert policy.startswith("default-src 'none'; ") and "unsafe-eval" not in policy
    assert re.search(r"script-src 'sha256-[A-Za-z0-9+/]{43}='(;|$)", policy)


def test_a_head_request_has_the_length_and_no_body(sluice, origin):
    proxy = sluice(config(origin().endpoint))
    with Client(proxy.address("admin")) as client:
        head = client.request("HEAD", "/help", host="localhost")
        page = client.request("GET", "/help", host="localhost")
    assert head.status == 200 and head.body == b""
    assert head.get("content-length") == page.get("content-length")


def test_a_page_that_is_not_there(sluice, origin):
    proxy = sluice(config(origin().endpoint))
    response = ask(proxy, "/nothing")
    assert response.status == 404 and b"/help" in response.body
    assert ask(proxy, "/stats/").status == 200, "a slash at the end does not matter"


def test_other_methods_are_refused(sluice, origin):
    proxy = sluice(config(origin().endpoint))
    for method in ["PUT", "DELETE", "OPTIONS", "PATCH"]:
        response = ask(proxy, "/ready", method)
        assert response.status == 405, method
        assert response.get("allow") == "GET, HEAD, POST"


def test_listeners_tell_the_ports_that_the_kernel_gave(sluice, origin):
    proxy = sluice(config(origin().endpoint))
    host, port = proxy.address()
    assert f"inbound::{host}:{port}\n" in text(proxy, "/listeners")
    listed = read_json(proxy, "/listeners?format=json")["listener_statuses"]
    assert {"name": "inbound", "local_address": {"socket_address": {"address": host, "port_value": port}}} in listed


def test_clusters_as_lines(sluice, origin, refused):
    upstream = origin()
    proxy = sluice(config(upstream.endpoint, upstream={"max_requests": 7, "max_connections": 5, "max_pending": 3},
                          clusters={"idle": cluster({"address": refused, "weight": 4, "priority": 1})},
                          routes=[{"match": {"path": "/never"}, "to": "idle"}, {"to": "app"}]))
    for _ in range(3):
        get(proxy.address())
    expect(proxy, {"cluster.app.upstream_rq_completed": 3})
    lines = text(proxy, "/clusters").splitlines()
    for line in ["app::observability_name::app", "app::default_priority::max_connections::5",
                 "app::default_priority::max_pending_requests::3", "app::default_priority::max_requests::7",
                 "app::added_via_api::false"]:
        assert line in lines
    start = f"app::{upstream.endpoint}::"
    for line in ["cx_connect_fail::0", "rq_total::3", "rq_success::3", "rq_error::0", "rq_timeout::0", "rq_active::0",
                 "health_flags::healthy", "weight::1", "hostname::127.0.0.1", "canary::false", "priority::0",
                 "success_rate::-1"]:
        assert start + line in lines, line
    assert f"idle::{refused}::weight::4" in lines and f"idle::{refused}::priority::1" in lines


def test_clusters_as_json(sluice, origin):
    upstream = origin()
    proxy = sluice(config(upstream.endpoint))
    get(proxy.address())
    expect(proxy, {"cluster.app.upstream_rq_completed": 1})
    [status] = read_json(proxy, "/clusters?format=json")["cluster_statuses"]
    assert status["name"] == "app" and status["added_via_api"] is False
    [host] = status["host_statuses"]
    name, _, port = upstream.endpoint.rpartition(":")
    assert host["address"] == {"socket_address": {"address": name, "port_value": int(port)}}
    assert {"name": "rq_total", "value": "1", "type": "COUNTER"} in host["stats"]
    assert host["health_status"] == {"eds_health_status": "HEALTHY"} and host["weight"] == 1


def test_server_info_memory_and_certificates(sluice, origin, certificates, tmp_path):
    tls = {"certificate": str(certificates / "server.crt"), "key": str(certificates / "server.key")}
    settings = config(origin().endpoint)
    settings["listeners"]["inbound"]["chain"].insert(0, {"tls": tls})
    proxy = sluice(settings)
    info = read_json(proxy, "/server_info")
    assert info["state"] == "LIVE" and info["config_generation"] == 1
    assert info["command_line_options"]["concurrency"] == 1
    assert info["command_line_options"]["config_path"] == str(proxy.config_file)
    assert re.fullmatch(r"\d+s", info["uptime_current_epoch"])
    memory = read_json(proxy, "/memory")
    assert int(memory["allocated"]) > 0 and int(memory["total_physical_bytes"]) > 1 << 20
    [entry] = read_json(proxy, "/certs")["certificates"]
    [found] = entry["cert_chain"]
    assert found["path"] == tls["certificate"] and int(found["days_until_expiration"]) > 0
    assert found["subject_alt_names"] and found["serial_number"]


# Statistics

def test_stats_as_text(sluice, origin):
    proxy = sluice(config(origin().endpoint))
    get(proxy.address())
    expect(proxy, {"http.inbound.downstream_rq_2xx": 1})
    lines = text(proxy, "/stats").splitlines()
    assert "http.inbound.downstream_rq_2xx: 1" in lines and "http.inbound.downstream_rq_5xx: 0" in lines
    plain = [line for line in lines if re.fullmatch(r"[^ ]+: -?\d+", line)]
    histograms = lines[len(plain):]
    assert plain == lines[:len(plain)] and plain == sorted(plain, key=lambda line: line.partition(": ")[0])
    form = r"[^ ]+: (No recorded values|P0\(nan,[\d.]+\)( P[\d.]+\(nan,[\d.]+\)){9})"
    assert histograms and all(re.fullmatch(form, line) for line in histograms), histograms
    [time_line] = [line for line in histograms if line.startswith("http.inbound.downstream_rq_time:")]
    values = [float(value) for value in re.findall(r"\(nan,([\d.]+)\)", time_line)]
    assert values == sorted(values) and 0 < values[-1] < 5000


def test_stats_as_json(sluice, origin):
    proxy = sluice(config(origin().endpoint))
    get(proxy.address())
    expect(proxy, {"http.inbound.downstream_rq_2xx": 1})
    everything = read_json(proxy, "/stats?format=json")["stats"]
    [histograms] = [entry["histograms"] for entry in everything if "histograms" in entry]
    assert histograms["supported_quantiles"] == [0, 25, 50, 75, 90, 95, 99, 99.5, 99.9, 100]
    [found] = [entry for entry in histograms["computed_quantiles"]
               if entry["name"] == "http.inbound.downstream_rq_time"]
    assert len(found["values"]) == 10
    assert all(value["interval"] is None and value["cumulative"] > 0 for value in found["values"])


def test_stats_that_are_asked_for(sluice, origin):
    proxy = sluice(config(origin().endpoint))
    get(proxy.address())
    expect(proxy, {"http.inbound.downstream_rq_2xx": 1})

    def names(query):
        return [line.partition(": ")[0] for line in text(proxy, f"/stats?{query}").splitlines()]

    assert names("filter=%5Ehttp%5C.inbound%5C.downstream_rq_2xx%24") == ["http.inbound.downstream_rq_2xx"]
    assert all("upstream_rq" in name for name in names("filter=upstream_rq")) and names("filter=upstream_rq")
    used = names("usedonly")
    assert "http.inbound.downstream_rq_2xx" in used and "http.inbound.downstream_rq_5xx" not in used
    assert "server.live" in names("type=gauges") and "http.inbound.downstream_rq_2xx" not in names("type=Gauges")
    assert "http.inbound.downstream_rq_2xx" in names("type=Counters") and "server.live" not in names("type=Counters")
    assert all(name.endswith(("_ms", "_time", "_per_cx")) for name in names("type=Histograms&filter=downstream%7Cupstream"))
    assert set(names("type=All")) == set(names(""))
    assert set(names("type=counters")) | set(names("type=gauges")) | set(names("type=histograms")) == set(names(""))
    assert len(names("")) == len(set(names("")))
    prometheus = text(proxy, "/stats?format=prometheus")
    assert prometheus.startswith("# HELP ")
    for query in ["filter=(", "filter=%28", "filter=a**", "type=words", "format=xml"]:
        refused = ask(proxy, f"/stats?{query}")
        assert refused.status == 400 and refused.body.endswith(b"\n"), query


@pytest.mark.parametrize("target", [
    "/stats?" + "filter=a&" * 500, "/stats?filter=" + "(a?){99}" * 80, "/stats?filter=%00%ff", "/stats?=&&&==&%",
    "/stats?usedonly&usedonly=%zz", "/%2e%2e/%2e%2e/etc/passwd", "/stats?filter=<script>", "/logging?%zz=%",
    "/config_dump?resource=../..", "/clusters?format=" + "x" * 4000, "/?format=%00", "/?format=json&" + "a" * 4000,
])
def test_hostile_queries_are_answered_and_echo_no_markup(sluice, origin, target):
    proxy = sluice(config(origin().endpoint))
    response = ask(proxy, target)
    assert response.status in (200, 400, 404, 405), response.status
    assert response.status == 200 or response.get("content-type").startswith("text/plain")
    assert ask(proxy, "/ready").status == 200


def test_two_scrapes_at_once_and_one_that_nobody_reads(sluice, origin):
    """Many clusters make a scrape large; the reader that takes nothing holds up nobody else."""
    clusters = {f"c{number}": cluster(*[f"127.0.0.1:{port}" for port in range(1, 6)]) for number in range(400)}
    routes = [{"match": {"path": f"/{name}"}, "to": name} for name in clusters]
    proxy = sluice(config(origin().endpoint, clusters=clusters, routes=[*routes, {"to": "app"}]))
    # Who writes long answers lets everybody else go first, on a busy machine for a while.
    first, second = Client(proxy.address("admin"), patience=60), Client(proxy.address("admin"), patience=60)
    for client in (first, second):
        client.send(b"GET /stats HTTP/1.1\r\nHost: localhost\r\n\r\n")
    bodies = [client.read_response().body for client in (first, second)]
    assert all(len(body) > 1_000_000 for body in bodies)
    first.close(), second.close()
    idle = Client(proxy.address("admin"), receive_buffer=4096)
    idle.send(b"GET /stats?format=json HTTP/1.1\r\nHost: localhost\r\n\r\n" * 5)
    assert get(proxy.address()).status == 200
    began = time.monotonic()
    assert ask(proxy, "/ready").status == 200
    assert time.monotonic() - began < 2
    idle.close()
    wait_until(lambda: stats(proxy)["listener.admin.downstream_cx_active"] == 1, what="its connection is kept")


# The config

def test_config_dump_leaves_out_secrets(sluice, origin, tmp_path):
    secret = tmp_path / "motd"
    secret.write_text("from-a-file-4711\n")
    settings = config(origin().endpoint)
    chain = settings["listeners"]["inbound"]["chain"]
    chain[-1]["router"]["response_headers"] = {"set": {"x-env": "${SECRET_OF_A_TEST}", "x-password": "literal-4711"}}
    body = json.dumps(settings).replace('"literal-4711"', '"literal-4711", "x-file": !file "%s"' % secret)
    proxy = sluice(body, env={"SECRET_OF_A_TEST": "from-the-environment-4711"})
    dump = text(proxy, "/config_dump")
    assert TOKEN not in dump and "4711" not in dump
    assert "${SECRET_OF_A_TEST}" in dump and "[redacted]" in dump and str(secret) in dump
    types = [part["@type"] for part in json.loads(dump)["configs"]]
    assert [name.rpartition(".")[2] for name in types] == [
        "BootstrapConfigDump", "ClustersConfigDump", "ListenersConfigDump"]
    [clusters] = read_json(proxy, "/config_dump?resource=static_clusters")["configs"]
    assert clusters["static_clusters"][0]["cluster"]["name"] == "app"
    assert ask(proxy, "/config_dump?resource=nothing").status == 404


def test_a_refused_config_is_seen_everywhere_and_harms_nothing(sluice, origin):
    settings = config(origin().endpoint)
    proxy = sluice(settings)
    proxy.write({**settings, "nonsense": 1})
    refused = post(proxy, "/reload")
    assert refused.status == 400 and b"unknown key `nonsense`" in refused.body
    ready = ask(proxy, "/ready")
    assert ready.status == 200
    assert ready.body.startswith(b"LIVE\n") and b"config refused" in ready.body and b"nonsense" in ready.body
    [state] = [part["error_state"] for part in read_json(proxy, "/config_dump")["configs"] if "error_state" in part]
    assert "unknown key `nonsense`" in state["details"]
    expect(proxy, {"config.rejected": 1, "config.generation": 1, "config.last_reload_successful": 0, "server.live": 1})
    assert get(proxy.address()).status == 200
    proxy.write({**settings, "drain_timeout": "3s"})
    assert post(proxy, "/reload").body == b"OK\n"
    assert text(proxy, "/ready") == "LIVE\n"
    expect(proxy, {"config.rejected": 1, "config.generation": 2, "config.reloads": 1,
                   "config.last_reload_successful": 1})
    assert "error_state" not in text(proxy, "/config_dump")


# Who may ask

def test_changes_need_the_token(sluice, origin):
    proxy = sluice(config(origin().endpoint))
    for page in CHANGES:
        assert ask(proxy, page, "POST").status == 401, page
        assert post(proxy, page, token="wrong-" + TOKEN).status == 401, page
        assert post(proxy, page, token=TOKEN + "x").status == 401, page
        assert post(proxy, page, token=TOKEN[:-1]).status == 401, page
    assert ask(proxy, "/ready").body == b"LIVE\n"
    assert ask(proxy, "/healthcheck/ok", "POST").get("www-authenticate") == "Bearer"
    assert ask(proxy, "/healthcheck/ok", "POST", headers=[("Authorization", f"bearer {TOKEN}")]).status == 200


def test_without_a_token_nothing_can_be_changed_over_tcp(sluice, origin):
    proxy = sluice(config(origin().endpoint, admin=BIND))
    for page in CHANGES:
        assert ask(proxy, page, "POST").status == 403, page
        assert post(proxy, page).status == 403, page
    assert ask(proxy, "/ready").body == b"LIVE\n"


def test_over_a_unix_socket_no_token_is_needed(sluice, origin, tmp_path):
    path = str(tmp_path / "admin.sock")
    proxy = sluice(config(origin().endpoint, admin={"bind": f"unix:{path}"}))
    assert ask(proxy, "/healthcheck/fail", "POST", address=path).body == b"OK\n"
    assert ask(proxy, "/ready", address=path).status == 503
    assert ask(proxy, "/ready", address=path, host="anything.example").status == 503


@pytest.mark.parametrize("page", CHANGES)
def test_reading_a_page_that_changes_something_changes_nothing(sluice, origin, page):
    proxy = sluice(config(origin().endpoint))
    response = ask(proxy, page, token=TOKEN)
    assert response.status == 405 and response.get("allow") == "POST"
    assert ask(proxy, "/ready").body == b"LIVE\n"


@pytest.mark.parametrize("host, is_good", [
    ("localhost", True), ("localhost:9901", True), ("LOCALHOST", True), ("sub.localhost", True), ("127.0.0.1", True),
    ("127.0.0.1:1", True), ("10.1.2.3:9901", True), ("[::1]:9901", True), ("admin.example.org", True),
    ("ADMIN.example.org:80", True), ("evil.example", False), ("localhost.evil.example", False),
    ("127.0.0.1.evil.example", False), ("1.2.3", False), ("256.1.1.1", False), ("admin.example.org.evil", False),
    ("notlocalhost", False),
])
def test_names_that_the_interface_does_not_have_are_refused(sluice, origin, host, is_good):
    proxy = sluice(config(origin().endpoint, admin={**PROTECTED, "hosts": ["admin.example.org"]}))
    response = ask(proxy, "/ready", host=host)
    assert response.status == (200 if is_good else 403)
    assert is_good or b"hosts" in response.body


@pytest.mark.parametrize("fields, is_good", [
    ([("Origin", "http://localhost")], True), ([("Origin", "https://localhost")], True),
    ([("Origin", "http://localhost:1")], False), ([("Origin", "https://evil.example")], False),
    ([("Origin", "null")], False), ([("Sec-Fetch-Site", "same-origin")], True), ([("Sec-Fetch-Site", "none")], True),
    ([("Sec-Fetch-Site", "cross-site")], False),
])
def test_pages_of_other_sites_get_nothing(sluice, origin, fields, is_good):
    proxy = sluice(config(origin().endpoint))
    assert ask(proxy, "/stats", headers=fields).status == (200 if is_good else 403)
    assert post(proxy, "/healthcheck/ok", headers=fields).status == (200 if is_good else 403)


# Changes

def test_the_level_of_the_log(sluice, origin):
    proxy = sluice(config(origin().endpoint))
    assert text(proxy, "/logging") == "active loggers:\n  sluice: info\n"
    assert post(proxy, "/logging?level=debug").body == b"active loggers:\n  sluice: debug\n"
    assert post(proxy, "/logging?level=warn").body == b"active loggers:\n  sluice: warning\n"
    unknown = post(proxy, "/logging?level=loud")
    assert unknown.status == 400 and b"trace, debug, info" in unknown.body
    assert post(proxy, "/logging?nonsense=debug").status == 400
    assert text(proxy, "/logging") == "active loggers:\n  sluice: warning\n"


def test_counters_begin_again(sluice, origin):
    proxy = sluice(config(origin().endpoint))
    for _ in range(3):
        get(proxy.address())
    expect(proxy, {"http.inbound.downstream_rq_2xx": 3, "cluster.app.upstream_rq_200": 3})
    connection = Client(proxy.address())
    assert connection.request().status == 200
    expect(proxy, {"http.inbound.downstream_cx_active": 1})
    assert post(proxy, "/reset_counters").body == b"OK\n"
    expect(proxy, {"http.inbound.downstream_rq_2xx": 0, "cluster.app.upstream_rq_200": 0,
                   "http.inbound.downstream_cx_active": 1, "server.live": 1, "config.generation": 1})
    assert "http.inbound.downstream_rq_time: No recorded values" in text(proxy, "/stats")
    assert connection.request().status == 200
    connection.close()
    expect(proxy, {"http.inbound.downstream_rq_2xx": 1, "cluster.app.upstream_rq_200": 1,
                   "http.inbound.downstream_cx_active": 0})


def test_logs_are_opened_again(sluice, origin, tmp_path):
    log = tmp_path / "access.log"
    proxy = sluice(config(origin().endpoint, access_log=str(log)))
    log.rename(tmp_path / "old.log")
    assert post(proxy, "/reopen_logs").body == b"OK\n"
    wait_until(log.exists)
    get(proxy.address(), "/later")
    wait_until(lambda: "/later" in log.read_text())


def test_a_reload_takes_what_the_file_says(sluice, origin):
    first, second = origin(), origin(lambda peer: peer.read_request() and peer.send(answer(b"second")))
    proxy = sluice(config(first.endpoint))
    assert get(proxy.address()).body == b"ok"
    proxy.write(config(second.endpoint))
    assert post(proxy, "/reload").body == b"OK\n"
    wait_until(lambda: get(proxy.address()).body == b"second")


def test_the_admin_interface_has_no_access_log_unless_it_is_asked_for(sluice, origin, tmp_path):
    log = tmp_path / "access.log"
    proxy = sluice(config(origin().endpoint, access_log=str(log)))
    text(proxy, "/stats")
    get(proxy.address(), "/seen")
    wait_until(lambda: "/seen" in log.read_text())
    assert "/stats" not in log.read_text()
    own = tmp_path / "admin.log"
    proxy.reload(config(origin().endpoint, access_log=str(log), admin={**PROTECTED, "access_log": str(own)}))
    text(proxy, "/stats")
    wait_until(lambda: own.exists() and "/stats" in own.read_text())
