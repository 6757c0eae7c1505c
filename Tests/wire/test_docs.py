"""What the manuals say is true: their config files are good, their links lead somewhere."""
import json
import os
import re
import shutil
import subprocess

import pytest

from configs import http_proxy
from sluice import REPOSITORY, run_cli
from snippets import anchors, examples, links, manuals, snippets, swift_files

ENVIRONMENT = {"APP_ADDRESS": "127.0.0.1:3000", "ADMIN_TOKEN": "what-nobody-guesses"}


def check(text, tmp_path):
    file = tmp_path / "sluice.yaml"
    file.write_text(text)
    return run_cli("check", str(file), env=ENVIRONMENT)


@pytest.mark.parametrize("file", examples(), ids=lambda file: file.name)
def test_examples_are_good_and_use_all_that_they_define(file, certificates, tmp_path):
    copy = shutil.copy(file, tmp_path)
    done = run_cli("check", str(copy))
    assert done.returncode == 0, done.stdout
    assert done.stdout.startswith("ok  ") and done.stdout.count("\n") == 1, done.stdout


@pytest.mark.parametrize("snippet", list(snippets()), ids=lambda snippet: snippet[0])
def test_config_files_in_the_manuals_are_good(snippet, certificates, tmp_path):
    done = check(snippet[1], tmp_path)
    assert done.returncode == 0, f"{done.stdout}\n{snippet[1]}"


DEBUG = REPOSITORY / ".build/debug"
# What modules of the package are made from that Swift's own do not contain.
IMPORTS = ["-I", DEBUG / "Modules", "-I", REPOSITORY / "Sources/CYAML", "-I", REPOSITORY / "Sources/CPluginNote/include"]
RUNNER = """import Testing
@main struct Runner { static func main() async { await Testing.__swiftPMEntryPoint() as Never } }
"""


def swiftc(*arguments):
    return subprocess.run(["swiftc", "-swift-version", "6", *IMPORTS, *arguments], capture_output=True, text=True)


@pytest.mark.parametrize("snippet", list(swift_files()), ids=lambda snippet: snippet[0])
def test_swift_in_the_manuals_compiles_and_its_tests_pass(snippet, tmp_path):
    if not (DEBUG / "Modules").exists():
        pytest.skip("there is no debug build")
    file = tmp_path / "snippet.swift"
    file.write_text(snippet[1])
    if "import Testing" not in snippet[1]:
        # To the object file: what may be moved and what may not is only known then.
        done = swiftc("-c", "-o", tmp_path / "snippet.o", file)
        assert done.returncode == 0, done.stderr
        return
    runner = tmp_path / "runner.swift"
    runner.write_text(RUNNER)
    objects = [part for module in ("FilterAPI", "FilterTesting", "Config", "CPluginNote")
               for part in (DEBUG / f"{module}.build").glob("*.o")]
    done = swiftc("-parse-as-library", "-module-name", "snippet", "-o", tmp_path / "snippet", file, runner, *objects,
                  "-lyaml")
    assert done.returncode == 0, done.stderr
    ran = subprocess.run(
        [tmp_path / "snippet", "--testing-library", "swift-testing"], capture_output=True, text=True, timeout=60)
    said = ran.stdout + ran.stderr
    assert ran.returncode == 0 and re.search(r"Test run with [1-9]\d* tests", said), said


def test_there_is_something_to_check():
    assert len(examples()) >= 4 and len(list(snippets())) >= 12 and len(list(swift_files())) >= 3


def test_links_between_manuals_lead_somewhere():
    broken = []
    for manual, target, anchor in links():
        file = manual.parent / target if target else manual
        if not file.exists() or anchor and anchor not in anchors(file):
            broken.append(f"{manual.relative_to(REPOSITORY)}: {target}#{anchor}")
    assert not broken


def test_every_decision_is_in_the_list():
    folder = REPOSITORY / "docs/decisions"
    listed = re.findall(r"^\| \[\d{4}\]\((\S+)\) \| (.+) \|$", (folder / "README.md").read_text(), re.M)
    assert [name for name, _ in listed] == sorted(file.name for file in folder.glob("0*.md"))
    for name, title in listed:
        assert (folder / name).read_text().startswith(f"# {int(name[:4])}. {title}\n")


