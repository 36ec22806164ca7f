"""What a model's values are called is known to families and the recognizer; everybody else reads the description."""
import re

from conftest import ROOT

NAMES = r"input_ids|attention_mask|position_ids|token_type_ids|logits|past_key_values|present|sentence_embedding|last_hidden_state|embeddings"
LITERAL = re.compile(rf'"({NAMES})[."]')


def test_no_room_behind_the_families_names_values():
    found = []
    for room in ("enm/runtime", "enm/quantize", "enm/pipeline", "enm/passes", "cli", "wasm"):
        for path in sorted((ROOT / room).rglob("*.[ch]*")):
            if path.stem.endswith("_test"):
                continue
            # A key of printed JSON is no value's name.
            lines = [line for line in path.read_text().splitlines() if not re.search(r'\.add\("', line)]
            found += [f"{path.relative_to(ROOT)}: {line.strip()}" for line in lines if LITERAL.search(line)]
    assert not found, "\n".join(found)
