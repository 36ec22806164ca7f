"""tests/golden/tiny_checkpoints.py FOLDER: a folder in it for each of them.
Tiny random checkpoints of every family, made of their tensors' names and dims alone: the same bytes for transformers, when the
golden file is made, and for the tests, which know no torch."""
import json
import pathlib
import sys
import zlib

import numpy as np

VOCAB = 192
GREEDY = 24  # tokens written behind the longest prompt
STEP = 13  # every 13th position's logits are kept

_DECODER = {"vocab_size": VOCAB, "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 3, "num_attention_heads": 4,
            "num_key_value_heads": 2, "max_position_embeddings": 512, "bos_token_id": None, "eos_token_id": None, "pad_token_id": None}
_GEMMA = {**_DECODER, "head_dim": 32, "num_key_value_heads": 1, "num_hidden_layers": 4}
_PHI3 = {**_DECODER, "model_type": "phi3", "attention_dropout": 0.0, "original_max_position_embeddings": 128}
_LLAMA3 = {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 64}


def _factors(first, last, count):
    return [round(float(x), 3) for x in np.linspace(first, last, count)]


# config.json, in the style of old files and of new ones. "lengths" of prompts pass every window and every change of positions.
DECODERS = {
    "llama": {"model_type": "llama", "rope_theta": 10000.0, "rms_norm_eps": 1e-5},
    "llama-biases": {"model_type": "llama", "attention_bias": True, "mlp_bias": True, "head_dim": 32, "hidden_act": "gelu"},
    "llama-linear": {"model_type": "llama", "rope_scaling": {"type": "linear", "factor": 4.0}, "tie_word_embeddings": True},
    "llama-dynamic": {"model_type": "llama", "rope_scaling": {"type": "dynamic", "factor": 2.0}},
    "llama-llama3": {"model_type": "llama", "rope_theta": 500000.0, "rope_scaling": _LLAMA3, "num_key_value_heads": 4},
    "llama-llama3-new": {"model_type": "llama", "rope_parameters": {"rope_theta": 500000.0, **_LLAMA3}, "tie_word_embeddings": True},
    "llama-yarn": {"model_type": "llama", "rope_scaling": {"type": "yarn", "factor": 8.0, "original_max_position_embeddings": 64}},
    "mistral": {"model_type": "mistral", "sliding_window": 37, "rope_theta": 10000.0},
    "qwen2": {"model_type": "qwen2", "use_sliding_window": True, "sliding_window": 29, "max_window_layers": 1, "rope_theta": 1e6},
    "qwen2-plain": {"model_type": "qwen2", "use_sliding_window": False, "sliding_window": 29, "max_window_layers": 1,
                    "tie_word_embeddings": True},
    "qwen3": {"model_type": "qwen3", "head_dim": 32, "rope_theta": 1e6, "tie_word_embeddings": True},
    "gemma": {**_GEMMA, "model_type": "gemma", "hidden_act": "gelu"},
    "gemma2": {**_GEMMA, "model_type": "gemma2", "sliding_window": 33, "attn_logit_softcapping": 4.0, "final_logit_softcapping": 3.0,
               "query_pre_attn_scalar": 24},
    "gemma3": {**_GEMMA, "model_type": "gemma3_text", "sliding_window": 31, "sliding_window_pattern": 2, "rope_theta": 1e6,
               "rope_local_base_freq": 10000.0, "rope_scaling": {"rope_type": "linear", "factor": 8.0}, "query_pre_attn_scalar": 16},
    "gemma3-new": {**_GEMMA, "model_type": "gemma3_text", "sliding_window": 40, "query_pre_attn_scalar": 32,
                   "layer_types": ["sliding_attention", "full_attention", "sliding_attention", "full_attention"],
                   "rope_parameters": {"full_attention": {"rope_type": "default", "rope_theta": 1e6},
                                       "sliding_attention": {"rope_type": "default", "rope_theta": 10000.0}}},
    "phi": {"model_type": "phi", "num_attention_heads": 2, "partial_rotary_factor": 0.5},
    "phi3": {**_PHI3, "sliding_window": 47, "rope_scaling": None},
    "phi3-longrope": {**_PHI3, "sliding_window": 600, "lengths": [1, 7, 128, 129, 300],
                      "rope_scaling": {"type": "longrope", "short_factor": _factors(1, 1.2, 8), "long_factor": _factors(1, 6, 8)},
                      "written": {"rope_scaling": {"type": "su", "short_factor": _factors(1, 1.2, 8), "long_factor": _factors(1, 6, 8)}}},
    "phi4-mini": {**_PHI3, "tie_word_embeddings": True, "hidden_size": 128, "num_attention_heads": 2, "num_key_value_heads": 1,
                  "lengths": [1, 7, 128, 129, 300], "partial_rotary_factor": 0.75,
                  "rope_scaling": {"type": "longrope", "short_factor": _factors(1, 1, 24), "long_factor": _factors(1, 12, 24)}},
}
_BERT = {"vocab_size": VOCAB, "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 3, "num_attention_heads": 4,
         "max_position_embeddings": 512}
