"""The files of plugins: folders of them, and what becomes of a running proxy when they change."""
import json
import shutil
import threading

import pytest

import plugins
import sluice as harness
from builds import sluice_of
from client import Client, encode, get
from configs import cluster
from load import Load
from origin import answer
from sluice import run_cli

pytestmark = pytest.mark.xdist_group("plugins")

OLD, NEW = "hello from a plugin", "HELLO FROM A PLUGIN"


@pytest.fixture(params=["debug", "release"])
def built(request, monkeypatch):
    """The configuration of the proxy under test, which must have been built before."""
    monkeypatch.setattr(harness, "BINARY", sluice_of(request.param))
    return request.param


def config(*paths, endpoint=None):
    """`greeted` has the filter of the plugin in its chain, `plain` has not."""
    respond = {"to": "app"} if endpoint else {"respond": {"status": 200, "body": "ok"}}
    router = {"router": {"routes": [{"name": "all", **respond}]}}
    return {"plugins": [str(path) for path in paths],
            "listeners": {"greeted": {"bind": "127.0.0.1:0", "chain": ["http", "hello", router]},
                          "plain": {"bind": "127.0.0.1:0", "chain": ["http", router]}},
            "clusters": {"app": cluster(endpoint)} if endpoint else {}}


def renewed():
    """The bytes of a plugin that greets in capitals."""
    data = plugins.hello("debug").read_bytes()
    assert data.count(OLD.encode()) == 1
    return data.replace(OLD.encode(), NEW.encode())


def greeting(proxy):
    return get(proxy.address("greeted")).get("x-hello")


# Folders

def test_a_folder_brings_all_plugins_in_it_and_nothing_else(sluice, built, tmp_path):
    folder = tmp_path / "plugins"
    folder.mkdir()
    for name in ("libhello.so", "libFilterAPI.so"):
        shutil.copy(plugins.hello(built).parent / name, folder / name)
    plugins.in_c(folder, "return 0;", entry="other", name="libneighbour.so")
    (folder / "README").write_text("no plugin\n")
    (folder / ".libhalf.so").write_text("not there yet\n")
    file = tmp_path / "sluice.yaml"
    file.write_text(json.dumps(config("plugins")))
    checked = run_cli("check", str(file))
    assert checked.returncode == 0 and "warning" not in checked.stdout, checked.stdout
    proxy = sluice(command=["run", "-c", str(file), "--log-format", "json", "--log-level", "debug"], started_in="/")
    assert greeting(proxy) == OLD
    assert [entry["filters"] for entry in proxy.log if entry["message"] == "plugin loaded"] == ["hello"]


def test_a_plugin_in_a_folder_may_be_a_link(sluice, built, tmp_path):
    folder = tmp_path / "plugins"
    folder.mkdir()
    (folder / "libhello.so").symlink_to(plugins.hello(built))
    assert greeting(sluice(config(folder))) == OLD


def test_a_folder_without_plugins_is_told_of(built, tmp_path):
    folder = tmp_path / "plugins"
    folder.mkdir()
    plugins.in_c(folder, "return 0;", entry="other", name="libneighbour.so")
    file = tmp_path / "sluice.yaml"
    plain = config(folder)
    del plain["listeners"]["greeted"]
    file.write_text(json.dumps(plain))
    checked = run_cli("check", "--format", "json", str(file))
    assert checked.returncode == 0
    assert [(entry["severity"], entry["code"]) for entry in json.loads(checked.stdout)] == [("warning", "SL0208")]


def test_half_a_plugin_in_a_folder_is_refused_by_its_name(built, tmp_path):
    folder = tmp_path / "plugins"
    folder.mkdir()
    data = plugins.hello("debug").read_bytes()
    (folder / "libhalf.so").write_bytes(data[:10_000])
    file = tmp_path / "sluice.yaml"
    file.write_text(json.dumps(config(folder)))
    checked = run_cli("check", "--format", "json", str(file))
    assert checked.returncode == 1
    refused = [entry["message"] for entry in json.loads(checked.stdout) if entry["code"] == "SL0207"]
    assert len(refused) == 1 and "libhalf.so" in refused[0] and "cut short" in refused[0]


# Files that change

def rename_over(path, data):
    fresh = path.with_name(".new")
    fresh.write_bytes(data)
    fresh.rename(path)


def write_over(path, data):
    with path.open("r+b") as file:
        file.write(data)


@pytest.mark.parametrize("replace", [rename_over, write_over])
def test_a_replaced_plugin_is_taken_up_by_a_reload_and_streams_finish_on_the_old_one(
        sluice, origin, built, tmp_path, replace):
    came, go = threading.Event(), threading.Event()

    def script(peer):
        while request := peer.read_request():
            if request.target == "/slow":
                came.set()
                assert go.wait(20)
            if not peer.send(answer()):
                return
    library = tmp_path / "libhello.so"
    shutil.copy(plugins.hello("debug"), library)
    proxy = sluice(config(library, endpoint=origin(script).endpoint))
    with Client(proxy.address("greeted")) as slow:
        slow.send(encode("GET", "/slow"))
        assert came.wait(10)
        replace(library, renewed())
        assert greeting(proxy) == OLD, "nothing was reloaded yet"
        proxy.reload()
        assert greeting(proxy) == NEW
        go.set()
        assert slow.read_response().get("x-hello") == OLD
    assert greeting(proxy) == NEW


