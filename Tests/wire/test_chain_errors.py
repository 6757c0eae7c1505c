"""Chains that cannot work are refused before anything starts, at the filter that is wrong, with the names of both.

In each text `<<` stands before the place that the error must point at.
"""
import json

import pytest

from sluice import run_cli

TAIL = '\nclusters:\n  app: { endpoints: [ "127.0.0.1:9000" ] }\n'


def listener(chain):
    return f"listeners:\n  inbound:\n    bind: 127.0.0.1:0\n    chain:\n{chain}{TAIL}"


def check(text, tmp_path):
    """All errors of a marked text as (line, column, message, hint), and the marked place."""
    at = text.index("<<")
    place = (text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at))
    file = tmp_path / "sluice.yaml"
    file.write_text(text.replace("<<", ""))
    done = run_cli("check", "--format", "json", str(file))
    assert done.returncode == 1, done.stdout
    found = [(e["line"], e["column"], e["message"], e["hint"] or "") for e in json.loads(done.stdout)
             if e["severity"] == "error"]
    return found, place


CASES = {
    "no_terminal": (
        listener("      - http\n      - <<count\n"),
        ["no end", "`count`", "an HTTP filter"], ["`router`"]),
    "only_a_codec": (
        listener("      - <<http\n"),
        ["no end", "`http`", "a server codec"], ["`router`"]),
    "no_codec": (
        listener("      - <<router: { to: app }\n"),
        ["`router` needs HTTP", "the socket gives it bytes"], ["`http`"]),
    "filter_above_the_codec": (
        listener("      - <<count\n      - http\n      - router: { to: app }\n"),
        ["`count` needs HTTP", "the socket gives it bytes"], ["`http`"]),
    "two_codecs": (
        listener("      - http\n      - { name: second, <<http: {} }\n      - router: { to: app }\n"),
        ["`second` needs bytes", "`http` gives it HTTP"], ["codec"]),
    "bytes_below_the_codec": (
        listener("      - http\n      - <<tcp_proxy: { to: app }\n"),
        ["`tcp_proxy` needs bytes", "`http` gives it HTTP"], ["codec"]),
    "two_terminals": (
        listener("      - http\n      - router: { to: app }\n      - <<router: { to: app }\n        name: second\n"),
        ["`second` would never be reached", "`router`"], ["`router`"]),
    "filter_below_the_terminal": (
        listener("      - http\n      - router: { to: app }\n      - <<count\n"),
        ["`count` would never be reached", "`router`"], ["move it above `router`"]),
    "filter_below_tcp_proxy": (
        listener("      - tcp_proxy: { to: app }\n      - <<http\n"),
        ["`http` would never be reached", "`tcp_proxy`"], ["`tcp_proxy`"]),
    "duplicate_names": (
        listener("      - http\n      - count\n      - <<count\n      - router: { to: app }\n"),
        ["two filters", "`count`"], ["name:"]),
    "duplicate_given_names": (
        listener("      - http\n      - { count: {}, name: http2 }\n      - { <<count: {}, name: http2 }\n"
                 "      - router: { to: app }\n"),
        ["two filters", "`http2`"], ["name"]),
    "unknown_filter": (
        listener("      - http\n      - <<cuont\n      - router: { to: app }\n"),
        ["unknown filter `cuont`"], ["did you mean `count`?"]),
    "unknown_filter_with_settings": (
        listener("      - http\n      - <<ruoter: { to: app }\n"),
        ["unknown filter `ruoter`"], ["did you mean `router`?"]),
    "two_filters_in_one_entry": (
        listener("      - http:\n        <<router: { to: app }\n"),
        ["two filters in one entry", "`http`", "`router`"], ["`-`"]),
    "an_entry_without_a_filter": (
        listener("      - http\n      - <<{ name: x }\n      - router: { to: app }\n"),
        ["names no filter"], []),
    "an_entry_that_is_no_filter": (
        listener("      - http\n      - <<[ router ]\n"),
        ["expected a filter"], []),
    "an_empty_chain": (
        "listeners:\n  inbound:\n    bind: 127.0.0.1:0\n    chain: <<[]\n" + TAIL,
        ["empty"], ["router"]),
    "no_chain": (
        "listeners:\n  <<inbound:\n    bind: 127.0.0.1:0\n" + TAIL,
        ["needs a `chain`"], ["chain:"]),
    "a_chain_that_is_no_list": (
        "listeners:\n  inbound:\n    bind: 127.0.0.1:0\n    chain: <<http\n" + TAIL,
        ["expected a list of filters"], []),
    "settings_of_another_filter": (
        listener("      - http\n      - router: { <<max_head: 1KiB, to: app }\n"),
        ["unknown key `max_head`"], []),
    "an_unknown_cluster": (
        listener("      - http\n      - router: { to: <<apq }\n"),
        ["no cluster `apq`"], ["did you mean `app`?"]),
    "an_unknown_cluster_of_a_route": (
        listener("      - http\n      - router:\n          routes:\n            - { name: a, to: app }\n"
                 "            - { name: b, match: { prefix: /b }, to: <<apps }\n"),
        ["no cluster `apps`"], ["did you mean `app`?"]),
    "route_settings_for_a_filter_that_is_not_there": (
        listener("      - http\n      - count\n      - router:\n          routes:\n"
                 "            - { name: a, to: app, filters: { <<cuont: {} } }\n"),
        ["`cuont`"], ["did you mean `count`?"]),
    "an_http_filter_in_a_clusters_chain": (
        'listeners:\n  inbound:\n    bind: 127.0.0.1:0\n    chain: [ http, router: { to: app } ]\n'
        'clusters:\n  app:\n    endpoints: [ "127.0.0.1:9000" ]\n    chain: [ <<count ]\n',
        ["`count` is an HTTP filter", "cluster"], ["byte filters"]),
    "a_codec_below_in_a_clusters_chain": (
        'listeners:\n  inbound:\n    bind: 127.0.0.1:0\n    chain: [ http, router: { to: app } ]\n'
        'clusters:\n  app:\n    endpoints: [ "127.0.0.1:9000" ]\n    chain: [ http, { <<http: {}, name: second } ]\n',
        ["`second`", "first"], []),
    "the_same_address_twice": (
        "listeners:\n  one: { bind: 127.0.0.1:8080, chain: [ http, router: { to: app } ] }\n"
        "  two: { bind: <<127.0.0.1:8080, chain: [ http, router: { to: app } ] }\n" + TAIL,
        ["127.0.0.1:8080", "`one`"], []),
}


