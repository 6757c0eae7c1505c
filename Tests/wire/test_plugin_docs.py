"""What the READMEs of the plugins say is true: their configs are good, and nothing is missing from them."""
import json
import re

import pytest

from plugin_builds import library
from sluice import REPOSITORY, run_cli
from snippets import snippets_of
from test_docs import is_in, with_nonsense

FOLDER = REPOSITORY / "plugins"
# Settings with a key that is not known, on each level.
LEVELS = {
    "api_key": [{}],
    "brotli": [{}],
    "ext_authz": [{}],
    "proxy_protocol": [{}],
    "redis_rate_limit": [{}, {"by": {}}],
}


def readme(name):
    return FOLDER / name / "README.md"


def sources(name):
    return "\n".join(file.read_text() for file in sorted((FOLDER / name / "Sources").rglob("*.swift")))


def check(text, tmp_path, *args):
    (tmp_path / "sluice.yaml").write_text(text)
    return run_cli("check", *args, str(tmp_path / "sluice.yaml"),
                   env={"API_KEY": "what-nobody-guesses", "REDIS_PASSWORD": "nor-this"})


@pytest.mark.parametrize("name", LEVELS)
def test_config_files_are_good(name, certificates, tmp_path):
    found = list(snippets_of(readme(name)))
    assert found
    for place, body in found:
        text = re.sub(rf"\S*/lib{name}\.so", library(name), body)
        if "plugins:" not in text:
            text = f"plugins: [ {library(name)} ]\n{text}"
        done = check(text, tmp_path)
        assert done.returncode == 0 and "warning" not in done.stdout, f"{place}\n{done.stdout}"


@pytest.mark.parametrize("name, settings", [(name, each) for name, all in LEVELS.items() for each in all], ids=str)
def test_every_key_is_in_the_readme(name, settings, tmp_path):
    reads_bytes = "ByteFilter" in sources(name)
    entry = {name: with_nonsense(settings)}
    end = [{"tcp_proxy": "app"}] if reads_bytes else [{"router": {"to": "app"}}]
    config = {"plugins": [library(name)], "clusters": {"app": {"endpoints": ["127.0.0.1:1"]}}, "listeners": {
        "a": {"bind": "127.0.0.1:0", "chain": [entry, *end] if reads_bytes else ["http", entry, *end]}}}
    done = check(json.dumps(config, indent=1), tmp_path, "--format", "json")
    [found] = [each for each in json.loads(done.stdout) if "nonsense" in each["message"]]
    assert found["accepted"] and not [key for key in found["accepted"] if not is_in(key, readme(name).read_text())]


@pytest.mark.parametrize("name", LEVELS)
def test_every_key_of_routes_statistic_and_reason_is_in_the_readme(name):
    source, text = sources(name), readme(name).read_text()
    for routes in re.findall(r"public struct RouteSettings: .*?\{(.*?)public init\(", source, re.S):
        keys = [re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", key).lower() for key in re.findall(r"public var (\w+)", routes)]
        assert keys and not [key for key in keys if not is_in(key, text)]
    words = re.findall(r'\b(?:counter|gauge|histogram)s?\("(\w+)"', source) + re.findall(rf'"({name}\.\w+)"', source)
    assert words and not [word for word in set(words) if not is_in(word, text)]


def test_every_plugin_is_checked_and_listed():
    found = sorted(folder.name for folder in FOLDER.iterdir() if (folder / "Package.swift").exists())
    assert found == sorted([*LEVELS, "hello"])
    assert found == sorted(re.findall(r"^\| \[`(\w+)`\]\(\1/README\.md\)", (FOLDER / "README.md").read_text(), re.M))
