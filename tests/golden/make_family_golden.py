#!/usr/bin/env python3
"""tests/golden/make_family_golden.py OUTPUT [NAME...]: what transformers says in fp32 of a tiny checkpoint of every family.
Weights are not kept: tests/golden/tiny_checkpoints.py makes them anew from names and dims, here and in the tests.
Needs tests/requirements-witness.txt."""
import json
import pathlib
import sys

import torch
import transformers
from tiny_checkpoints import DECODERS, ENCODERS, GREEDY, STEP, make_weight, prompt_ids

transformers.logging.set_verbosity_error()


def load(config, auto):
    """The model with weights by name; {name: dims} of what its checkpoint holds."""
    config = transformers.AutoConfig.for_model(**config)
    config._attn_implementation = "eager"
    model = auto.from_config(config).eval().to(torch.float32)
    shapes = {name: list(value.shape) for name, value in model.state_dict().items()}
    if getattr(config, "tie_word_embeddings", False):
        shapes.pop("lm_head.weight", None)
    model.load_state_dict({name: torch.from_numpy(make_weight(name, dims)) for name, dims in shapes.items()}, strict=False)
    model.tie_weights()
    return model, shapes


def numbers(tensor):
    return [round(float(x), 5) for x in tensor.flatten()]


def decoder(case):
    model, shapes = load(case["config"], transformers.AutoModelForCausalLM)
    results = []
    with torch.no_grad():
        for length in case["lengths"]:
            logits = model(torch.tensor([prompt_ids(length)])).logits[0]
            # The last position, and one logit of every position before.
            results.append({"length": length, "last": numbers(logits[-1]), "first": numbers(logits[::STEP, 0])})
    # Step by step through a fresh forward each: what a cache must not change.
    ids = prompt_ids(case["lengths"][-1])
    with torch.no_grad():
        for _ in range(GREEDY):
            ids.append(int(model(torch.tensor([ids])).logits[0, -1].argmax()))
    return {"shapes": shapes, "results": results, "greedy": ids[-GREEDY:]}


def encoder(case):
    model, shapes = load(case["config"], transformers.AutoModel)
    results = []
    with torch.no_grad():
        for length in case["lengths"]:
            states = model(torch.tensor([prompt_ids(length)])).last_hidden_state[0]
            results.append({"length": length, "first": numbers(states[0]), "last": numbers(states[-1]), "mean": numbers(states.mean(0))})
    return {"shapes": shapes, "results": results}


if __name__ == "__main__":
    torch.set_num_threads(1)
    path = pathlib.Path(sys.argv[1])
    golden = json.loads(path.read_text()) if path.exists() else {}
    for make, cases in ((decoder, DECODERS), (encoder, ENCODERS)):
        for name in sys.argv[2:] or cases:
            if name in cases:
                golden[name] = make(cases[name])
                print(name, file=sys.stderr)
    text = json.dumps(dict(sorted(golden.items())), separators=(",", ":"))  # a line a result
    path.write_text(text.replace('{"shapes"', '\n{"shapes"').replace('{"length"', '\n{"length"') + "\n")