def test_the_readme_shows_what_the_program_says(tmp_path):
    readme = (REPOSITORY / "README.md").read_text()
    [config] = re.findall(r"^```yaml\n(.*?)^```", readme, re.M | re.S)
    assert config.count("\n") == 12
    file = tmp_path / "sluice.yaml"
    file.write_text(config)
    said = re.search(r"sluice check sluice.yaml +# (.*)", readme)[1]
    assert run_cli("check", "sluice.yaml", cwd=tmp_path).stdout == said + "\n"
    file.write_text(config.replace("endpoints:", "endpoint:"))
    shown = re.search(r"^```\n(error\[.*?)…?\n```", readme, re.M | re.S)[1]
    assert run_cli("check", "sluice.yaml", cwd=tmp_path).stdout.startswith(shown)


def test_the_readme_names_commands_that_are_there():
    readme = (REPOSITORY / "README.md").read_text()
    for command in re.findall(r"^((?:scripts|bench)/\w+)", readme, re.M):
        assert os.access(REPOSITORY / command, os.X_OK)


def test_manuals_name_no_place_of_one_machine():
    """Paths that only one machine has; a manual is read on all of them."""
    for manual in [*manuals(), *examples()]:
        assert not re.search(r"(^|[\s`(\"])/(home|root|work|Users)/", manual.read_text()), manual


def test_every_message_code_is_in_the_manual():
    source = (REPOSITORY / "Sources/Config/Diagnostics/DiagnosticCode.swift").read_text()
    manual = (REPOSITORY / "docs/operators.md").read_text()
    codes = set(re.findall(r'case \w+ = "(SL\d{4})"', source))
    assert codes == set(re.findall(r"^\| `(SL\d{4})`", manual, re.M))


def test_every_reason_of_tls_is_in_the_manual():
    sources = (REPOSITORY / "Sources").rglob("*.swift")
    reasons = {reason for file in sources for reason in re.findall(r'"(tls\.\w+)"', file.read_text())} - {"tls.identity"}
    manual = (REPOSITORY / "docs/operators.md").read_text()
    section = manual.partition("### Why a connection ended")[2].partition("\n## ")[0]
    assert reasons == set(re.findall(r"`(tls\.\w+)`", section))


def formats(name):
    return (REPOSITORY / "Sources/Filters/Format" / f"{name}.swift").read_text()


def test_every_variable_of_formats_is_in_the_manual_and_no_other():
    source = formats("FormatVariable")
    known = set(re.findall(r'case `?\w+`? = "([A-Z0-9_]+)"', source))
    others = source.partition("static let others = [")[2].partition("]")[0]
    known |= set(re.findall(r'"([A-Z0-9_]+)"', others))
    manual = (REPOSITORY / "docs/operators.md").read_text()
    table = manual.partition("### Variables")[2].partition("### Points")[0]
    rows = "\n".join(line.split(" | ")[0] for line in table.splitlines() if line.startswith("| `%"))
    assert len(known) > 100 and known == set(re.findall(r"%([A-Z][A-Z0-9_]+)[(%]", rows))


def test_every_point_in_time_of_formats_is_in_the_manual():
    known = set(re.findall(r'case \w+ = "([A-Z_]+)"', formats("DurationPoint")))
    section = (REPOSITORY / "docs/operators.md").read_text().partition("### Points in time")[2].partition("\n## ")[0]
    table = "\n".join(line.split(" | ")[0] for line in section.splitlines() if line.startswith("| `"))
    assert known == set(re.findall(r"`([DU]S_\w+)`", table))


def test_variables_that_only_envoy_has_are_known_to_be_its():
    """Everything that the facts about Envoy name and Sluice does not have is refused by name; here a few of each kind."""
    foreign = formats("ForeignVariable")
    for name in ("METADATA", "FILTER_STATE", "CEL", "VIRTUAL_CLUSTER_NAME", "TLS_JA4_FINGERPRINT", "LOCAL_REPLY_BODY",
                 "UPSTREAM_WIRE_BYTES_SENT", "DOWNSTREAM_TLS_SESSION_ID", "DOWNSTREAM_PEER_CHAIN_SERIALS"):
        assert f'"{name}"' in foreign


