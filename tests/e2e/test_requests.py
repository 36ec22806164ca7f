"""The command line has an option for each property of a generation's request."""
import json
import re
import subprocess

from conftest import PROGRAM, ROOT


def test_run_has_an_option_for_each_property():
    schema = json.loads((ROOT / "schemas/requests.json").read_text())
    properties = set(schema["$defs"]["GenerateRequest"]["properties"]) - {"prompt"}
    help_text = subprocess.run([PROGRAM, "run", "--help"], capture_output=True, text=True, check=True).stdout
    options = set(re.findall(r"--[a-z-]+", help_text))
    assert {"--" + re.sub("[A-Z]", lambda letter: "-" + letter[0].lower(), name) for name in properties} <= options
    assert re.search(r"^ +prompt\b", help_text, re.MULTILINE)
