"""docs/recipes.md: the filters compile together as they stand, and keep the rules of filters."""
import re
import subprocess

import pytest

from sluice import REPOSITORY
from test_docs import DEBUG, RUNNER, swiftc
from snippets import swift_files

PAGE = "docs/recipes.md"
# What the suite cannot know of one, as options, and filters that need settings to do anything.
OPTIONS = {
    "Loud": 'ConformanceOptions { $0.changes = [.responseBody]; '
            '$0.responseFields = [RecordedField(name: "content-type", value: "text/plain")] }',
    # How much of a body has passed before the limit is reached depends on its pieces.
    "BodyLimit": 'ConformanceOptions(config: "{ most: 4B }") { $0.skips = [.splits] }',
    "SlowLog": 'ConformanceOptions(config: "{ over: 0 }")',
}
MODULES = ("FilterAPI", "FilterAsync", "FilterTesting", "Config", "CPluginNote")


def test_recipes_keep_the_rules_of_filters(tmp_path):
    if not (DEBUG / "Modules").exists():
        pytest.skip("there is no debug build")
    found = [text for name, text in swift_files() if name.startswith(PAGE + ":")]
    names = re.findall(r"^final class (\w+): \w*Filter \{", "\n".join(found), re.M)
    assert len(found) == len(names) >= 10 and set(OPTIONS) <= set(names)
    for name, text in zip(names, found):
        (tmp_path / f"{name}.swift").write_text(text)
    checks = "\n".join(f"    @Test func {name}Keeps() {{ #expect(Conformance.findings({name}.self, "
                       f"{OPTIONS.get(name, 'ConformanceOptions()')}) == []) }}" for name in names)
    (tmp_path / "tests.swift").write_text(
        f"import FilterAPI\nimport FilterTesting\nimport Testing\n@Suite struct Recipes {{\n{checks}\n}}\n")
    (tmp_path / "runner.swift").write_text(RUNNER)
    objects = [part for module in MODULES for part in (DEBUG / f"{module}.build").glob("*.o")]
    program = tmp_path / "recipes"
    done = swiftc("-parse-as-library", "-module-name", "recipes", "-o", program, *tmp_path.glob("*.swift"), *objects,
                  "-lyaml")
    assert done.returncode == 0, done.stderr
    ran = subprocess.run([program, "--testing-library", "swift-testing"], capture_output=True, text=True, timeout=120)
    said = ran.stdout + ran.stderr
    assert ran.returncode == 0 and f"Test run with {len(names)} tests" in said, said


def test_every_recipe_is_in_the_table():
    text = (REPOSITORY / PAGE).read_text()
    sections = re.findall(r"^## (.+)$", text, re.M)
    listed = re.findall(r"^\| (.+) \| \[below\]", text, re.M)
    assert [section.lower() for section in sections] == [row.lower() for row in listed]
