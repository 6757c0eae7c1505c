"""`sluice explain`: every reason, flag and message code that there is has its explanation, and no others have one."""
import json
import re

import pytest

from sluice import REPOSITORY, run_cli

SOURCES = [file for file in (REPOSITORY / "Sources").rglob("*.swift")
           if not {"FilterTesting", "MicroBench"} & set(file.parts)]
# Words with a dot that are no reasons: what filters offer to each other, and names of files.
OTHERS = {"tls.identity", "client.connection", "client.crt", "client.key", "sluice.yaml"}


def explain(*arguments):
    return run_cli("explain", *arguments)


def entries(kind):
    return {entry["code"]: entry for entry in json.loads(explain("--format", "json").stdout) if entry["kind"] == kind}


def literals():
    """All reasons that the sources give, wherever they are not explained."""
    known = "|".join({code.partition(".")[0] for code in entries("reason")})
    found = set()
    for file in SOURCES:
        text = re.sub(r'\.init\(\s*"[a-z0-9_]+\.[a-z0-9_]+",', "", file.read_text())
        found |= set(re.findall(rf'"((?:{known})\.[a-z0-9_]+)"', text))
        # A family that nobody has explained yet.
        found |= set(re.findall(r'Fault\([^()]*?"([a-z0-9_]+\.[a-z0-9_]+)"', text))
        found |= set(re.findall(r'facts\.reason = "([a-z0-9_]+\.[a-z0-9_]+)"', text))
    return found - OTHERS


def test_every_reason_is_explained_and_every_explanation_has_its_reason():
    found, explained = literals(), set(entries("reason"))
    assert len(found) > 150
    assert found - explained == set(), "reasons without an explanation"
    assert explained - found == set(), "explanations of reasons that are not there any more"


def test_each_explanation_says_what_is_needed():
    for kind in ("reason", "flag", "message"):
        for code, entry in entries(kind).items():
            assert entry["meaning"].endswith("."), code
            assert entry.get("outcome"), code
            assert entry.get("look_at", ".").endswith("."), code
            assert kind != "reason" or "origin" in entry or "fault." in code, code


def test_every_flag_is_explained_with_the_reasons_that_come_with_it():
    source = (REPOSITORY / "Sources/FilterAPI/Stream/ResponseFlags.swift").read_text()
    names = re.findall(r'\("([A-Z]+)", "([A-Za-z]+)"\)', source)
    flags = entries("flag")
    assert len(names) == 22 and [(code, entry["alias"]) for code, entry in flags.items()] == names
    assert {"upstream.connect_refused", "tls.unknown_ca"} <= set(flags["UF"]["related"])
    assert flags["RL"]["related"] == ["rate_limit.over_limit"]


def test_the_manual_has_the_same_words_for_message_codes():
    manual = (REPOSITORY / "docs/operators.md").read_text()
    table = dict(re.findall(r"^\| `(SL\d{4})` \| (.*) \|$", manual, re.M))
    assert table == {code: entry["meaning"] for code, entry in entries("message").items()}


def test_the_page_of_the_manual_is_what_the_program_says():
    assert explain("--format", "markdown").stdout == (REPOSITORY / "docs/reasons.md").read_text(), \
        "run `sluice explain --format markdown > docs/reasons.md`"


@pytest.mark.parametrize("word, shown", [
    ("upstream.connect_refused", ["upstream.connect_refused\n", "503 with the flag UF", "whose doing:  the upstream"]),
    ("fault.upstream.closed", ["upstream.closed\n", "503 with the flag UC"]),
    ("fault.abort", ["fault.abort\n", "on purpose"]),
    ("UF", ["UF, UpstreamConnectionFailure\n", "upstream.connect_refused"]),
    ("upstreamconnectionfailure", ["UF, UpstreamConnectionFailure\n"]),
    ("sl0102", ["SL0102\n", "A key is not known where it stands.", "the config is refused"]),
])
def test_one_code_is_explained_by_any_of_its_names(word, shown):
    done = explain(word)
    assert done.returncode == 0
    assert all(text in done.stdout for text in shown), done.stdout
    assert max(len(line) for line in done.stdout.splitlines()) <= 100


def test_one_code_for_programs():
    entry = json.loads(explain("http1.bare_lf", "--format=json").stdout)
    assert (entry["code"], entry["filter"], entry["related"]) == ("http1.bare_lf", "http", ["DPE", "UPE"])
    assert explain("UF", "--format", "markdown").stdout.startswith("| flag |")


def test_without_a_code_all_are_listed_one_a_line():
    lines = explain().stdout.splitlines()
    assert explain("--all").stdout.splitlines() == lines
    total = sum(len(entries(kind)) for kind in ("reason", "flag", "message"))
    assert len(lines) == total and lines[0].startswith("admin.closed  ")


def test_a_code_that_is_not_there_is_said_with_the_nearest_one():
    done = explain("upstream.conect_refused")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == ("sluice: there is no code `upstream.conect_refused`; "
                           "did you mean `upstream.connect_refused`?\n")
    assert "`sluice explain` lists all" in explain("zzzzzzzzzzzzzzzz").stderr


def test_a_command_line_that_makes_no_sense():
    for arguments in (["a", "b"], ["--format", "yaml"], ["--formt", "json"]):
        done = explain(*arguments)
        assert done.returncode == 2 and "explain" in done.stderr or "--format" in done.stderr
    assert "sluice explain UF" in run_cli("help", "explain").stdout
