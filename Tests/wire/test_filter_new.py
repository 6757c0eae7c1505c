"""`sluice filter new` and what follows: a package of each kind builds, keeps its lints, passes its tests, and serves."""
import os
import re
import shutil
import signal
import subprocess

import pytest

import plugins
from builds import sluice_of
from client import get
from sluice import BINARY, REPOSITORY, parse_address, run_cli

pytestmark = pytest.mark.xdist_group("plugins")
KINDS = {"add_header": [], "late_header": ["--async"], "meter": ["--kind", "byte"], "answerer": ["--kind=terminal"]}


def new(name, *arguments):
    """A package as `filter new` writes it; what it was built to before stays, so that little is built again."""
    folder = plugins.BUILDS / "new" / name
    for path in folder.glob("*"):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    (folder / ".gitignore").unlink(missing_ok=True)
    done = run_cli("filter", "new", name, "--at", str(folder), "--sluice", str(REPOSITORY), *arguments)
    assert done.returncode == 0 and f"sluice filter run {folder}" in done.stdout, done
    return folder


@pytest.fixture(params=KINDS)
def package(request):
    return new(request.param, *KINDS[request.param])


def test_a_new_filter_of_each_kind_keeps_the_lints_passes_its_tests_and_answers(package, sluice):
    name = package.name
    sources = [str(path) for path in package.rglob("*.swift") if ".build" not in path.parts]
    lint = ["swift", "format", "lint", "--strict", "--configuration", REPOSITORY / ".swift-format", *sources]
    assert subprocess.run(lint, capture_output=True, text=True).stderr == ""
    assert {path.name for path in package.iterdir()} - {".build"} == {
        ".gitignore", "Package.swift", "README.md", "Sources", "Tests", "sluice.yaml"}

    done = run_cli("filter", "test", str(package), seconds=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"Test run with [3-9] tests", done.stdout), done.stdout
    assert re.search(rf"^ok  this Sluice loads .*/lib{name}\.so, which brings `{name}`$", done.stdout, re.M), done.stdout

    environment = {"SLUICE_BUILD": "debug", "SLUICE_PORT": "0", "SLUICE_ADMIN_PORT": "0"}
    proxy = sluice(command=["run", "-c", str(package / "sluice.yaml"), "--log-format", "json"], env=environment)
    answer = get(proxy.address("main"))
    assert answer.status == 200
    if name == "answerer":
        assert answer.body == b"good day\n"
    elif name == "meter":
        stats = get(proxy.address("admin"), "/stats", host="localhost").body.decode()
        assert int(re.search(r"\.meter\.bytes: (\d+)", stats)[1]) > 10, stats
    else:
        field = "x-" + name.replace("_", "-")
        assert (answer.get(field), answer.body) == ("good day", b"an answer\n")


@pytest.mark.parametrize("arguments,words", [
    ((), ["needs a name"]),
    (("AddHeader",), ["`AddHeader`", "for example `add_header`"]),
    (("add-header",), ["for example `add_header`"]),
    (("9lives",), ["beginning with a letter"]),
    (("gzip",), ["`gzip` already", "`my_gzip`"]),
    (("class",), ["`class`", "Swift", "`my_class`"]),
    (("byte",), ["FilterAPI"]),
    (("x" * 41,), ["longer than 40"]),
    (("one", "two"), ["one name"]),
    (("one", "--kind", "udp"), ["http, byte, terminal", "`udp`"]),
    (("one", "--kind", "byte", "--async"), ["`--async`", "http"]),
    (("one", "--asinc"), ["did you mean `--async`?"]),
    (("one", "--async=yes"), ["takes no value"]),
    (("one", "--at"), ["`--at` needs a value"]),
    (("one", "--sluice", "/nowhere"), ["--sluice", "`/nowhere`"]),
], ids=str)
def test_what_makes_no_sense_is_said_and_nothing_is_written(arguments, words, tmp_path):
    done = run_cli("filter", "new", *arguments, cwd=tmp_path)
    assert done.returncode == 2 and done.stdout == "", done
    assert all(word in done.stderr for word in words), done.stderr
    assert not any(tmp_path.iterdir())


