"""Filters from shared objects: those that fit are used, those that do not are refused at their line."""
import json
import pathlib

import pytest

import plugins
import sluice as harness
from builds import sluice_of
from client import get
from sluice import run_cli

# One process builds them all; they share the folder that they are built in.
pytestmark = pytest.mark.xdist_group("plugins")


def config(library, *, chain=("http", "hello")):
    return {"listeners": {"inbound": {"bind": "127.0.0.1:0", "chain": [
                *chain, {"router": {"routes": [{"name": "all", "respond": {"status": 200, "body": "ok"}}]}}]}},
            "plugins": [str(library)]}


@pytest.fixture(params=["debug", "release"])
def built(request, monkeypatch):
    """The configuration of the proxy under test, which must have been built before."""
    monkeypatch.setattr(harness, "BINARY", sluice_of(request.param))
    return request.param


@pytest.mark.parametrize("plugin", ["debug", "release"])
def test_a_plugin_sets_a_field_of_each_response(sluice, built, plugin):
    chain = ["http", {"hello": {"header": "X-Greeting", "value": "good day"}}]
    response = get(sluice(config(plugins.hello(plugin), chain=chain)).address())
    assert response.status == 200
    assert [f for f in response.headers if f[0].lower() == "x-greeting"] == [("X-Greeting", "good day")]


def test_a_route_has_settings_of_its_own_for_a_plugin(sluice, built):
    settings = config(plugins.hello(built))
    respond = {"status": 200, "body": "ok"}
    settings["listeners"]["inbound"]["chain"][-1]["router"]["routes"] = [
        {"match": {"path": "/night"}, "respond": respond, "filters": {"hello": {"value": "good night"}}},
        {"respond": respond}]
    address = sluice(settings).address()
    assert [get(address, target).get("x-hello") for target in ("/night", "/", "/night")] == [
        "good night", "hello from a plugin", "good night"]


def test_a_plugin_has_statistics_of_its_own(sluice, built):
    proxy = sluice({**config(plugins.hello(built)), "admin": "127.0.0.1:0"})
    for _ in range(3):
        get(proxy.address())

    def ask(target):
        return get(proxy.address("admin"), target, host="localhost").body.decode()
    assert ask("/stats?filter=greetings") == "http.inbound.hello.greetings: 3\n"
    assert 'sluice_hello_greetings_total{listener="inbound",filter="hello"} 3\n' in ask("/stats/prometheus")


def test_codes_are_explained_with_those_of_the_plugins_of_a_config(built, tmp_path):
    file = tmp_path / "sluice.yaml"
    file.write_text(json.dumps(config(plugins.hello(built))))
    done = run_cli("explain", "UF", "-c", str(file))
    assert done.returncode == 0 and "UpstreamConnectionFailure" in done.stdout, done.stderr
    file.write_text(json.dumps(config(tmp_path / "none.so")))
    done = run_cli("explain", "UF", "-c", str(file))
    assert done.returncode == 1 and "SL0207" in done.stderr


def test_a_plugin_has_defaults_and_a_path_relative_to_the_config_file(sluice, built, tmp_path):
    library = plugins.hello(built)
    for name in ("libhello.so", "libFilterAPI.so"):
        (tmp_path / name).symlink_to(library.parent / name)
    file = tmp_path / "sluice.yaml"
    file.write_text(json.dumps(config("libhello.so")))
    proxy = sluice(command=["run", "-c", str(file), "--log-format", "json"], started_in="/")
    assert ("X-Hello", "hello from a plugin") in get(proxy.address()).headers


def test_settings_of_a_plugin_are_checked_like_those_of_any_filter(built, tmp_path):
    file = tmp_path / "sluice.yaml"
    file.write_text(f"""\
plugins: [ {plugins.hello(built)} ]
listeners:
  inbound:
    bind: 127.0.0.1:0
    chain:
      - http
      - hello:
          headr: x-a
          value: [ 1 ]
      - router: {{ routes: [ {{ respond: {{ status: 200 }} }} ] }}
""")
    done = run_cli("check", "--format", "json", str(file))
    assert done.returncode == 1
    found = {(entry["line"], entry["message"].split(",")[0]) for entry in json.loads(done.stdout)}
    assert (8, "unknown key `headr`") in found
    assert any(line == 9 for line, _ in found)


