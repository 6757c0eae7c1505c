"""Every message code of the manual can be met, and where its cause is."""
import json
import re

import pytest

from sluice import REPOSITORY, run_cli

LISTENER = "listeners:\n  in: { bind: 127.0.0.1:0, chain: [ http, router: { to: app } ] }\n"
CLUSTER = 'clusters:\n  app: { endpoints: [ "127.0.0.1:9000" ] }\n'
GOOD = LISTENER + CLUSTER


def chain(text):
    return LISTENER.replace("[ http, router: { to: app } ]", text) + CLUSTER


# For each code a file, and the line of the cause. `None` is no file at all.
CAUSES = {
    "SL0101": (GOOD + "log: { level: info\n", 5),
    "SL0102": (GOOD + "wrokers: 1\n", 5),
    "SL0103": (GOOD + "workers: 1\nworkers: 2\n", 6),
    "SL0104": (GOOD + "workers: [ 1 ]\n", 5),
    "SL0105": (GOOD + "workers: 99999999999999999999\n", 5),
    "SL0106": (GOOD + "drain_timeout: 5\n", 5),
    "SL0107": (chain("[ http: { max_head: 5 }, router: { to: app } ]"), 2),
    "SL0108": (GOOD + "log: { level: loud }\n", 5),
    "SL0109": (GOOD + "drain_timeout:\n", 5),
    "SL0110": ("listeners:\n  in: { bind: 127.0.0.1:0 }\n", 2),
    "SL0111": (chain("[ http, router: { routes: [ { to: app, match: { regex: '(' } } ] } ]"), 2),
    "SL0112": (chain("[ http, router: { routes: [ { to: app }, { to: app } ] } ]"), 2),
    "SL0113": (GOOD + "log: { level: \"${NOT_SET_ANYWHERE}\" }\n", 5),
    "SL0114": (GOOD + "log: { level: !file not-there }\n", 5),
    "SL0115": (GOOD.encode() + b"# \xff\n", 5),
    "SL0116": (None, 1),
    "SL0117": (GOOD + "log: " + "[" * 100 + "]" * 100 + "\n", 5),
    "SL0118": (GOOD + "---\n" + GOOD, 5),
    "SL0119": ("# nothing\n", 1),
    "SL0120": (GOOD + "log: { level: !env LEVEL }\n", 5),
    "SL0121": (GOOD + "log: *nobody\n", 5),
    "SL0122": (chain("[ http, retry: { budget: { percent: half } }, router: { to: app } ]"), 2),
    "SL0201": (chain("[ http, router: { to: apq } ]"), 2),
    "SL0202": (GOOD + '  spare: { endpoints: [ "127.0.0.1:9001" ] }\n', 5),
    "SL0203": ("listeners: {}\n", 1),
    "SL0204": (GOOD.replace("bind: 127.0.0.1:0", "bind: nowhere"), 2),
    "SL0205": (chain("[ htp, router: { to: app } ]"), 2),
    "SL0206": (chain("[ http ]"), 2),
    "SL0207": (GOOD + "plugins: [ ./libnone.so ]\n", 5),
    "SL0210": (GOOD.replace("127.0.0.1:0", "[ 127.0.0.1:81, 127.0.0.1:81 ]"), 2),
}
# Met in other files: on a reload, and with a plugin.
ELSEWHERE = {"SL0211": "test_process.py", "SL0208": "test_plugin_files.py", "SL0212": "test_plugins.py"}


@pytest.mark.parametrize("code", CAUSES)
def test_a_cause_has_its_code_and_its_line(code, tmp_path):
    text, line = CAUSES[code]
    file = tmp_path / "sluice.yaml"
    if text is not None:
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
    done = run_cli("check", "--format", "json", str(file))
    found = [(entry["code"], entry["line"]) for entry in json.loads(done.stdout)]
    assert (code, line) in found, done.stdout
    kinds = {entry["severity"] for entry in json.loads(done.stdout)}
    assert done.returncode == (1 if "error" in kinds else 0)


def test_every_code_of_the_manual_is_met_in_a_test():
    manual = set(re.findall(r"^\| `(SL\d{4})`", (REPOSITORY / "docs/operators.md").read_text(), re.M))
    assert manual == {*CAUSES, *ELSEWHERE}
    for code, name in ELSEWHERE.items():
        assert code in (REPOSITORY / "Tests/wire" / name).read_text()
