"""The program as its operator meets it: commands, exit codes, signals, reloads, the end."""
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import threading
import time

import pytest

import sluice as harness
from client import Client, Closed, encode, get
from configs import http_proxy
from flow import wait_until
from origin import answer
from sluice import parse_address, run_cli

GOOD = """\
listeners:
  inbound:
    bind: 127.0.0.1:8080
    chain: [ http, router: { to: app } ]
clusters:
  app: { endpoints: [ "127.0.0.1:9000" ] }
"""
BAD = GOOD.replace("bind:", "bnid:")
UNUSED = GOOD + '  spare: { endpoints: [ "127.0.0.1:9001" ] }\n'


@pytest.fixture
def file(tmp_path):
    """`file(text)` gives the path of a config file."""
    def write(text):
        path = tmp_path / "sluice.yaml"
        path.write_text(text)
        return str(path)
    return write


# MARK: check

def test_check_of_a_good_file_says_what_is_in_it_and_exits_0(file):
    path = file(GOOD)
    done = run_cli("check", path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"ok  1 listener, 2 filters, 1 cluster ({path})\n"


def test_check_of_a_bad_file_shows_the_place_and_exits_1(file):
    path = file(BAD)
    done = run_cli("check", path)
    assert done.returncode == 1
    assert f"{path}:3:5" in done.stdout and "unknown key `bnid`" in done.stdout and "did you mean `bind`?" in done.stdout
    assert "    bnid: 127.0.0.1:8080" in done.stdout and "^^^^" in done.stdout


def test_check_reports_everything_in_one_run(file):
    done = run_cli("check", file(BAD.replace("to: app", "to: ap").replace("http,", "htp,")))
    assert all(name in done.stdout for name in ("`bnid`", "`htp`")), done.stdout


def test_check_of_a_file_with_a_warning_shows_it_and_exits_0(file):
    done = run_cli("check", file(UNUSED))
    assert done.returncode == 0
    assert "warning[SL0202]" in done.stdout and "`spare`" in done.stdout and "ok  " in done.stdout


def test_check_as_json_can_be_read_by_a_program(file):
    path = file(BAD)
    done = run_cli("check", "--format", "json", path)
    assert done.returncode == 1
    first = json.loads(done.stdout)[0]
    assert (first["file"], first["line"], first["column"], first["endColumn"]) == (path, 3, 5, 9)
    assert (first["code"], first["severity"]) == ("SL0102", "error") and "bnid" in first["message"]


def test_check_as_json_of_a_good_file_is_an_empty_list(file):
    done = run_cli("check", "--format=json", file(GOOD))
    assert (done.returncode, json.loads(done.stdout)) == (0, [])


def test_check_for_github_prints_a_workflow_command_for_each_finding(file):
    path = file(BAD)
    done = run_cli("check", path, "--format", "github")
    assert done.returncode == 1
    assert re.fullmatch(r"(::error file=[^:]+,line=\d+,col=\d+,endColumn=\d+,title=SL\d{4}::[^\n]+\n)+", done.stdout)
    assert f"file={path},line=3,col=5" in done.stdout


def test_check_without_a_file_takes_the_one_in_the_folder(tmp_path, file):
    file(GOOD)
    done = run_cli("check", cwd=tmp_path)
    assert done.returncode == 0 and "(sluice.yaml)" in done.stdout


def test_without_any_file_the_program_says_where_it_looked(tmp_path):
    for command in ("check", "run"):
        done = run_cli(command, cwd=tmp_path)
        assert done.returncode == 2
        assert "./sluice.yaml" in done.stderr and "/etc/sluice/sluice.yaml" in done.stderr


def test_a_file_that_is_not_there_is_named(tmp_path):
    for arguments in (("check", "none.yaml"), ("run", "-c", "none.yaml")):
        done = run_cli(*arguments, cwd=tmp_path)
        assert done.returncode == 1
        assert "none.yaml" in done.stdout + done.stderr and "no such file" in done.stdout + done.stderr


def test_check_opens_no_port_and_starts_no_connection(file):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        path = file(GOOD.replace("8080", str(taken.getsockname()[1])))
        assert run_cli("check", path).returncode == 0


def test_run_with_a_bad_file_exits_1_and_says_the_same_as_check(file):
    path = file(BAD)
    ran, checked = run_cli("run", "-c", path), run_cli("check", path)
    assert ran.returncode == 1
    assert ran.stderr.strip() == checked.stdout.strip()


# MARK: The command line

def test_version():
    for word in ("version", "--version", "-V"):
        done = run_cli(word)
        assert done.returncode == 0 and re.fullmatch(r"sluice \d+\.\d+\.\d+ \(filter API [\d.]+\)\n", done.stdout)


@pytest.mark.parametrize("command", ["run", "demo", "check", "drain", "version"])
def test_each_command_has_a_help_with_its_usage(command):
    texts = {run_cli(*arguments).stdout for arguments in ((command, "--help"), (command, "-h"), ("help", command))}
    assert len(texts) == 1
    text = texts.pop()
    assert f"usage: sluice {command}" in text
    assert f"\n  sluice {command}" in text.partition("examples:")[2]


OPTIONS = {"run": ["--config", "--workers", "--to", "--listen", "--log-level", "--log-format"],
           "demo": ["--workers", "--log-level", "--log-format"], "check": ["FILE", "--format"]}


@pytest.mark.parametrize("command", OPTIONS)
def test_each_option_of_a_command_has_a_line_in_its_help(command):
    text = run_cli(command, "--help").stdout.partition("options:")[2]
    assert [option for option in OPTIONS[command] if not re.search(rf"^  \S*.*{option}\b.*  \S", text, re.M)] == []


@pytest.mark.parametrize("arguments", [(), ("help",), ("--help",), ("-h",)], ids=str)
def test_the_overview_lists_all_commands_and_exits_0(arguments):
    done = run_cli(*arguments)
    assert done.returncode == 0
    assert all(f"  {command} " in done.stdout for command in ("run", "demo", "check", "version", "help"))


@pytest.mark.parametrize("arguments, words", [
    (("rnu",), ["`rnu`", "did you mean `run`?"]),
    (("run", "--worker", "2"), ["`--worker`", "did you mean `--workers`?"]),
    (("run", "--workers", "none"), ["`--workers`", "`none`"]),
    (("run", "--workers", "0"), ["`--workers`"]),
    (("run", "--workers"), ["`--workers` needs a value"]),
    (("run", "--log-level", "loud"), ["`--log-level`", "debug", "`loud`"]),
    (("run", "--to", "x:1", "-c", "y"), ["`--to`", "`--config`"]),
    (("run", "--listen", ":1"), ["`--listen` needs `--to`"]),
    (("check", "--format", "xml", "x"), ["`--format`", "json", "`xml`"]),
    (("run", "edge.yaml"), ["sluice run -c edge.yaml"]),
    (("demo", "--to", "x:1"), ["`demo`", "`--to`"]),
    (("demo", "-c", "x"), ["`demo`", "`-c`"]),
    (("help", "chekc"), ["`chekc`", "did you mean `check`?"]),
    (("serve", "--help"), ["`serve`"]),
    (("drain", "sluice"), ["`drain` needs the number of a process"]),
    (("drain", "1", "2"), ["`drain` takes one process"]),
    (("drain", "--now"), ["`drain`", "`--now`"]),
    (("check", "a", "b"), ["one file"]),
    (("check", "--loud"), ["`--loud`"]),
], ids=lambda value: " ".join(value) if isinstance(value, tuple) else "")
def test_a_command_line_that_makes_no_sense_exits_2_and_says_why(arguments, words):
    done = run_cli(*arguments)
    assert done.returncode == 2 and done.stdout == ""
    assert all(word in done.stderr for word in words), done.stderr


def test_a_fault_schedule_that_makes_no_sense_exits_2():
    done = run_cli("version", env={"SLUICE_FAULTS": "recv:one:EIO"})
    assert done.returncode == 2 and "SLUICE_FAULTS" in done.stderr


# MARK: run --to, demo

def test_run_to_forwards_everything_without_a_file(sluice, origin):
    one = origin()
    proxy = sluice(command=["run", "--to", one.endpoint, "--listen", "127.0.0.1:0", "--log-format", "json"])
    assert get(proxy.address("main"), "/x").status == 200
    assert one.requests[0].target == "/x"
    proxy.wait_stdout(r'"GET /x HTTP/1.1" 200 ')
    since = proxy.mark()
    proxy.signal(signal.SIGHUP)
    proxy.wait_log("nothing to reload", since=since)
    assert get(proxy.address("main")).status == 200
    proxy.stop()


def test_run_to_takes_a_port_alone(sluice, origin):
    one = origin()
    port = one.endpoint.rpartition(":")[2]
    proxy = sluice(command=["run", "--to", f":{port}", "--listen", "127.0.0.1:0", "--log-format", "json"])
    assert get(proxy.address("main")).status == 200


def test_run_to_nonsense_is_refused():
    done = run_cli("run", "--to", "not an address", "--listen", "127.0.0.1:0")
    assert done.returncode == 1 and "not an address" in done.stderr


# A demo takes port 8080 if it is free, and what is free when two look at once is not free for both.
one_demo_at_a_time = pytest.mark.xdist_group("demo")


@pytest.fixture
def demo(sluice, tmp_path):
    # The end of a test is no chance for it to remove its certificates.
    proxy = sluice(command=["demo", "--log-format", "json"], env={"TMPDIR": str(tmp_path)})
    proxy.wait_stdout("Ctrl-C")
    return proxy


@one_demo_at_a_time
def test_the_demo_prints_urls_and_each_answers_as_it_says(demo):
    text = "\n".join(demo.stdout.lines)
    lines = dict(re.findall(r"curl -iL? (http://\S+) +(.+)", text))
    assert {url.split("/", 3)[3] for url in lines} == {"", "slow", "flaky", "sealed", "hello", "away"}
    address = parse_address(next(iter(lines)).split("/")[2])
    assert address == demo.address("demo")

    proxied = get(address, "/")
    assert proxied.status == 200 and proxied.body.startswith(b"fast: request ")
    assert proxied.get("x-endpoint", "").startswith("unix:@")

    begin = time.monotonic()
    slow = get(address, "/slow")
    assert slow.status == 200 and slow.body.startswith(b"slow: ") and time.monotonic() - begin >= 1

    # Every third answer is an error, and every error is followed by another try.
    flaky = [get(address, "/flaky") for _ in range(6)]
    assert [answer.status for answer in flaky] == [200] * 6
    assert [answer.get("x-envoy-attempt-count") for answer in flaky] == ["1", "1", "2", "1", "2", "1"]

    sealed = get(address, "/sealed")
    assert sealed.status == 200 and b"over TLSv1.3, from spiffe://sluice.demo/proxy" in sealed.body

    hello = get(address, "/hello")
    assert (hello.status, hello.body) == (200, b"hello from the router\n")

    away = get(address, "/away")
    assert away.status == 302 and away.get("location").endswith("/")


@one_demo_at_a_time
def test_the_demo_speaks_tls_with_certificates_that_go_with_it(demo):
    [command] = [line.strip() for line in demo.stdout.lines if "--cacert" in line]
    file = pathlib.Path(command.split()[3])
    assert file.is_absolute() and file.exists() and file.parent.stat().st_mode & 0o077 == 0
    done = subprocess.run([*command.split(), "--silent", "--show-error"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "HTTP/2 200" in done.stdout and "x-tls: TLSv1.3" in done.stdout
    demo.signal(signal.SIGINT)
    assert demo.wait_exit() == 0 and not file.parent.exists()


@pytest.mark.skipif(subprocess.run(["unshare", "-rn", "true"], capture_output=True).returncode != 0,
                    reason="no namespaces of our own here")
def test_the_demo_needs_no_network(tmp_path):
    """In a network namespace of its own there is nothing but the loopback device, and that is down."""
    process = subprocess.Popen([*harness._TIED, "unshare", "-rn", harness.BINARY, "demo"], cwd=tmp_path,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert any("Ctrl-C" in line for line in process.stdout)
        assert ends_well(process)
    finally:
        process.kill()
        process.communicate()


@one_demo_at_a_time
def test_the_demo_prints_a_line_for_each_request(demo):
    get(demo.address("demo"), "/hello?x=1")
    demo.wait_stdout(r'"GET /hello\?x=1 HTTP/1.1" 200 ')


@one_demo_at_a_time
def test_ctrl_c_ends_the_demo(demo):
    demo.signal(signal.SIGINT)
    assert demo.wait_exit() == 0


@one_demo_at_a_time
def test_two_demos_run_beside_each_other(sluice, demo, tmp_path):
    other = sluice(command=["demo", "--log-format", "json"], env={"TMPDIR": str(tmp_path)})
    assert get(other.address("demo"), "/").status == 200
    assert get(demo.address("demo"), "/").status == 200


# MARK: The end

class Slow:
    """An origin's script that answers when it is told to."""

    def __init__(self):
        self.go = threading.Event()
        self.came = threading.Event()

    def __call__(self, peer):
        while request := peer.read_request():
            if request.target == "/slow":
                self.came.set()
                assert self.go.wait(10)
            if not peer.send(answer(request.target.encode())):
                return


def expect_refused(address):
    """Nobody listens any more, or whoever did closes without an answer."""
    try:
        with Client(address) as client:
            client.send(encode())
            assert client.read_to_end() == b""
    except ConnectionRefusedError:
        pass


def test_term_lets_a_request_finish_refuses_new_ones_and_exits_0(sluice, origin):
    slow = Slow()
    proxy = sluice(http_proxy(origin(slow).endpoint, workers=2))
    with Client(proxy.address()) as client:
        client.send(encode(target="/slow"))
        assert slow.came.wait(5)
        proxy.signal(signal.SIGTERM)
        proxy.wait_log("^draining")
        wait_until(lambda: not listens(proxy.address()))
        expect_refused(proxy.address())
        slow.go.set()
        response = client.read_response()
        assert response.body == b"/slow" and response.get("connection", "").lower() == "close"
        client.expect_closed()
    assert proxy.wait_exit(5) == 0
    proxy.wait_log("^stopped")


def listens(address):
    lines = [line.split() for line in open("/proc/net/tcp").readlines()[1:]]
    return any(fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == address[1] for fields in lines)


def test_term_closes_idle_connections_and_exits_at_once(sluice, origin):
    proxy = sluice(http_proxy(origin().endpoint))
    clients = [Client(proxy.address()) for _ in range(20)]
    for client in clients:
        assert client.request().status == 200
    begin = time.monotonic()
    proxy.signal(signal.SIGTERM)
    for client in clients:
        client.expect_closed()
        client.close()
    assert proxy.wait_exit() == 0
    assert time.monotonic() - begin < 3


def test_term_with_clients_that_never_sent_a_byte_exits_at_once(sluice, origin):
    proxy = sluice(http_proxy(origin().endpoint))
    clients = [Client(proxy.address()) for _ in range(5)]
    get(proxy.address())
    proxy.signal(signal.SIGTERM)
    assert proxy.wait_exit(3) == 0
    for client in clients:
        client.close()


def test_term_lets_a_download_finish(sluice, origin):
    go = threading.Event()

    def script(peer):
        peer.read_request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2000000\r\n\r\n" + b"x" * 1_000_000)
        assert go.wait(10)
        peer.send(b"y" * 1_000_000)
    proxy = sluice(http_proxy(origin(script).endpoint))
    with Client(proxy.address()) as client:
        client.send(encode())
        client.read_head()
        proxy.signal(signal.SIGTERM)
        proxy.wait_log("^draining")
        go.set()
        assert client.read_exactly(2_000_000) == b"x" * 1_000_000 + b"y" * 1_000_000
        client.expect_closed()
    assert proxy.wait_exit() == 0


def test_term_lets_an_upload_finish(sluice, origin):
    one = origin()
    proxy = sluice(http_proxy(one.endpoint))
    with Client(proxy.address()) as client:
        client.send(encode("POST", headers={"Content-Length": "10"}) + b"hello")
        one.wait_for(lambda o: o.peers and o.peers[0].received.endswith(b"hello"))
        proxy.signal(signal.SIGTERM)
        proxy.wait_log("^draining")
        client.send(b"world")
        assert client.read_response().status == 200
    assert one.requests[0].body == b"helloworld"
    assert proxy.wait_exit() == 0


def test_a_second_term_exits_at_once(sluice, origin):
    slow = Slow()
    proxy = sluice(http_proxy(origin(slow).endpoint))
    with Client(proxy.address()) as client:
        client.send(encode(target="/slow"))
        assert slow.came.wait(5)
        proxy.signal(signal.SIGTERM)
        proxy.wait_log("^draining")
        proxy.signal(signal.SIGTERM)
        assert proxy.wait_exit(3) == 0
        assert client.read_to_end() == b""
    slow.go.set()


def test_the_drain_timeout_ends_what_does_not_end_by_itself(sluice, origin):
    slow = Slow()
    proxy = sluice(http_proxy(origin(slow).endpoint, drain_timeout="300ms"))
    with Client(proxy.address()) as client:
        client.send(encode(target="/slow"))
        assert slow.came.wait(5)
        begin = time.monotonic()
        proxy.signal(signal.SIGTERM)
        proxy.wait_log("^draining", timeout="300ms")
        assert proxy.wait_exit(3) == 0
        assert time.monotonic() - begin >= 0.3
        assert client.read_to_end() == b""
    proxy.wait_log("drain timeout", level="warning")
    slow.go.set()


def test_requests_that_come_while_the_signal_is_on_its_way_are_served_or_refused_but_not_lost(sluice, origin):
    """Clients talk without a pause while the process is told to end: each request sent on a connection that was
    accepted is answered in full, or its connection ends before a byte of an answer."""
    proxy = sluice(http_proxy(origin().endpoint, workers=2))
    address = proxy.address()
    outcome = []

    def talk():
        served = 0
        try:
            while True:
                with Client(address) as client:
                    while True:
                        response = client.request()
                        assert response.status == 200
                        served += 1
                        if response.get("connection", "").lower() == "close":
                            break
        except (Closed, ConnectionRefusedError, ConnectionResetError) as end:
            outcome.append((served, end))
        except AssertionError as error:
            outcome.append((served, error))
    threads = [threading.Thread(target=talk) for _ in range(6)]
    for thread in threads:
        thread.start()
    get(address)
    proxy.signal(signal.SIGTERM)
    assert proxy.wait_exit() == 0
    for thread in threads:
        thread.join(10)
    for served, end in outcome:
        assert isinstance(end, (Closed, ConnectionRefusedError, ConnectionResetError)), end
        assert not isinstance(end, Closed) or "before a response head: b''" in str(end), end


# MARK: Reload

def two_routes(one, other, to):
    return http_proxy(clusters={"one": {"endpoints": [one]}, "other": {"endpoints": [other]}},
                      routes=[{"name": "spare", "match": {"path": "/spare"}, "to": "one" if to == "other" else "other"},
                              {"name": "all", "to": to}])


@pytest.fixture
def fixed():
    """A port that is free now, for listeners that must have the same address before and after a reload."""
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        holder.bind(("127.0.0.1", 0))
        yield "127.0.0.1:%d" % holder.getsockname()[1]


def test_a_changed_route_is_used_after_a_reload(sluice, origin):
    one, other = origin(), origin()
    proxy = sluice(two_routes(one.endpoint, other.endpoint, "one"))
    address = proxy.address()
    get(address)
    assert (len(one.requests), len(other.requests)) == (1, 0)
    proxy.reload(two_routes(one.endpoint, other.endpoint, "other"))
    assert get(address).status == 200
    assert (len(one.requests), len(other.requests)) == (1, 1)


def test_a_bad_file_is_refused_with_its_place_and_the_running_config_stays(sluice, origin):
    one = origin()
    proxy = sluice(http_proxy(one.endpoint, workers=1))
    address = proxy.address()
    with Client(address) as client:
        assert client.request().status == 200
        entry = proxy.reload(BAD, expect="config refused")
        assert entry["level"] == "error" and entry["place"].endswith("sluice.yaml:3:5") and "`bnid`" in entry["error"]
        assert "^^^^" in entry["details"]
        assert client.request().status == 200
    assert get(address).status == 200
    assert len(one.peers) == 1
    proxy.reload(http_proxy(one.endpoint, workers=1))


def test_a_file_that_has_gone_is_refused_and_the_running_config_stays(sluice, origin):
    proxy = sluice(http_proxy(origin().endpoint))
    proxy.config_file.unlink()
    proxy.reload(expect="config refused")
    assert get(proxy.address()).status == 200


@pytest.mark.parametrize("change", [{"workers": 2}], ids=str)
def test_what_cannot_be_changed_while_running_is_refused_by_name(sluice, origin, change):
    one = origin()
    proxy = sluice(http_proxy(one.endpoint, workers=1))
    entry = proxy.reload({**http_proxy(origin().endpoint), **change}, expect="config refused")
    assert all(f"`{key}`" in entry["error"] for key in change) and "SL0211" in entry["details"]
    assert get(proxy.address()).status == 200 and len(one.requests) == 1


def test_a_listener_that_did_not_change_keeps_its_connections(sluice, origin):
    one = origin()
    config = http_proxy(one.endpoint, workers=1)
    config["listeners"]["other"] = {"bind": "127.0.0.1:0", "chain": ["http", {"router": {"to": "app"}}]}
    proxy = sluice(config)
    with Client(proxy.address("inbound")) as kept:
        assert kept.request().status == 200
        for number in range(3):
            config["listeners"]["other"]["chain"][1]["router"] = {"routes": [{"name": f"r{number}", "to": "app"}]}
            proxy.reload(config)
            assert kept.request().get("connection") is None
    assert len(one.peers) == 1, "the cluster did not change either"


def test_a_reload_of_the_same_file_changes_nothing(sluice, origin):
    one = origin()
    proxy = sluice(http_proxy(one.endpoint, workers=1))
    with Client(proxy.address()) as client:
        client.request()
        before = proxy.fds()
        for _ in range(20):
            proxy.reload()
            assert client.request().status == 200
        assert proxy.fds() == before
    assert len(one.peers) == 1


def test_comments_and_layout_are_no_change(sluice, origin, fixed):
    one = origin()
    text = f"""\
        listeners:
          inbound:
            bind: {fixed}
            chain: [ http, router: {{ to: app }} ]
        clusters:
          app: {{ endpoints: [ "{one.endpoint}" ] }}
        """
    proxy = sluice(text)
    with Client(proxy.address()) as client:
        client.request()
        proxy.reload("# moved down by a comment\n" + "\n".join(line[8:] for line in text.split("\n")))
        assert client.request().get("connection") is None


def test_a_changed_listener_drains_its_old_connections_while_the_new_chain_serves(sluice, origin):
    slow = Slow()
    one, other = origin(slow), origin()
    proxy = sluice(two_routes(one.endpoint, other.endpoint, "one"))
    address = proxy.address()
    with Client(address) as idle, Client(address) as busy:
        assert idle.request().status == 200
        busy.send(encode(target="/slow"))
        assert slow.came.wait(5)
        proxy.reload(two_routes(one.endpoint, other.endpoint, "other"))
        idle.expect_closed()
        assert get(address, "/new").status == 200
        assert [request.target for request in other.requests] == ["/new"]
        slow.go.set()
        response = busy.read_response()
        assert response.body == b"/slow" and response.get("connection", "").lower() == "close"
        busy.expect_closed()


def test_a_listener_that_changes_keeps_its_socket(sluice, origin):
    """A client that is in the queue while the chain changes is served: nothing is closed and opened again."""
    one, other = origin(), origin()
    proxy = sluice(two_routes(one.endpoint, other.endpoint, "one"))
    address = proxy.address()
    failed, stop = [], threading.Event()

    def talk():
        while not stop.is_set():
            try:
                response = get(address)
                if response.status != 200:
                    failed.append(response.status)
            except Exception as error:
                failed.append(error)
    threads = [threading.Thread(target=talk) for _ in range(3)]
    for thread in threads:
        thread.start()
    for number in range(10):
        proxy.reload(two_routes(one.endpoint, other.endpoint, "other" if number % 2 else "one"))
    stop.set()
    for thread in threads:
        thread.join(5)
    assert failed == []


def test_an_added_listener_serves_and_a_removed_one_closes(sluice, origin, fixed):
    one = origin()
    config = http_proxy(one.endpoint)
    proxy = sluice(config)
    added = json.loads(json.dumps(config))
    added["listeners"]["second"] = {"bind": fixed, "chain": ["http", {"router": {"to": "app"}}]}
    address = parse_address(fixed)
    since = proxy.mark()
    proxy.reload(added)
    assert proxy.addresses("second", since=since) == [address]
    with Client(address) as idle:
        assert idle.request().status == 200
        proxy.reload(config)
        idle.expect_closed()
    wait_until(lambda: not listens(address))
    with pytest.raises(ConnectionRefusedError):
        Client(address)
    assert get(proxy.address("inbound")).status == 200
    proxy.reload(added)
    assert get(address).status == 200


def test_a_listener_that_moves_to_another_address_leaves_the_old_one(sluice, origin, fixed):
    one = origin()
    proxy = sluice(http_proxy(one.endpoint))
    old = proxy.address()
    proxy.reload(http_proxy(one.endpoint, listener={"bind": fixed}))
    assert get(parse_address(fixed)).status == 200
    wait_until(lambda: not listens(old))


def test_a_renamed_listener_keeps_its_address(sluice, origin, fixed):
    one = origin()
    config = http_proxy(one.endpoint, listener={"bind": fixed})
    proxy = sluice(config)
    config["listeners"] = {"renamed": config["listeners"]["inbound"]}
    for _ in range(3):
        proxy.reload(config)
        assert get(parse_address(fixed)).status == 200


def test_a_renamed_listener_keeps_its_unix_socket(sluice, origin, tmp_path):
    one = origin()
    path = tmp_path / "in.sock"
    config = http_proxy(one.endpoint, listener={"bind": f"unix:{path}"}, workers=2)
    proxy = sluice(config)
    config["listeners"] = {"renamed": config["listeners"]["inbound"]}
    proxy.reload(config)
    for _ in range(5):
        assert get(str(path)).status == 200
    proxy.stop()
    assert not path.exists()


def test_a_port_in_use_at_a_reload_is_refused_and_nothing_changes(sluice, origin):
    one = origin()
    proxy = sluice(http_proxy(one.endpoint))
    before = proxy.fds()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        config = http_proxy(origin().endpoint)
        port = taken.getsockname()[1]
        config["listeners"]["second"] = {"bind": ["127.0.0.1:0", f"127.0.0.1:{port}"],
                                         "chain": ["http", {"router": {"to": "app"}}]}
        entry = proxy.reload(config, expect="config refused")
        assert f"127.0.0.1:{port}" in entry["error"] and "EADDRINUSE" in entry["error"]
        line = int(entry["place"].split(":")[-2])
        assert str(port) in proxy.config_file.read_text().splitlines()[line - 1]
    assert proxy.fds() == before
    assert get(proxy.address()).status == 200 and len(one.requests) == 1


def test_a_removed_cluster_lets_its_requests_finish(sluice, origin):
    slow = Slow()
    old, new = origin(slow), origin()
    proxy = sluice(http_proxy(old.endpoint))
    with Client(proxy.address()) as client:
        client.send(encode(target="/slow"))
        assert slow.came.wait(5)
        config = http_proxy(clusters={"fresh": {"endpoints": [new.endpoint]}}, routes=[{"name": "all", "to": "fresh"}])
        proxy.reload(config)
        assert get(proxy.address()).status == 200 and len(new.requests) == 1
        slow.go.set()
        assert client.read_response().body == b"/slow"
    old.wait_for(lambda o: all(peer.ended for peer in o.peers))


def test_changed_endpoints_are_used_and_idle_connections_to_the_old_ones_close(sluice, origin):
    old, new = origin(), origin()
    proxy = sluice(http_proxy(old.endpoint))
    with Client(proxy.address()) as client:
        assert client.request().status == 200
        proxy.reload(http_proxy(new.endpoint))
        old.wait_for(lambda o: o.peers[0].ended)
        assert client.request().status == 200
    assert (len(old.requests), len(new.requests)) == (1, 1)


def test_a_hundred_reloads_leave_no_descriptor_and_little_memory(sluice, origin):
    one, other = origin(), origin()
    configs = [two_routes(one.endpoint, other.endpoint, to) for to in ("one", "other")]
    proxy = sluice(configs[0], args=["--workers", "2"])
    for number in range(20):
        proxy.reload(configs[number % 2])
        get(proxy.address())
    descriptors, memory = proxy.fds(), proxy.heap()
    for number in range(80):
        proxy.reload(configs[number % 2])
        get(proxy.address())
    proxy.wait_fds(lambda count: count <= descriptors + 2)
    assert proxy.heap() - memory < 1024


def test_many_hups_at_once_end_in_the_last_config(sluice, origin):
    one, other = origin(), origin()
    proxy = sluice(two_routes(one.endpoint, other.endpoint, "one"))
    proxy.write(two_routes(one.endpoint, other.endpoint, "other"))
    since = proxy.mark()
    for _ in range(100):
        proxy.signal(signal.SIGHUP)
    proxy.wait_log("reloaded", since=since)
    get(proxy.address())
    assert (len(one.requests), len(other.requests)) == (0, 1)


def test_a_hup_while_it_drains_changes_nothing(sluice, origin):
    slow = Slow()
    proxy = sluice(http_proxy(origin(slow).endpoint))
    with Client(proxy.address()) as client:
        client.send(encode(target="/slow"))
        assert slow.came.wait(5)
        proxy.signal(signal.SIGTERM)
        proxy.wait_log("^draining")
        proxy.signal(signal.SIGHUP)
        proxy.wait_log("not reloading")
        slow.go.set()
        assert client.read_response().status == 200
    assert proxy.wait_exit() == 0


# MARK: Logs

def test_the_access_log_goes_on_in_a_new_file_after_usr1_and_no_line_is_lost(sluice, origin, tmp_path):
    path = tmp_path / "access.log"
    proxy = sluice(http_proxy(origin().endpoint, access_log={"to": str(path), "format": "%REQ(:PATH)%"}, workers=2))
    stop, sent = threading.Event(), []

    def talk(name):
        number = 0
        while not stop.is_set():
            target = f"/{name}/{number}"
            if get(proxy.address(), target).status == 200:
                sent.append(target)
            number += 1
    threads = [threading.Thread(target=talk, args=(name,)) for name in range(3)]
    for thread in threads:
        thread.start()
    moved = []
    for number in range(5):
        wait_until(lambda: path.stat().st_size > 0, seconds=20)
        moved.append(tmp_path / f"access.log.{number}")
        path.rename(moved[-1])
        since = proxy.mark()
        proxy.signal(signal.SIGUSR1)
        proxy.wait_log("opened again", since=since)
    stop.set()
    for thread in threads:
        thread.join(5)
    proxy.stop()
    lines = [file.read_text().splitlines() for file in [*moved, path]]
    assert sorted(line for part in lines for line in part) == sorted(sent)
    assert all(lines[:-1])


def test_a_log_file_whose_folder_has_gone_is_reported_and_the_old_one_is_kept(sluice, origin, tmp_path):
    folder = tmp_path / "logs"
    folder.mkdir()
    proxy = sluice(http_proxy(origin().endpoint, access_log=str(folder / "access.log")))
    folder.rename(tmp_path / "moved")
    proxy.signal(signal.SIGUSR1)
    proxy.wait_log("cannot open", level="error", path=str(folder / "access.log"))
    get(proxy.address(), "/after")
    proxy.stop()
    assert "/after" in (tmp_path / "moved/access.log").read_text()


def test_the_log_is_text_unless_asked_otherwise(sluice, origin):
    config = json.dumps(http_proxy(origin().endpoint))
    proxy = sluice(config, command=["run", "-c", "sluice.yaml"], wait=False)
    line = proxy.stderr.wait(lambda line: " ready" in line, 10)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z INFO +ready version=\S+ workers=\d+ config=\".*\"", line)


def test_a_reload_changes_the_level_of_the_log(sluice, origin):
    endpoint = origin().endpoint
    proxy = sluice(http_proxy(endpoint))
    proxy.reload(http_proxy(endpoint, log={"level": "error"}), expect="reloaded|level")
    since = proxy.mark()
    proxy.reload(BAD, expect="config refused")
    proxy.signal(signal.SIGUSR1)
    proxy.reload(http_proxy(endpoint))
    assert [entry["level"] for entry in proxy.log[since:]] == ["error", "info"]


def test_a_warning_of_the_config_is_logged_at_the_start_and_at_a_reload(sluice, origin):
    config = http_proxy(origin().endpoint, clusters={"spare": {"endpoints": ["127.0.0.1:9"]}})
    proxy = sluice(config)
    entry = proxy.wait_log("`spare`", level="warning")
    line = proxy.config_file.read_text().splitlines()[int(entry["line"]) - 1]
    assert "spare" in line
    since = proxy.mark()
    proxy.reload(config)
    proxy.wait_log("`spare`", level="warning", since=since)


@pytest.fixture
def bare(tmp_path):
    """`bare(config, ...)` runs the program on a Unix socket with standard streams of the test's choice."""
    running = []

    def start(config, shell='exec "$0" "$@"', arguments=(), **streams):
        path = tmp_path / "bare.sock"
        config["listeners"]["inbound"]["bind"] = f"unix:{path}"
        file = tmp_path / "bare.yaml"
        file.write_text(json.dumps(config))
        command = [*harness._TIED, "sh", "-c", shell, harness.BINARY, "run", "-c", str(file), *arguments]
        running.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, **streams))
        wait_until(lambda: is_there(path) or running[-1].poll() is not None, seconds=20)
        return running[-1], str(path)
    yield start
    for process in running:
        process.kill()
        process.communicate()


def is_there(path):
    """Whether somebody listens at a Unix socket."""
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0


def ends_well(process):
    process.send_signal(signal.SIGTERM)
    return process.wait(10) == 0


def test_the_configs_log_level_is_used_and_the_command_line_wins(bare, origin):
    config = http_proxy(origin().endpoint, log={"format": "json", "level": "error"})
    quiet, path = bare(config, stderr=subprocess.PIPE)
    assert get(path).status == 200 and ends_well(quiet)
    assert quiet.stderr.read() == b""
    loud, path = bare(config, arguments=["--log-level", "debug"], stderr=subprocess.PIPE)
    assert get(path).status == 200 and ends_well(loud)
    assert b'"message":"ready"' in loud.stderr.read()


def test_closed_standard_streams_do_not_end_the_process_nor_get_mixed_up(bare, origin):
    """Whatever gets the numbers 0, 1 and 2 then must not be written to as if it were a log."""
    one = origin()
    process, path = bare(http_proxy(one.endpoint, access_log="stdout"), shell='exec "$0" "$@" 0<&- 1>&- 2>&-')
    for _ in range(5):
        assert get(path).status == 200
        process.send_signal(signal.SIGHUP)
    assert ends_well(process)
    assert one.faults == [] and len(one.requests) == 5


def test_a_reader_of_the_log_that_goes_away_does_not_end_the_process(bare, origin):
    reading, writing = os.pipe()
    process, path = bare(http_proxy(origin().endpoint, access_log="stdout"), stdout=writing, stderr=writing)
    os.close(writing)
    os.close(reading)
    for _ in range(5):
        assert get(path).status == 200
        process.send_signal(signal.SIGUSR1)
    assert ends_well(process)


def test_a_reader_of_the_access_log_that_does_not_read_holds_no_request_up(bare, origin):
    reading, writing = os.pipe()
    process, path = bare(http_proxy(origin().endpoint, workers=1, access_log="stdout"), stdout=writing)
    os.close(writing)
    with Client(path) as client:
        for _ in range(1000):
            assert client.request(headers={"User-Agent": "x" * 100}).status == 200
    os.close(reading)
    assert ends_well(process)


def test_lines_that_the_disk_does_not_take_are_told_in_the_process_log(bare, origin):
    """A full disk is felt by whoever reads the log, and by no client."""
    config = http_proxy(origin().endpoint, access_log="/dev/full", log={"format": "json"})
    process, path = bare(config, stderr=subprocess.PIPE)
    assert [get(path).status for _ in range(5)] == [200] * 5
    assert ends_well(process)
    lost = [entry for entry in map(json.loads, process.stderr.read().splitlines()) if "are lost" in entry["message"]]
    assert {(entry["level"], entry["path"]) for entry in lost} == {("warning", "/dev/full")}
    assert sum(int(entry["lines"]) for entry in lost) == 5


# MARK: Signals that mean nothing

def test_pipes_and_sockets_that_break_raise_no_signal(sluice, origin):
    proxy = sluice(http_proxy(origin().endpoint))
    for number in (signal.SIGPIPE, signal.SIGUSR1):
        proxy.signal(number)
    assert get(proxy.address()).status == 200
    assert pathlib.Path(f"/proc/{proxy.pid}").exists()
