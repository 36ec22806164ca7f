"""docs/design/ops.md says what the operators' rows say."""
import subprocess

from conftest import ROOT


def test_the_table_is_what_the_rows_say():
    done = subprocess.run([ROOT / "tools/op_documents.py", "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
