"""docs/comparison.md: what it shows stands in the sources, and the filters for Sluice and nginx do the same."""
import os
import pathlib
import re
import shutil
import subprocess
import time

import pytest

import plugins
from builds import sluice_of
from client import get
from sluice import REPOSITORY, run_cli

PAGE = REPOSITORY / "docs/comparison.md"
FOLDER = REPOSITORY / "docs/comparison"
SOURCES = {"swift": "KeyCheck.swift", "rust": "api_key.rs", "c": "ngx_http_api_key_module.c", "go": "api_key.go"}
NGINX = pathlib.Path("/usr/share/nginx/src")
KEY = "k-reports-0123456789"


def test_what_is_shown_stands_in_the_sources():
    shown = re.findall(r"^```(\w+)\n(.*?)^```", PAGE.read_text(), re.M | re.S)
    assert {language for language, _ in shown} == set(SOURCES)
    for language, text in shown:
        assert text in (FOLDER / SOURCES[language]).read_text(), text


def test_the_lines_are_counted():
    def lines(name):
        code = re.sub(r"/\*.*?\*/", "", (FOLDER / name).read_text(), flags=re.S)
        return sum(1 for line in code.splitlines() if line.strip() and not line.strip().startswith("//"))
    row = re.search(r"^\| lines of code.*$", PAGE.read_text(), re.M)[0]
    assert [int(number) for number in re.findall(r"\| (\d+) ", row)] == [lines(name) for name in SOURCES.values()]


def key_check():
    """The filter for Sluice as a plugin: the package that `filter new` writes, with this filter in it."""
    folder = plugins.BUILDS / "new/key_check"
    for path in folder.glob("*"):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    (folder / ".gitignore").unlink(missing_ok=True)
    assert run_cli("filter", "new", "key_check", "--at", str(folder), "--sluice", str(REPOSITORY)).returncode == 0
    shutil.copy(FOLDER / SOURCES["swift"], folder / "Sources/key_check/Filter.swift")
    done = subprocess.run(["swift", "build", "-c", "release", "--product", "key_check", "--package-path", folder],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / ".build/release/libkey_check.so"


def nginx_module(folder):
    """The module for nginx, built as its manual says, in a copy: it must be built from a folder with its sources."""
    if not (NGINX / "conf_flags").exists():
        (pytest.fail if os.environ.get("WIRE_REQUIRE_BUILDS") else pytest.skip)("there is no nginx-dev")
    module, sources, build = folder / "module", folder / "nginx", folder / "build"
    module.mkdir()
    shutil.copy(FOLDER / SOURCES["c"], module)
    (module / "config").write_text('ngx_module_type=HTTP\nngx_module_name=ngx_http_api_key_module\n'
                                   f'ngx_module_srcs="$ngx_addon_dir/{SOURCES["c"]}"\n. auto/module\n')
    shutil.copytree(NGINX, sources)
    done = subprocess.run(
        ["bash", "-c", f'. ./conf_flags && bash ./configure "${{NGX_CONF_FLAGS[@]}}" --builddir={build} '
         f'--add-dynamic-module={module} && make -f {build}/Makefile modules'],
        cwd=sources, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return build / "ngx_http_api_key_module.so"


def nginx_config(folder, module, key):
    """A config with the module; `try_files`, since `return` would answer before a key is looked for."""
    config = folder / "nginx.conf"
    config.write_text(f"""load_module {module}; pid {folder}/pid; error_log stderr; daemon off; worker_processes 2;
events {{}}
http {{ access_log off;
    client_body_temp_path {folder}/1; proxy_temp_path {folder}/2; fastcgi_temp_path {folder}/3;
    uwsgi_temp_path {folder}/4; scgi_temp_path {folder}/5;
    server {{ listen unix:{folder}/nginx.sock; api_key {key};
        location / {{ add_header x-refused $api_key_refused always; try_files /none @ok; }}
        location /open/ {{ api_key off; try_files /none @ok; }}
        location @ok {{ api_key off; return 200 "ok\\n"; }} }} }}
""")
    return config


@pytest.fixture
def nginx(tmp_path):
    """The address of an nginx with the module."""
    module = nginx_module(tmp_path)
    short = nginx_config(tmp_path, module, "short")
    done = subprocess.run(["nginx", "-t", "-c", short], capture_output=True, text=True)
    assert done.returncode != 0 and "is too short" in done.stderr and f"{short}:" in done.stderr, done.stderr
    process = subprocess.Popen(["setpriv", "--pdeathsig", "TERM", "--", "nginx", "-c",
                                nginx_config(tmp_path, module, KEY)], stderr=subprocess.PIPE)
    address, end = tmp_path / "nginx.sock", time.monotonic() + 10
    while not address.exists():
        assert process.poll() is None and time.monotonic() < end, process.stderr.read()
        os.sched_yield()
    yield str(address)
    process.terminate()
    assert process.wait(10) == 0
    process.stderr.close()


@pytest.fixture
def sluice_with_key(sluice, origin):
    sluice_of("release")
    library = key_check()
    app = origin()
    config = {"plugins": [str(library)], "admin": "127.0.0.1:0", "clusters": {"app": {"endpoints": [app.endpoint]}},
              "listeners": {"main": {"bind": "127.0.0.1:0", "chain": ["http", {"key_check": {"key": KEY}}, {"router": {
                  "routes": [{"match": {"prefix": "/open/"}, "to": "app", "filters": {"key_check": {"enabled": False}}},
                             {"match": {"prefix": "/local/"}, "respond": {"body": "ok"}}, {"to": "app"}]}}]}}}
    return sluice(config), app


def statuses(address, path_open="/open/x"):
    """What comes of requests with the key, others, none, and where none is needed."""
    def asked(path, key):
        return get(address, path, [("x-api-key", key)] if key is not None else []).status
    keys = (KEY, KEY[:-1] + "0", KEY + "0", "", None)
    return [asked("/x", key) for key in keys] + [asked(path_open, None)]


def test_nginx_and_sluice_say_the_same(nginx, sluice_with_key):
    proxy, app = sluice_with_key
    expected = [200, 401, 401, 401, 401, 200]
    assert statuses(proxy.address("main")) == expected == statuses(nginx)
    assert [request.get("x-api-key") for request in app.requests] == [None, None]
    refused = get(proxy.address("main"), "/local/x")
    assert (refused.status, refused.body) == (401, b"a key is needed\n")
    assert "http.main.key_check.refused: 5" in get(proxy.address("admin"), "/stats", host="localhost").body.decode()
    answer = get(nginx, "/x", [("x-api-key", "other")])
    assert (answer.status, answer.body) == (401, b"a key is needed\n")
