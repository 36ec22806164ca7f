#!/usr/bin/env python3
"""bench/make_phi15_checkpoint.py FOLDER: a random checkpoint of Phi-1.5's shape (1.4 G parameters, fp16,
2.8 GB in safetensors shards) with the bundled tokenizer. For speed and memory, not for text."""
import json
import pathlib
import shutil
import struct
import sys

import numpy as np

HIDDEN, LAYERS, HEADS, WIDE, VOCAB = 2048, 24, 32, 8192, 51200
FABLE = pathlib.Path(__file__).resolve().parent.parent / "models" / "fable-8m"


def shapes():
    yield "model.embed_tokens.weight", (VOCAB, HIDDEN)
    for layer in range(LAYERS):
        block = f"model.layers.{layer}."
        for name in ("q_proj", "k_proj", "v_proj", "dense"):
            yield f"{block}self_attn.{name}.weight", (HIDDEN, HIDDEN)
            yield f"{block}self_attn.{name}.bias", (HIDDEN,)
        yield f"{block}mlp.fc1.weight", (WIDE, HIDDEN)
        yield f"{block}mlp.fc1.bias", (WIDE,)
        yield f"{block}mlp.fc2.weight", (HIDDEN, WIDE)
        yield f"{block}mlp.fc2.bias", (HIDDEN,)
        yield f"{block}input_layernorm.weight", (HIDDEN,)
        yield f"{block}input_layernorm.bias", (HIDDEN,)
    yield "model.final_layernorm.weight", (HIDDEN,)
    yield "model.final_layernorm.bias", (HIDDEN,)
    yield "lm_head.weight", (VOCAB, HIDDEN)
    yield "lm_head.bias", (VOCAB,)


def write_shard(path, tensors, noise):
    header, offset = {}, 0
    for name, shape in tensors:
        size = int(np.prod(shape)) * 2
        header[name] = {"dtype": "F16", "shape": list(shape), "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for name, shape in tensors:
            count = int(np.prod(shape))
            start = sum(name.encode()) % 4096
            values = np.resize(noise[start:], count) if len(shape) > 1 else np.full(count, "norm" in name, np.float16)
            file.write(values.tobytes())


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    config = json.loads((FABLE / "config.json").read_text())
    config.update(hidden_size=HIDDEN, num_hidden_layers=LAYERS, num_attention_heads=HEADS, num_key_value_heads=HEADS,
                  intermediate_size=WIDE, vocab_size=VOCAB, max_position_embeddings=2048)
    (folder / "config.json").write_text(json.dumps(config))
    for name in ("tokenizer.json", "tokenizer_config.json", "generation_config.json"):
        shutil.copy(FABLE / name, folder / name)
    noise = (np.random.default_rng(1).standard_normal(1 << 22) * 0.02).astype(np.float16)
    tensors, weight_map = list(shapes()), {}
    for shard in range(4):
        part = tensors[shard * len(tensors) // 4:(shard + 1) * len(tensors) // 4]
        name = f"model-{shard + 1:05}-of-00004.safetensors"
        write_shard(folder / name, part, noise)
        weight_map.update({tensor: name for tensor, _ in part})
    (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": weight_map}))


if __name__ == "__main__":
    main()