def test_what_a_plugin_refuses_is_shown_at_its_key(built, tmp_path):
    file = tmp_path / "sluice.yaml"
    file.write_text(f"""\
plugins: [ {plugins.hello(built)} ]
listeners:
  inbound:
    bind: 127.0.0.1:0
    chain:
      - http
      - hello:
          header: "not a name"
      - router: {{ routes: [ {{ respond: {{ status: 200 }} }} ] }}
""")
    done = run_cli("check", "--format", "json", str(file))
    assert done.returncode == 1
    assert [(entry["line"], entry["code"]) for entry in json.loads(done.stdout)] == [(8, "SL0212")]


# Refusals

def no_module(folder):
    path = pathlib.Path(folder) / "libtext.so"
    path.write_text("this is no shared object\n" * 10)
    return path


def newer_layout(folder):
    ours = plugins.handshake_of(plugins.hello("debug"))
    return plugins.answering(folder, ours, layout=ours.layout ^ 1)


def other_version(folder):
    ours = plugins.handshake_of(plugins.hello("debug"))
    return plugins.answering(folder, ours, version=ours.version + 7)


def other_compiler(folder):
    return plugins.answering(folder, plugins.handshake_of(plugins.hello("debug")), compiler=599)


def silent(folder):
    return plugins.answering(folder, plugins.handshake_of(plugins.hello("debug")))


REFUSED = {
    "missing": (lambda folder: pathlib.Path(folder) / "libnone.so", "No such file"),
    "folder": (lambda folder: folder, "not a file"),
    "no module": (no_module, "invalid ELF header"),
    "no entry point": (lambda folder: plugins.in_c(folder, "return 0;", entry="other"), "has no function `sluice_plugin`"),
    "no answer": (lambda folder: plugins.in_c(folder, "return 1;"), "did not answer the first question"),
    "other version": (other_version, "built for filter API 8, this is filter API 1"),
    "other compiler": (other_compiler, "built by Swift 5.99"),
    "other layout": (newer_layout, "its FilterAPI has other types"),
    "no list": (silent, "did not say which filters"),
    "own copy of FilterAPI": (plugins.with_own_filter_api, "its own copy of FilterAPI"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_plugin_that_does_not_fit_is_refused_at_its_line(case, tmp_path, built):
    make, words = REFUSED[case]
    (tmp_path / "plugin").mkdir()
    file = tmp_path / "sluice.yaml"
    file.write_text(f"""\
listeners:
  inbound:
    bind: 127.0.0.1:0
    chain: [ http, router: {{ routes: [ {{ respond: {{ status: 200 }} }} ] }} ]
plugins:
  - {make(tmp_path / "plugin")}
""")
    checked = run_cli("check", "--format", "json", str(file))
    assert checked.returncode == 1
    assert [(entry["line"], entry["code"]) for entry in json.loads(checked.stdout)] == [(6, "SL0207")], checked.stdout
    assert words in json.loads(checked.stdout)[0]["message"]
    started = run_cli("run", "-c", str(file))
    assert started.returncode == 1
    assert words in started.stderr and "sluice.yaml:6:" in started.stderr


def test_a_plugin_brings_no_second_filter_of_a_name(built, tmp_path):
    library = plugins.hello(built)
    second = tmp_path / "libother.so"
    second.write_bytes(library.read_bytes())
    (tmp_path / "libFilterAPI.so").symlink_to(library.parent / "libFilterAPI.so")
    file = tmp_path / "sluice.yaml"
    settings = config(library, chain=["http"])
    file.write_text(json.dumps({**settings, "plugins": [str(library), str(second)]}, indent=1))
    done = run_cli("check", str(file))
    assert done.returncode == 1
    assert "brings a filter `hello`, and there is one of that name already" in done.stdout


def test_a_plugin_that_is_refused_on_reload_changes_nothing(sluice, built):
    proxy = sluice(config(plugins.hello(built)))
    proxy.reload(config("libnone.so"), expect="refused")
    assert ("X-Hello", "hello from a plugin") in get(proxy.address()).headers