def test_a_plugin_that_goes_away_does_not_matter_until_the_next_reload(sluice, built, tmp_path):
    library = tmp_path / "libhello.so"
    shutil.copy(plugins.hello("debug"), library)
    proxy = sluice(config(library))
    library.write_bytes(b"")
    library.unlink()
    assert greeting(proxy) == OLD
    proxy.reload(expect="refused")
    assert greeting(proxy) == OLD


def test_plugins_are_replaced_under_load_and_nothing_is_lost(sluice, origin, built, tmp_path):
    library = tmp_path / "libhello.so"
    shutil.copy(plugins.hello("debug"), library)
    first, second = library.read_bytes(), renewed()
    proxy = sluice(config(library, endpoint=origin().endpoint))
    with Load(proxy.address("greeted")) as load:
        for data, words in [(second, NEW), (first, OLD), (second, NEW)]:
            load.wait_for(100)
            rename_over(library, data)
            proxy.reload()
            assert greeting(proxy) == words
        load.wait_for(100)
    load.check()


def test_only_listeners_with_filters_of_a_replaced_plugin_change(sluice, built, tmp_path):
    library = tmp_path / "libhello.so"
    shutil.copy(plugins.hello("debug"), library)
    proxy = sluice(config(library))
    with Client(proxy.address("greeted")) as greeted, Client(proxy.address("plain")) as plain:
        for client in (greeted, plain):
            assert client.request().get("connection") is None
        rename_over(library, renewed())
        proxy.reload()
        assert plain.request().get("connection") is None, "its listener has no filter of the plugin"
        greeted.expect_closed()
    assert greeting(proxy) == NEW


# Looking into a file

def inspect(path):
    done = run_cli("filter", "inspect", "--format", "json", str(path))
    return done.returncode, json.loads(done.stdout)


@pytest.mark.parametrize("plugin", ["debug", "release"])
def test_what_a_plugin_brings_is_told_without_running_it(plugin):
    status, found = inspect(plugins.hello(plugin))
    assert status == 0 and found["loads"] is True
    note = plugins.note_of(plugins.hello(plugin))
    assert (found["api"], found["sources"], found["toolchain"]) == (note.version, note.digest, note.toolchain)
    assert found["compiler"].startswith("6.")
    assert found["filters"] == [{
        "type": "HelloFilter", "role": "an HTTP filter", "async": False,
        "settings": {"header": "String", "value": "String"}, "route_settings": {"value": "String?"}}]
    assert {"name": "libFilterAPI.so", "found": True} in found["needs"]


def test_a_plugin_that_would_not_be_loaded_is_inspected_and_the_reason_given(tmp_path):
    note = plugins.note_of(plugins.hello("debug")).changed(version=9)
    killer = "__attribute__((constructor)) static void run(void) { __builtin_trap(); }"
    library = plugins.in_c(tmp_path, "return 1;", note=note, more=killer)
    status, found = inspect(library)
    assert status == 1 and found["loads"] is False and found["api"] == 9
    assert found["reason"] == "it was built for filter API 9, this is filter API 1"
    text = run_cli("filter", "inspect", str(library))
    assert text.returncode == 1 and "This Sluice would not load it: it was built for filter API 9" in text.stdout


def test_a_library_that_would_not_be_found_is_named_with_what_to_install(tmp_path):
    away = tmp_path / "away"
    away.mkdir()
    plugins.in_c(away, "return 0;", entry="other", name="libaway.so.3")
    library = plugins.in_c(tmp_path, "return 1;", note=plugins.note_of(plugins.hello("debug")),
                           flags=["-Wl,--no-as-needed", f"-L{away}", "-l:libaway.so.3"])
    status, found = inspect(library)
    assert status == 1 and {"name": "libaway.so.3", "found": False} in found["needs"]
    assert "libaway3" in found["hint"]
    shutil.copy(away / "libaway.so.3", tmp_path / "libaway.so.3")
    library = plugins.in_c(tmp_path, "return 1;", note=plugins.note_of(plugins.hello("debug")), name="libnext.so",
                           flags=["-Wl,--no-as-needed", f"-L{away}", "-l:libaway.so.3", "-Wl,-rpath,$ORIGIN"])
    status, found = inspect(library)
    assert status == 0 and {"name": "libaway.so.3", "found": True} in found["needs"], "it stands next to the plugin"


def test_what_is_no_shared_object_is_said_to_be_none(tmp_path):
    (tmp_path / "text.so").write_text("no")
    done = run_cli("filter", "inspect", str(tmp_path / "text.so"))
    assert done.returncode == 1 and "it is no shared object" in done.stderr
    assert run_cli("filter", "inspect").returncode == 2
    assert run_cli("filter", "inspcet", "x").returncode == 2