@pytest.mark.parametrize("case", CASES)
def test_a_chain_that_cannot_work_is_refused_at_its_place(case, tmp_path):
    text, message, hint = CASES[case]
    found, place = check(text, tmp_path)
    assert len(found) == 1, found
    line, column, said, hinted = found[0]
    assert (line, column) == place, found
    assert all(words in said for words in message), said
    assert all(words in hinted for words in hint), hinted


def test_all_chains_of_a_file_are_checked_in_one_run(tmp_path):
    file = tmp_path / "sluice.yaml"
    file.write_text("listeners:\n"
                    "  a: { bind: 127.0.0.1:1001, chain: [ http ] }\n"
                    "  b: { bind: 127.0.0.1:1002, chain: [ router: { to: app } ] }\n"
                    "  c: { bind: 127.0.0.1:1003, chain: [ http, nonsense ] }\n" + TAIL)
    done = run_cli("check", "--format", "json", str(file))
    lines = sorted(e["line"] for e in json.loads(done.stdout) if e["severity"] == "error")
    assert lines == [2, 3, 4]


def test_a_duplicate_name_shows_both_places(tmp_path):
    file = tmp_path / "sluice.yaml"
    file.write_text(listener("      - http\n      - count\n      - count\n      - router: { to: app }\n"))
    done = run_cli("check", "--format", "json", str(file))
    error = json.loads(done.stdout)[0]
    assert (error["line"], [r["line"] for r in error["related"]]) == (7, [6])


@pytest.mark.parametrize("chain", [
    "[ http, router: { to: app } ]",
    "[ http, count, router: { to: app } ]",
    "[ http, count, { count: {}, name: again }, router: { to: app } ]",
    "[ http: { max_head: 8KiB }, { router: { to: app }, name: last } ]",
    "[ tcp_proxy: { to: app } ]",
])
def test_chains_that_work_are_taken(chain, tmp_path):
    file = tmp_path / "sluice.yaml"
    file.write_text(f"listeners:\n  inbound: {{ bind: 127.0.0.1:0, chain: {chain} }}\n{TAIL}")
    done = run_cli("check", str(file))
    assert done.returncode == 0, done.stdout
