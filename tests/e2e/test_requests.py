"""Commands that write texts have an option for each property of a request that says how."""
import json
import re
import subprocess

import pytest

from conftest import PROGRAM, ROOT


@pytest.mark.parametrize("command", ["run", "chat"])
def test_it_has_an_option_for_each_property(command):
    schema = json.loads((ROOT / "schemas/requests.json").read_text())
    properties = set(schema["$defs"]["WritingOptions"]["properties"])
    help_text = subprocess.run([PROGRAM, command, "--help"], capture_output=True, text=True, check=True).stdout
    options = set(re.findall(r"--[a-z-]+", help_text))
    assert {"--" + re.sub("[A-Z]", lambda letter: "-" + letter[0].lower(), name) for name in properties} <= options


def test_run_takes_the_prompt_as_a_word():
    help_text = subprocess.run([PROGRAM, "run", "--help"], capture_output=True, text=True, check=True).stdout
    assert re.search(r"^ +prompt\b", help_text, re.MULTILINE)
