"""The man page and the completions say what --help says, and the shell and the formatter take them."""
import shutil
import subprocess

import pytest

from conftest import ROOT

COMPLETE = """
source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _edge_net_models; printf '%s\\n' "${COMPREPLY[@]}"
"""


def test_they_are_what_help_says():
    done = subprocess.run([ROOT / "tools/command_documents.py", "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("typed, expected, missing", [
    (["in"], {"inspect", "info"}, {"run"}),
    (["cache", ""], {"info", "clear", "prune"}, {"run", "--help"}),
    (["--json", "keys", "t"], {"trust"}, {"tokenize"}),
    (["run", "model", "--max"], {"--max-tokens"}, {"--temperature"}),
    (["pull", "--"], {"--output", "--json", "--registry"}, {"--max-tokens"}),
    (["optimize", "--quantize", "INT"], {"INT4", "INT8"}, {"FP16"}),
    (["optimize", "--block-size", ""], {"16", "32"}, {"INT4"}),
])
def test_bash_completes(typed, expected, missing):
    script = ROOT / "cli/completion/edge-net-models.bash"
    done = subprocess.run(["bash", "-c", COMPLETE, "bash", script, "edge-net-models", *typed], capture_output=True, text=True, check=True)
    found = set(done.stdout.split())
    assert expected <= found and not missing & found
    assert done.stderr == ""


@pytest.mark.skipif(not shutil.which("groff"), reason="groff is not installed")
def test_the_man_page_renders():
    done = subprocess.run(["groff", "-man", "-Tutf8", "-ww", ROOT / "docs/man/edge-net-models.1"], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert "--max-tokens" in done.stdout.replace("−", "-") or "max" in done.stdout