def test_nothing_is_written_over(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/notes").write_text("all I know")
    done = run_cli("filter", "new", "mine", cwd=tmp_path)
    assert done.returncode == 1 and "mine is there already" in done.stderr, done
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["notes"]
    (tmp_path / "other").mkdir()
    (tmp_path / "other/.gitignore").write_text("*.o\n")
    done = run_cli("filter", "new", "other", cwd=tmp_path)
    assert done.returncode == 1 and "other/.gitignore is there already" in done.stderr, done
    assert (tmp_path / "other/.gitignore").read_text() == "*.o\n"


def test_the_sources_are_those_of_the_program_unless_the_environment_says_otherwise(tmp_path):
    assert run_cli("filter", "new", "mine", cwd=tmp_path).returncode == 0
    assert f'?? "{REPOSITORY}"' in (tmp_path / "mine/Package.swift").read_text()
    done = run_cli("filter", "new", "other", cwd=tmp_path, env={"SLUICE_SDK": "/nowhere"})
    assert done.returncode == 2 and "SLUICE_SDK" in done.stderr, done
    installed = tmp_path / "prefix/bin/sluice"
    (tmp_path / "prefix/share/sluice/sdk").mkdir(parents=True)
    shutil.copy(REPOSITORY / "Package.swift", tmp_path / "prefix/share/sluice/sdk")
    installed.parent.mkdir()
    shutil.copy(BINARY, installed)
    subprocess.run([installed, "filter", "new", "third"], cwd=tmp_path, check=True, capture_output=True)
    assert f'?? "{tmp_path}/prefix/share/sluice/sdk"' in (tmp_path / "third/Package.swift").read_text()


@pytest.mark.parametrize("verb", ["run", "test", "bench"])
def test_a_folder_without_a_package_and_a_path_without_swift_are_said(verb, tmp_path):
    done = run_cli("filter", verb, str(tmp_path))
    assert done.returncode == 2 and "there is no Package.swift" in done.stderr and "filter new" in done.stderr, done
    run_cli("filter", "new", "mine", cwd=tmp_path)
    done = subprocess.run([BINARY, "filter", verb, tmp_path / "mine"], env={"PATH": "/nowhere"}, capture_output=True,
                          text=True)
    assert done.returncode == 2 and "there is no `swift`" in done.stderr, done


def test_run_builds_serves_and_follows_what_is_saved(sluice):
    package = new("add_header")
    running = sluice(command=["filter", "run", str(package), "--port", "0"], wait=False)

    def wait(pattern, since=0, lines=running.stderr):
        line = lines.wait(lambda line: re.search(pattern, line), 200, since)
        assert line, f"no {pattern}:\n{running.log_text()}\n" + "\n".join(running.stdout.lines)
        return re.search(pattern, line)

    address = parse_address(wait(r"  curl -i http://(\S+)/$")[1])
    code, config = package / "Sources/add_header/Filter.swift", package / "sluice.yaml"
    first = code.read_text()

    def saved(file, text, pattern):
        mark = running.mark()
        file.write_text(text)
        wait(pattern, mark)
        return get(address).get("x-add-header")

    assert get(address).get("x-add-header") == "good day"
    assert saved(code, first.replace("set(name, value)", 'set(name, value + "!")'), "config reloaded") == "good day!"
    assert saved(code, first.replace("return .leave", "return .gone"), "does not build; what ran") == "good day!"
    assert wait(r"error: .*'gone'", lines=running.stdout)
    assert saved(code, first, "config reloaded") == "good day"
    settings = config.read_text()
    assert saved(config, settings.replace("good day", "good night"), "config reloaded") == "good night"
    assert saved(config, settings.replace("value:", "valu:"), "did you mean `value`") == "good night"
    assert saved(config, settings, "config reloaded") == "good day"
    mark = running.mark()
    code.write_text(first.replace("set(name, value)", 'set(name, [value][value.utf8.count])'))
    wait("config reloaded", mark)
    with pytest.raises((OSError, AssertionError)):
        assert get(address).status == 200
    wait("the proxy has ended", mark)
    mark = running.mark()
    code.write_text(first)
    wait("ready", mark)
    children = subprocess.run(["pgrep", "-P", str(running.pid)], capture_output=True, text=True).stdout.split()
    running.process.send_signal(signal.SIGINT)
    assert running.process.wait(20) == 0 and children
    assert not [child for child in children if os.path.exists(f"/proc/{child}")]
    running.stopped_by_test = True


def test_hello_is_served_by_run_as_it_stands(sluice):
    """A copy of plugins/hello, as somebody makes one to begin with."""
    folder = plugins.BUILDS / "new/hello"
    shutil.copytree(REPOSITORY / "plugins/hello", folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".build"))
    manifest = (folder / "Package.swift").read_text()
    assert manifest.count('path: "../.."') == 1
    (folder / "Package.swift").write_text(manifest.replace('path: "../.."', f'path: "{REPOSITORY}"'))
    running = sluice(command=["filter", "run", str(folder), "--port", "0"], wait=False)
    line = running.stderr.wait(lambda line: re.search(r"  curl -i http://(\S+)/$", line), 200)
    assert line, running.log_text()
    address = parse_address(re.search(r"http://(\S+)/$", line)[1])
    assert [get(address, path).get("x-hello") for path in ("/", "/night")] == ["good day", "good night"]
    running.process.send_signal(signal.SIGINT)
    assert running.process.wait(20) == 0
    running.stopped_by_test = True


