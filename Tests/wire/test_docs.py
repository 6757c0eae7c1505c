"""What the manuals say is true: their config files are good, their links lead somewhere."""
import json
import re
import subprocess

import pytest

from configs import http_proxy
from sluice import REPOSITORY, run_cli
from snippets import examples, links, snippets, swift_files

ENVIRONMENT = {"APP_ADDRESS": "127.0.0.1:3000"}


def check(text, tmp_path):
    file = tmp_path / "sluice.yaml"
    file.write_text(text)
    return run_cli("check", str(file), env=ENVIRONMENT)


@pytest.mark.parametrize("file", examples(), ids=lambda file: file.name)
def test_examples_are_good_and_use_all_that_they_define(file):
    done = run_cli("check", str(file))
    assert done.returncode == 0, done.stdout
    assert done.stdout.startswith("ok  ") and done.stdout.count("\n") == 1, done.stdout


@pytest.mark.parametrize("snippet", list(snippets()), ids=lambda snippet: snippet[0])
def test_config_files_in_the_manuals_are_good(snippet, tmp_path):
    done = check(snippet[1], tmp_path)
    assert done.returncode == 0, f"{done.stdout}\n{snippet[1]}"


@pytest.mark.parametrize("snippet", list(swift_files()), ids=lambda snippet: snippet[0])
def test_swift_in_the_manuals_compiles(snippet, tmp_path):
    modules = REPOSITORY / ".build/debug/Modules"
    if not modules.exists():
        pytest.skip("there is no debug build")
    file = tmp_path / "snippet.swift"
    file.write_text(snippet[1])
    # To the object file: what may be moved and what may not is only known then.
    command = ["swiftc", "-c", "-swift-version", "6", "-I", modules, "-o", tmp_path / "snippet.o", file]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_there_is_something_to_check():
    assert len(examples()) >= 4 and len(list(snippets())) >= 12 and len(list(swift_files())) >= 3


def test_links_between_manuals_lead_somewhere():
    broken = [f"{manual.relative_to(REPOSITORY)}: {target}" for manual, target in links()
              if not (manual.parent / target).exists()]
    assert not broken


def test_every_message_code_is_in_the_manual():
    source = (REPOSITORY / "Sources/Config/Diagnostics/DiagnosticCode.swift").read_text()
    manual = (REPOSITORY / "docs/operators.md").read_text()
    missing = [code for code in sorted(set(re.findall(r"SL\d{4}", source))) if code not in manual]
    assert not [code for code in missing if code != "SL0200"]


# The keys that a message lists as accepted are those that the program knows: the manual must have each of them.
PLACES = {
    "the file": http_proxy("127.0.0.1:1", nonsense=1),
    "a listener": http_proxy("127.0.0.1:1", listener={"nonsense": 1}),
    "http": http_proxy("127.0.0.1:1", http={"nonsense": 1}),
    "router": {**http_proxy("127.0.0.1:1"), "listeners": {"inbound": {
        "bind": "127.0.0.1:0", "chain": ["http", {"router": {"to": "app", "nonsense": 1}}]}}},
    "a route": http_proxy("127.0.0.1:1", route={"nonsense": 1}),
    "match": http_proxy("127.0.0.1:1", route={"match": {"nonsense": 1}}),
    "a cluster": http_proxy("127.0.0.1:1", upstream={"nonsense": 1}),
    "dns of a cluster": http_proxy("127.0.0.1:1", upstream={"dns": {"nonsense": 1}}),
    "http of a cluster": http_proxy("127.0.0.1:1", upstream={"http": {"nonsense": 1}}),
}


@pytest.mark.parametrize("place", PLACES)
def test_every_key_that_the_program_knows_is_in_the_manual(place, tmp_path):
    file = tmp_path / "sluice.yaml"
    file.write_text(json.dumps(PLACES[place], indent=1))
    done = run_cli("check", "--format", "json", str(file))
    [entry] = [entry for entry in json.loads(done.stdout) if "nonsense" in entry["message"]]
    manual = (REPOSITORY / "docs/operators.md").read_text()
    assert len(entry["accepted"]) >= 2
    missing = [key for key in entry["accepted"] if f"`{key}`" not in manual]
    assert not missing