# The keys that a message lists as accepted are those that the program knows: the manual must have each of them.
PLACES = {
    "the file": http_proxy("127.0.0.1:1", nonsense=1),
    "a listener": http_proxy("127.0.0.1:1", listener={"nonsense": 1}),
    "tls": http_proxy("127.0.0.1:1", upstream={"chain": [{"tls": {"nonsense": 1}}]}),
    "a certificate": http_proxy("127.0.0.1:1", upstream={"chain": [{"tls": {"certificates": [{"nonsense": 1}]}}]}),
    "accepted names": http_proxy("127.0.0.1:1", upstream={"chain": [{"tls": {"accepted_names": {"nonsense": 1}}}]}),
    "http": http_proxy("127.0.0.1:1", http={"nonsense": 1}),
    "router": {**http_proxy("127.0.0.1:1"), "listeners": {"inbound": {
        "bind": "127.0.0.1:0", "chain": ["http", {"router": {"to": "app", "nonsense": 1}}]}}},
    "a route": http_proxy("127.0.0.1:1", route={"nonsense": 1}),
    "match": http_proxy("127.0.0.1:1", route={"match": {"nonsense": 1}}),
    "client_certificate": http_proxy(
        "127.0.0.1:1", route={"match": {"client_certificate": {"present": True, "nonsense": 1}}}),
    "forwarded_client_cert": http_proxy("127.0.0.1:1", http={"forwarded_client_cert": {"nonsense": 1}}),
    "redirect": http_proxy(routes=[{"redirect": {"path": "/x", "nonsense": 1}}]),
    "respond": http_proxy(routes=[{"respond": {"nonsense": 1}}]),
    "rewrite": http_proxy("127.0.0.1:1", route={"rewrite": {"nonsense": 1}}),
    "rewrite by regex": http_proxy("127.0.0.1:1", route={"rewrite": {"regex": {"pattern": "a", "nonsense": 1}}}),
    "request_headers": http_proxy("127.0.0.1:1", route={"request_headers": {"nonsense": 1}}),
    "response_headers": http_proxy("127.0.0.1:1", route={"response_headers": {"nonsense": 1}}),
    "a test of a field": http_proxy("127.0.0.1:1", route={"match": {"headers": {"x-a": {"exact": "a", "nonsense": 1}}}}),
    "hash": http_proxy("127.0.0.1:1", route={"hash": {"source": True, "nonsense": 1}}),
    "headers": http_proxy("127.0.0.1:1", filters=[{"headers": {"nonsense": 1}}]),
    "response of headers": http_proxy("127.0.0.1:1", filters=[{"headers": {"response": {"nonsense": 1}}}]),
    "tcp_proxy": {**http_proxy("127.0.0.1:1"), "listeners": {"inbound": {
        "bind": "127.0.0.1:0", "chain": [{"tcp_proxy": {"to": "app", "nonsense": 1}}]}}},
    "admin": http_proxy("127.0.0.1:1", admin={"bind": "127.0.0.1:0", "nonsense": 1}),
    "log": http_proxy("127.0.0.1:1", log={"nonsense": 1}),
    "access_log": http_proxy("127.0.0.1:1", access_log={"to": "stdout", "nonsense": 1}),
    "when": http_proxy("127.0.0.1:1", access_log={"to": "stdout", "when": {"status": 404, "nonsense": 1}}),
    "request of when": http_proxy(
        "127.0.0.1:1", access_log={"to": "stdout", "when": {"request": {"path": "/", "nonsense": 1}}}),
    "dns": http_proxy("127.0.0.1:1", dns={"nonsense": 1}),
    "an endpoint": http_proxy("127.0.0.1:1", upstream={"endpoints": [{"address": "127.0.0.1:1", "nonsense": 1}]}),
    "a cluster": http_proxy("127.0.0.1:1", upstream={"nonsense": 1}),
    "slow_start of a cluster": http_proxy("127.0.0.1:1", upstream={"slow_start": {"nonsense": 1}}),
    "dns of a cluster": http_proxy("127.0.0.1:1", upstream={"dns": {"nonsense": 1}}),
    "a health check": http_proxy("127.0.0.1:1", upstream={"health_checks": [{"tcp": {}, "nonsense": 1}]}),
    "http of a health check": http_proxy(
        "127.0.0.1:1", upstream={"health_checks": {"http": {"path": "/", "nonsense": 1}}}),
    "grpc of a health check": http_proxy("127.0.0.1:1", upstream={"health_checks": {"grpc": {"nonsense": 1}}}),
    "tcp of a health check": http_proxy("127.0.0.1:1", upstream={"health_checks": {"tcp": {"nonsense": 1}}}),
    "bytes of a health check": http_proxy(
        "127.0.0.1:1", upstream={"health_checks": {"tcp": {"send": {"hex": "61", "nonsense": 1}}}}),
    "outlier_detection": http_proxy("127.0.0.1:1", upstream={"outlier_detection": {"nonsense": 1}}),
    "success_rate": http_proxy("127.0.0.1:1", upstream={"outlier_detection": {"success_rate": {"nonsense": 1}}}),
    "failure_percentage": http_proxy(
        "127.0.0.1:1", upstream={"outlier_detection": {"failure_percentage": {"nonsense": 1}}}),
    "enforcing": http_proxy("127.0.0.1:1", upstream={"outlier_detection": {"enforcing": {"nonsense": 1}}}),
    "http of a cluster": http_proxy("127.0.0.1:1", upstream={"http": {"nonsense": 1}}),
}