def test_the_end_comes_while_it_is_built_too(sluice, tmp_path):
    assert run_cli("filter", "new", "unfinished", cwd=tmp_path).returncode == 0
    running = sluice(command=["filter", "run", str(tmp_path / "unfinished")], wait=False)
    assert running.stdout.wait(lambda line: "Building" in line or "[" in line, 60), running.log_text()
    [build] = subprocess.run(["pgrep", "-P", str(running.pid)], capture_output=True, text=True).stdout.split()
    running.process.send_signal(signal.SIGINT)
    assert running.process.wait(30) == 0 and not os.path.exists(f"/proc/{build}")
    assert subprocess.run(["pgrep", "-g", build]).returncode == 1, "something of the build is left"
    running.stopped_by_test = True


def test_bench_says_what_a_filter_costs_and_what_it_cannot_measure(sluice):
    program = sluice_of("release")
    package = new("add_header")

    def bench(*arguments):
        return subprocess.run([program, "filter", "bench", *map(str, arguments)], capture_output=True, text=True)

    done = bench(package)
    assert done.returncode == 0, done
    cost = re.match(r"add_header: (-?[\d.]+) ns per request \(half of \d+ rounds: -?[\d.]+ to -?[\d.]+\)\n", done.stdout)
    assert cost and 1 < float(cost[1]) < 2000, done.stdout
    library = package / ".build/release/libadd_header.so"
    assert bench(library, "--filter", "add_header", "--settings", "{ value: x }").returncode == 0
    for arguments, words in ((("--settings", "{ valu: x }"), "did you mean `value`"), (("--filter", "x"), "no filter `x`"),
                             (("--settings", "{ header: 'a b' }"), "header is not the name of a header field")):
        done = bench(library, *arguments)
        assert done.returncode == 1 and words in done.stderr, done


@pytest.mark.parametrize("verb", ["new", "run", "test", "bench", "inspect"])
def test_each_command_has_its_own_help(verb):
    text = run_cli("filter", verb, "--help").stdout
    assert f"usage: sluice filter {verb}" in text and "examples:" in text and "Exit codes:" in text
    assert run_cli("help", "filter", verb).stdout == text
    assert f"  {verb} " in run_cli("help", "filter").stdout
