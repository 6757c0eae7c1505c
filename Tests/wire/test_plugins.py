"""Filters from shared objects: those that fit are used, those that do not are refused at their line."""
import json
import pathlib

import pytest

import plugins
import sluice as harness
from builds import require_runtime, sluice_of
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
    (tmp_path / "libhello.so").symlink_to(library)
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


@pytest.mark.parametrize("plugin", ["debug", "release"])
def test_an_asynchronous_plugin_and_the_program_mean_the_same_by_a_fault(sluice, built, plugin):
    require_runtime(built)
    router = {"router": {"routes": [{"name": "all", "to": "app"}]}}
    proxy = sluice({"plugins": [str(plugins.rescue(plugin))],
                    "listeners": {"inbound": {"bind": "127.0.0.1:0", "chain": ["http", "rescue", router]}},
                    "clusters": {"app": {"endpoints": ["127.0.0.1:1"]}}})
    caught = get(proxy.address())
    assert (caught.status, caught.body) == (200, b"rescued from upstream.connect_refused"), "thrown by the program"
    assert get(proxy.address(), method="DELETE").status == 504, "thrown by the plugin"


# Refusals

def no_module(folder):
    path = pathlib.Path(folder) / "libtext.so"
    path.write_text("this is no shared object\n" * 10)
    return path


def patched(offset, value):
    """hello with other bytes at one place."""
    def make(folder):
        data = bytearray(plugins.hello("debug").read_bytes())
        data[offset:offset + len(value)] = value
        path = pathlib.Path(folder) / "libpatched.so"
        path.write_bytes(data)
        return path
    return make


def cut_short(folder):
    path = pathlib.Path(folder) / "libhalf.so"
    data = plugins.hello("debug").read_bytes()
    path.write_bytes(data[:len(data) // 2])
    return path


def noted(**changes):
    """A plugin whose note says what hello's says, but for `changes`. Whoever runs any of it ends at once."""
    def make(folder):
        killer = "__attribute__((constructor)) static void run(void) { __builtin_trap(); }"
        return plugins.in_c(folder, "return 1;", note=plugins.note_of(plugins.hello("debug")).changed(**changes), more=killer)
    return make


def needing(library):
    """A plugin that needs a library which is not where it is looked for."""
    def make(folder):
        away = pathlib.Path(folder) / "away"
        away.mkdir()
        plugins.in_c(away, "return 0;", entry="other", name=library)
        note = plugins.note_of(plugins.hello("debug"))
        return plugins.in_c(folder, "return 1;", note=note, flags=["-Wl,--no-as-needed", f"-L{away}", f"-l:{library}"])
    return make


def wanting(symbol):
    def make(folder):
        return plugins.in_c(folder, "return wanted();", note=plugins.note_of(plugins.hello("debug")),
                            more="extern int wanted(void);", renamed=[("wanted", symbol)])
    return make


def answers(**changes):
    return lambda folder: plugins.answering(folder, plugins.hello("debug"), **changes)


def ours(folder):
    return plugins.note_of(plugins.hello("debug"))


REFUSED = {
    "missing": (lambda folder: pathlib.Path(folder) / "libnone.so", "No such file"),
    "no module": (no_module, "it is no shared object"),
    "half a file": (cut_short, "it is cut short"),
    "for aarch64": (patched(18, b"\xb7"), "it was built for aarch64, this is x86_64"),
    "for 32 bits": (patched(4, b"\1"), "it was built for a 32-bit machine"),
    "a program": (patched(16, b"\2"), "it is an ELF file, but no shared object"),
    "no entry point": (lambda folder: plugins.in_c(folder, "return 0;", entry="other"), "has no function `sluice_plugin`"),
    "no note": (lambda folder: plugins.in_c(folder, "return 1;"), "it does not say what it was built with"),
    "other version": (noted(version=8), "it was built for filter API 8, this is filter API 1"),
    "other compiler": (noted(compiler=60401), "it was built by Swift 6.4.1, Sluice by Swift 6."),
    "other sources": (noted(digest="0123456789abcdef"), "against other sources of FilterAPI (0123456789abcdef)"),
    "other toolchain": (noted(toolchain="22.0.0 (elsewhere)"), "it was built by another build of Swift"),
    "no answer": (lambda folder: plugins.in_c(folder, "return 1;", note=ours(folder)), "did not answer the first question"),
    "lying": (answers(version=8), "something else of itself than the note"),
    "other layout": (answers(layout=1), "its FilterAPI has other types"),
    "no list": (answers(), "did not say which filters"),
    "missing library": (needing("libmissing.so.3"), "it needs the library `libmissing.so.3`, which is not there"),
    "missing symbol": (wanting("$s9FilterAPI6StreamV8teleport2toySS_tF"),
                       "neither Sluice nor its libraries have: `FilterAPI.Stream.teleport(to: Swift.String) -> ()`"),
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