ENCODERS = {
    "bert": {**_BERT, "model_type": "bert"},
    "xlm-roberta": {**_BERT, "model_type": "xlm-roberta", "type_vocab_size": 1, "pad_token_id": 150, "layer_norm_eps": 1e-5},
    "modernbert": {**_BERT, "model_type": "modernbert", "local_attention": 34, "num_hidden_layers": 4, "pad_token_id": 150,
                   "global_attn_every_n_layers": 3, "bos_token_id": None, "eos_token_id": None, "cls_token_id": None,
                   "sep_token_id": None},
}
STORED_AS = {"llama": "F32", "phi": "F16", "gemma": "F32", "bert": "F32"}  # the others as BF16


def _case(name, base, config):
    config = {**base, **config}
    lengths = config.pop("lengths", [1, 7, 300])
    written = config.pop("written", {})  # a style that transformers reads no more
    return {"config": config, "written": {**config, **written}, "lengths": lengths, "dtype": STORED_AS.get(name, "BF16")}


DECODERS = {name: _case(name, _DECODER, config) for name, config in DECODERS.items()}
ENCODERS = {name: _case(name, {}, config) for name, config in ENCODERS.items()}


def token(i):
    """Of id i: a character, or two behind those; prompts have the former."""
    return chr(33 + i) if i < 94 else chr(65 + (i - 94) // 26) + chr(97 + (i - 94) % 26)


def prompt_ids(length):
    return [(i * i * 7 + i * 3 + 11) % 94 for i in range(length)]


def make_weight(name, dims):
    """Numbers that bfloat16 and float16 hold exactly, sized so that every part of a model has a say."""
    numbers = np.random.RandomState(zlib.crc32(name.encode())).standard_normal(dims).astype(np.float32)
    if len(dims) == 1:
        numbers = numbers * 0.125 + (0 if name.endswith("bias") else 0.75)
    else:
        numbers *= 0.5 if "embed" in name else (2.0 if any(part in name for part in ("q_proj", "k_proj", "query", "key")) else 1.0) / dims[-1] ** 0.5
    rounded = (np.round(numbers * 128) / 128).astype(np.float32)
    return (rounded.view(np.uint32) & 0xFFFF0000).view(np.float32)


def write_checkpoint(folder, case, shapes):
    """config.json, model.safetensors and a tokenizer of characters; encoders take the mean of their states."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    header, blobs, at = {}, [], 0
    for name, dims in shapes.items():
        bits = make_weight(name, dims)
        if case["dtype"] == "BF16":
            bits = (bits.view(np.uint32) >> 16).astype(np.uint16)
        elif case["dtype"] == "F16":
            bits = bits.astype(np.float16)
        blobs.append(bits.tobytes())
        header[name] = {"dtype": case["dtype"], "shape": dims, "data_offsets": [at, at + len(blobs[-1])]}
        at += len(blobs[-1])
    text = json.dumps(header).encode()
    (folder / "model.safetensors").write_bytes(len(text).to_bytes(8, "little") + text + b"".join(blobs))
    (folder / "config.json").write_text(json.dumps(case["written"]))
    (folder / "tokenizer_config.json").write_text('{"tokenizer_class": "PreTrainedTokenizerFast"}')
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    (folder / "tokenizer.json").write_text(json.dumps({
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "normalizer": None, "pre_tokenizer": byte_level,
        "post_processor": None, "decoder": byte_level,
        "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None, "end_of_word_suffix": None,
                  "fuse_unk": False, "byte_fallback": False, "vocab": {token(i): i for i in range(VOCAB)}, "merges": []}}))
    if case["config"]["model_type"] in {encoder["config"]["model_type"] for encoder in ENCODERS.values()}:
        module = "sentence_transformers.models."
        (folder / "modules.json").write_text(json.dumps([{"idx": 0, "path": "", "type": module + "Transformer"},
                                                         {"idx": 1, "path": "1_Pooling", "type": module + "Pooling"}]))
        (folder / "1_Pooling").mkdir(exist_ok=True)
        (folder / "1_Pooling" / "config.json").write_text('{"pooling_mode_mean_tokens": true}')


if __name__ == "__main__":
    golden = json.loads((pathlib.Path(__file__).parent / "families.json").read_text())
    for name, case in {**DECODERS, **ENCODERS}.items():
        write_checkpoint(pathlib.Path(sys.argv[1]) / name, case, golden[name]["shapes"])