def is_in(word, manual):
    return re.search(rf"`[^`\n]*\b{re.escape(word)}\b[^`\n]*`", manual)


def check_keys(config, manual, tmp_path):
    """All keys that are accepted beside the one key `nonsense` of a config are in a manual."""
    file = tmp_path / "sluice.yaml"
    file.write_text(json.dumps(config, indent=1))
    done = run_cli("check", "--format", "json", str(file))
    [entry] = [entry for entry in json.loads(done.stdout) if "nonsense" in entry["message"]]
    assert entry["accepted"]
    assert not [key for key in entry["accepted"] if not is_in(key, manual.read_text())]


@pytest.mark.parametrize("place", PLACES)
def test_every_key_that_the_program_knows_is_in_the_manual(place, tmp_path):
    check_keys(PLACES[place], REPOSITORY / "docs/operators.md", tmp_path)


# Filters with a page of their own: settings with a key that is not known, on each level.
PAGES = {
    "circuit_breaker": [{}, {"queue": {}}, {"errors": {}}],
    "fault": [{}, {"delay": {}}, {"abort": {}}],
    # There is nothing to set.
    "grpc_web": [],
    "gzip": [{}],
    "rate_limit": [{}, {"rules": [{}]}, {"by": {}}],
    "retry": [{}, {"backoff": {}}, {"budget": {}}],
    "stats": [{}],
    "trace": [{}],
}


def with_nonsense(settings):
    """The settings with `nonsense: 1` in the innermost mapping."""
    if isinstance(settings, list):
        return [with_nonsense(settings[0])]
    return {key: with_nonsense(value) for key, value in settings.items()} or {"nonsense": 1}


@pytest.mark.parametrize("page, settings", [(page, each) for page, all in PAGES.items() for each in all], ids=str)
def test_every_key_of_a_filter_is_on_its_page(page, settings, tmp_path):
    config = http_proxy("127.0.0.1:1", filters=[{page: with_nonsense(settings)}])
    check_keys(config, REPOSITORY / f"docs/filters/{page}.md", tmp_path)


def sources(page):
    """All Swift of the folder of the filter that has this page."""
    [folder] = {file.parent for file in (REPOSITORY / "Sources/Filters").rglob("*.swift")
                if f'id: "{page}"' in file.read_text()}
    return "\n".join(file.read_text() for file in folder.glob("*.swift"))


@pytest.mark.parametrize("page", [page for page in PAGES if "struct RouteSettings: " in sources(page)])
def test_every_key_that_a_route_sets_for_a_filter_is_on_its_page(page):
    # What is wrong with a route's settings is told without a list of keys, so they are read from the source.
    [settings] = re.findall(r"public struct RouteSettings: .*?\{(.*?)public init\(", sources(page), re.S)
    names = re.findall(r"public var (\w+)", settings)
    keys = [re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower() for name in names]
    manual = (REPOSITORY / f"docs/filters/{page}.md").read_text()
    assert keys and not [key for key in keys if not is_in(key, manual)]


def test_every_page_of_a_filter_is_checked_and_listed():
    pages = sorted(file.stem for file in (REPOSITORY / "docs/filters").glob("*.md"))
    assert pages == sorted(PAGES)
    manual = (REPOSITORY / "docs/operators.md").read_text()
    assert pages == sorted(re.findall(r"^\| \[`(\w+)`\]\(filters/\1\.md\)", manual, re.M))


@pytest.mark.parametrize("page", PAGES)
def test_every_counter_and_reason_of_a_filter_is_on_its_page(page):
    source = sources(page)
    words = re.findall(r'\b(?:counter|gauge)\("(\w+)"\)|\bhistograms?\("(\w+)"', source)
    words = [either or other for either, other in words] + re.findall(rf'"({page}\.\w+)"', source)
    manual = (REPOSITORY / f"docs/filters/{page}.md").read_text()
    assert words and not [word for word in words if not is_in(word, manual)]


def test_every_counter_of_outlier_detection_is_in_the_manual():
    folder = REPOSITORY / "Sources/Host/Clusters/Health"
    kinds = set(re.findall(r'case \w+ = "(\w+)"', (folder / "OutlierKind.swift").read_text()))
    section = (REPOSITORY / "docs/operators.md").read_text().partition("### Outlier detection")[2].partition("\n## ")[0]
    assert len(kinds) == 7 and not [kind for kind in kinds if f"`{kind}`" not in section]
