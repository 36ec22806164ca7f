"""GGUF files: the gguf package writes and dequantizes them, the same weights as a Hugging Face folder say what they mean."""

import json
import struct

import gguf
import numpy as np
import onnx
import onnxruntime as ort
import pytest
from gguf import GGMLQuantizationType as Type
from onnx import numpy_helper

from conftest import FABLE

BLOCKS = [Type.Q4_0, Type.Q4_1, Type.Q5_0, Type.Q5_1, Type.Q8_0, Type.Q2_K, Type.Q3_K, Type.Q4_K, Type.Q5_K, Type.Q6_K, Type.IQ4_NL]
HALVES = {Type.Q2_K: (80, 82), Type.Q3_K: (108,), Type.Q4_K: (0, 2), Type.Q5_K: (0, 2), Type.Q6_K: (208,), Type.IQ4_NL: (0,)}
VOCAB, HIDDEN, WIDE, LAYERS, HEADS, KV_HEADS = 96, 256, 512, 2, 4, 2


def blocks_of(type, rows, columns, rng):
    """Rows of blocks: quantized by the package where it can, else bytes at random around sane scales."""
    if type not in HALVES:
        return gguf.quants.quantize(rng.standard_normal((rows, columns)).astype(np.float32) * 0.05, type)
    size, bytes_ = gguf.GGML_QUANT_SIZES[type]
    out = rng.integers(0, 256, (rows, columns // size, bytes_), dtype=np.uint8)
    for at in HALVES[type]:
        scale = (rng.uniform(1, 2, out.shape[:2]) * 2e-4).astype(np.float16)
        out[:, :, at:at + 2] = scale[..., None].view(np.uint8)
    return out.reshape(rows, -1)


class Architecture:
    """A tiny model of random weights, as a Hugging Face folder and as a GGUF file."""

    def __init__(self, name, config, metadata, modules):
        self.name, self.metadata = name, metadata
        self.config = {"vocab_size": VOCAB, "hidden_size": HIDDEN, "intermediate_size": WIDE, "num_hidden_layers": LAYERS,
                       "num_attention_heads": HEADS, "num_key_value_heads": KV_HEADS, "max_position_embeddings": 128, **config}
        head = self.config.get("head_dim", HIDDEN // HEADS)
        self.config["head_dim"] = head
        self.head = head
        widths = {"q": HEADS * head, "k": KV_HEADS * head, "v": KV_HEADS * head, "qkv": (HEADS + 2 * KV_HEADS) * head}
        self.shapes = {}
        for module, shape in modules.items():
            shape = [widths.get(part, part) for part in shape]
            for layer in range(LAYERS if "layers.N" in module else 1):
                self.shapes[module.replace("layers.N", f"layers.{layer}")] = shape

    def weights(self, rng):
        out = {}
        for name, shape in self.shapes.items():
            value = rng.standard_normal(shape).astype(np.float32) * 0.05
            out[name] = value + (0 if len(shape) == 2 or self.name.startswith("gemma") or name.endswith("bias") else 1)
        return out

    def write_folder(self, folder, weights):
        folder.mkdir()
        (folder / "config.json").write_text(json.dumps({k: v for k, v in self.config.items() if v is not None}))
        header, data = {}, b""
        for name, value in weights.items():
            header[name] = {"dtype": "F32", "shape": list(value.shape), "data_offsets": [len(data), len(data) + value.nbytes]}
            data += np.ascontiguousarray(value).tobytes()
        text = json.dumps(header).encode()
        (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + data)
        return folder

    def turned(self, name, rows):
        """Rows as files of this architecture have them: llama's queries and keys turn neighbours."""
        if self.name != "llama" or not name.endswith(("q_proj.weight", "k_proj.weight", "q_proj.bias", "k_proj.bias")):
            return rows
        return rows.reshape(-1, 2, self.head // 2, *rows.shape[1:]).swapaxes(1, 2).reshape(rows.shape)

    def write_gguf(self, path, weights, blocks=None, split=0):
        """`blocks`: name -> (bytes, type) for tensors that are not F32."""
        c, arch = self.config, self.name
        writer = gguf.GGUFWriter(path, arch, split_max_tensors=split, small_first_shard=False)
        writer.add_context_length(c["max_position_embeddings"])
        writer.add_embedding_length(HIDDEN)
        writer.add_feed_forward_length(WIDE)
        writer.add_block_count(LAYERS)
        writer.add_head_count(HEADS)
        writer.add_head_count_kv(c["num_key_value_heads"])
        for key, value in self.metadata.items():
            add = {str: writer.add_string, int: writer.add_uint32, float: writer.add_float32}[type(value)]
            add(f"{arch}.{key}", value)
        if "head_dim" in c and c["head_dim"] * HEADS != HIDDEN:
            writer.add_key_length(c["head_dim"])
            writer.add_value_length(c["head_dim"])
        names = gguf.get_tensor_name_map(getattr(gguf.MODEL_ARCH, arch.upper()), LAYERS)
        for name, value in weights.items():
            file_name = names.get_name(name, try_suffixes=(".weight", ".bias"))
            if blocks and name in blocks:
                writer.add_tensor(file_name, self.turned(name, blocks[name][0]), raw_dtype=blocks[name][1])
            else:
                shift = 1 if arch.startswith("gemma") and name.endswith("norm.weight") else 0
                writer.add_tensor(file_name, self.turned(name, value + np.float32(shift)))
        for name, value in getattr(self, "extra", {}).items():
            writer.add_tensor(name, value)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        return path


L = "model.layers.N."
LLAMA = {"model.embed_tokens.weight": [VOCAB, HIDDEN], L + "input_layernorm.weight": [HIDDEN], L + "self_attn.q_proj.weight": ["q", HIDDEN],
         L + "self_attn.k_proj.weight": ["k", HIDDEN], L + "self_attn.v_proj.weight": ["v", HIDDEN], L + "self_attn.o_proj.weight": [HIDDEN, "q"],
         L + "post_attention_layernorm.weight": [HIDDEN], L + "mlp.gate_proj.weight": [WIDE, HIDDEN], L + "mlp.up_proj.weight": [WIDE, HIDDEN],
         L + "mlp.down_proj.weight": [HIDDEN, WIDE], "model.norm.weight": [HIDDEN]}
HEAD = {"lm_head.weight": [VOCAB, HIDDEN]}
QKV_BIAS = {L + "self_attn.q_proj.bias": ["q"], L + "self_attn.k_proj.bias": ["k"], L + "self_attn.v_proj.bias": ["v"]}
RMS = {"attention.layer_norm_rms_epsilon": 1e-5}


def qk_norms(head):
    return {L + "self_attn.q_norm.weight": [head], L + "self_attn.k_norm.weight": [head]}


def llama3_factors(factor=8.0, low=1.0, high=4.0, original=64, theta=10000.0, head=64):
    """What conversion writes into rope_freqs.weight (conversion/llama.py of llama.cpp)."""
    out = []
    for frequency in 1.0 / theta ** (np.arange(0, head, 2) / head):
        length = 2 * np.pi / frequency
        smooth = (original / length - low) / (high - low)
        out.append(1 if length < original / high else factor if length > original / low else 1 / ((1 - smooth) / factor + smooth))
    return np.array(out, np.float32)


def make(name):
    rms = {"rms_norm_eps": 1e-5}
    if name in ("llama", "llama3"):
        config, meta = {"model_type": "llama", **rms}, {**RMS, "vocab_size": VOCAB, "rope.dimension_count": 64}
        if name == "llama3":
            config["rope_scaling"] = {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                                      "original_max_position_embeddings": 64}
        out = Architecture("llama", config, meta, {**LLAMA, **HEAD})
        out.extra = {"rope_freqs.weight": llama3_factors()} if name == "llama3" else {}
        return out
    if name == "qwen2":
        return Architecture(name, {"model_type": "qwen2", "rope_theta": 1e6, "tie_word_embeddings": True, **rms, "rope_scaling":
                                   {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32}},
                            {**RMS, "rope.freq_base": 1e6, "rope.scaling.type": "yarn", "rope.scaling.factor": 4.0,
                             "rope.scaling.original_context_length": 32}, {**LLAMA, **QKV_BIAS})
    if name == "qwen3":
        return Architecture(name, {"model_type": "qwen3", "head_dim": 32, "rope_theta": 1e6, "tie_word_embeddings": False, **rms},
                            {**RMS, "rope.freq_base": 1e6}, {**LLAMA, **qk_norms(32), **HEAD})
    if name == "gemma":
        return Architecture(name, {"model_type": "gemma", "head_dim": 32, "hidden_activation": "gelu_pytorch_tanh", **rms}, RMS, LLAMA)
    later = {**LLAMA, L + "pre_feedforward_layernorm.weight": [HIDDEN], L + "post_feedforward_layernorm.weight": [HIDDEN]}
    if name == "gemma2":
        return Architecture(name, {"model_type": "gemma2", "head_dim": 32, "query_pre_attn_scalar": 32, "sliding_window": 16,
                                   "attn_logit_softcapping": 50.0, "final_logit_softcapping": 30.0, **rms},
                            {**RMS, "attention.sliding_window": 16, "attn_logit_softcapping": 50.0, "final_logit_softcapping": 30.0}, later)
    if name == "gemma3":
        return Architecture(name, {"model_type": "gemma3_text", "head_dim": 32, "query_pre_attn_scalar": 32, "sliding_window": 16,
                                   "sliding_window_pattern": 2, "rope_theta": 1e6, "rope_local_base_freq": 1e4, **rms},
                            {**RMS, "attention.sliding_window": 16, "attention.sliding_window_pattern": 2, "rope.freq_base": 1e6},
                            {**later, **qk_norms(32)})
    if name == "phi2":
        modules = {"model.embed_tokens.weight": [VOCAB, HIDDEN], "model.final_layernorm.weight": [HIDDEN], **HEAD, L + "input_layernorm.weight": [HIDDEN],
                   **{L + f"self_attn.{m}_proj.weight": [m, HIDDEN] for m in "qkv"}, L + "self_attn.dense.weight": [HIDDEN, "q"],
                   L + "mlp.fc1.weight": [WIDE, HIDDEN], L + "mlp.fc2.weight": [HIDDEN, WIDE]}
        modules.update({m.replace(".weight", ".bias"): s[:1] for m, s in modules.items() if "embed" not in m})
        return Architecture(name, {"model_type": "phi", "num_key_value_heads": HEADS, "partial_rotary_factor": 0.3, "hidden_act": "gelu_new",
                                   "layer_norm_eps": 1e-5}, {"attention.layer_norm_epsilon": 1e-5, "rope.dimension_count": 18},
                            {m: [p if p in (HIDDEN, WIDE, VOCAB) else "q" for p in s] for m, s in modules.items()})
    assert name == "phi3"
    modules = {m: s for m, s in LLAMA.items() if not any(p in m for p in ("q_proj", "k_proj", "v_proj", "gate_proj", "up_proj"))}
    modules.update({L + "self_attn.qkv_proj.weight": ["qkv", HIDDEN], L + "mlp.gate_up_proj.weight": [2 * WIDE, HIDDEN], **HEAD})
    short, long = np.linspace(1, 2, 32), np.linspace(1, 9, 32)
    out = Architecture(name, {"model_type": "phi3", "original_max_position_embeddings": 32, "sliding_window": 40, **rms, "rope_scaling":
                              {"type": "longrope", "short_factor": short.tolist(), "long_factor": long.tolist()}},
                       {**RMS, "attention.sliding_window": 40, "rope.scaling.original_context_length": 32, "rope.scaling.type": "longrope",
                        "rope.scaling.attn_factor": float(np.sqrt(1 + np.log(4) / np.log(32)))}, modules)
    out.extra = {"rope_factors_short.weight": short.astype(np.float32), "rope_factors_long.weight": long.astype(np.float32)}
    return out


def decoder_feeds(model, ids):
    feeds = {"input_ids": np.array([ids], np.int64), "attention_mask": np.ones((1, len(ids)), np.int64)}
    for value in onnx.load(model, load_external_data=False).graph.input:
        if value.name.startswith("past"):
            dims = [d.dim_value for d in value.type.tensor_type.shape.dim]
            feeds[value.name] = np.zeros((1, dims[1], 0, dims[3]), np.float32)
    return feeds


@pytest.fixture
def logits(program, run_graph, tmp_path):
    """logits(source, *flags, ids) -> [positions, vocabulary]: imported, and run by our executor with float activations."""
    count = iter(range(100))

    def run(source, ids, *flags, verb="import"):
        model = tmp_path / f"{next(count)}.onnx"
        program(verb, source, "--output", model, *flags)
        graph = onnx.load(model)
        for node in graph.graph.node:
            for attribute in node.attribute:
                if attribute.name == "accuracy_level":
                    attribute.i = 0
        onnx.save(graph, model)
        return model, run_graph(model, decoder_feeds(model, ids))["logits"][0]

    return run


ARCHITECTURES = ["llama", "llama3", "qwen2", "qwen3", "gemma", "gemma2", "gemma3", "phi2", "phi3"]
IDS = np.random.default_rng(1).integers(0, VOCAB, 70).tolist()


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_architectures_mean_what_checkpoints_mean(name, logits, tmp_path):
    model = make(name)
    weights = model.weights(np.random.default_rng(2))
    for ids in (IDS[:24], IDS):  # within windows and first contexts, and beyond
        expected = logits(model.write_folder(tmp_path / f"folder{len(ids)}", weights), ids)[1]
        got = logits(model.write_gguf(tmp_path / f"{len(ids)}.gguf", weights), ids)[1]
        np.testing.assert_allclose(got, expected, atol=2e-5 * np.abs(expected).max())


def onnx_weight(model, name):
    """A weight of the file in floats, whichever way it is kept."""
    constants = {c.name: numpy_helper.to_array(c) for c in model.graph.initializer}
    if name in constants:
        return constants[name]
    turned = name.replace(".weight", "/Transpose/output")
    if turned in constants:
        return constants[turned].T
    quants, scales = constants[name + ".quants"], constants[name + ".scales"]
    node = next(n for n in model.graph.node if name + ".quants" in n.input)
    bits = next(a.i for a in node.attribute if a.name == "bits")
    if bits == 4:
        quants = np.stack([quants & 15, quants >> 4], -1).reshape(*quants.shape[:2], -1)
    zero = constants.get(name + ".zero_points")
    zero = np.float32(1 << (bits - 1)) if zero is None else zero[..., None]
    return ((quants.astype(np.float32) - zero) * scales[..., None]).reshape(len(quants), -1)


@pytest.mark.parametrize("type", BLOCKS, ids=lambda t: t.name)
def test_blocks_are_kept_without_loss(type, logits, tmp_path):
    rng = np.random.default_rng(int(type))
    model = make("llama")
    weights, blocks = model.weights(rng), {}
    for name, value in weights.items():
        if value.ndim == 2:
            blocks[name] = (blocks_of(type, *value.shape, rng), type)
            weights[name] = gguf.quants.dequantize(*blocks[name])
    path = model.write_gguf(tmp_path / "m.gguf", weights, blocks)
    expected = logits(model.write_folder(tmp_path / "folder", weights), IDS)[1]
    kept, got = logits(path, IDS)
    np.testing.assert_allclose(got, expected, atol=1e-4 * np.abs(expected).max())
    file = onnx.load(kept)
    assert sum(node.op_type == "MatMulNBits" for node in file.graph.node) == 7 * LAYERS + 1
    for name in blocks:
        if name != "model.embed_tokens.weight":
            exact = 0 if type in (Type.Q4_0, Type.Q5_0, Type.Q8_0, Type.Q3_K, Type.Q6_K, Type.IQ4_NL) else 1e-6
            np.testing.assert_allclose(onnx_weight(file, name), weights[name], rtol=0, atol=exact * np.abs(weights[name]).max())
    floats, again = logits(path, IDS, "--dequantize")
    file = onnx.load(floats)
    for name in blocks:
        np.testing.assert_array_equal(onnx_weight(file, name), weights[name])
    np.testing.assert_array_equal(again, expected)
    if type in (Type.Q5_1, Type.Q5_K):
        return  # ONNX Runtime has no 8-bit weights with float zero points
    witness = ort.InferenceSession(str(kept), providers=["CPUExecutionProvider"])
    np.testing.assert_allclose(witness.run(["logits"], decoder_feeds(kept, IDS))[0][0], expected, atol=1e-3)


def test_halves_and_parts(logits, tmp_path):
    """F16 and BF16, in three files."""
    rng = np.random.default_rng(5)
    model = make("qwen3")
    weights, blocks = model.weights(rng), {}
    for i, (name, value) in enumerate(weights.items()):
        if value.ndim == 2:
            type = (Type.F16, Type.BF16)[i % 2]
            blocks[name] = (gguf.quants.quantize(value, type), type)
            weights[name] = gguf.quants.dequantize(*blocks[name])
    model.write_gguf(tmp_path / "m.gguf", weights, blocks, split=11)
    first = sorted(tmp_path.glob("m-00001-of-*.gguf"))[0]
    assert len(list(tmp_path.glob("m-*.gguf"))) == 3
    expected = logits(model.write_folder(tmp_path / "folder", weights), IDS)[1]
    np.testing.assert_allclose(logits(first, IDS)[1], expected, atol=2e-5 * np.abs(expected).max())


@pytest.mark.parametrize("change, told", [
    (lambda w: w.add_string("general.architecture", "mamba"), "mamba"),
    (lambda w: w.add_uint32("llama.expert_count", 4), "experts"),
    (lambda w: w.add_uint32("llama.attention.something_new", 4), "llama.attention.something_new"),
    (lambda w: w.add_tensor("blk.0.attn_sinks.weight", np.zeros(4, np.float32)), "blk.0.attn_sinks.weight"),
    (lambda w: w.add_tensor("output.weight", np.zeros(4, np.float32)), "lm_head.weight"),
], ids=["architecture", "experts", "key", "tensor", "shape"])
def test_what_is_not_understood_is_named(change, told, program, tmp_path):
    writer = gguf.GGUFWriter(tmp_path / "m.gguf", "llama")
    writer.kv_data[0].clear()
    change(writer)
    if "general.architecture" not in writer.kv_data[0]:
        writer.add_string("general.architecture", "llama")
    for key, value in {"context_length": 64, "embedding_length": 32, "feed_forward_length": 32, "block_count": 1, "attention.head_count": 2}.items():
        writer.add_uint32(f"llama.{key}", value)
    for name, shape in {"token_embd": [8, 32], "output_norm": [32], "blk.0.attn_norm": [32], "blk.0.ffn_norm": [32],
                        **{f"blk.0.{m}": [32, 32] for m in ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")}}.items():
        writer.add_tensor(name + ".weight", np.zeros(shape, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    failed = program("import", tmp_path / "m.gguf", "--output", tmp_path / "out", check=False)
    assert failed.returncode != 0 and told in failed.stderr, failed.stderr


def read_checkpoint(folder):
    out, kinds = {}, {"F32": np.float32, "F16": np.float16}
    for path in folder.glob("*.safetensors"):
        raw = path.read_bytes()
        size = struct.unpack("<Q", raw[:8])[0]
        for name, entry in json.loads(raw[8:8 + size]).items():
            if name != "__metadata__":
                bytes_ = raw[8 + size:][slice(*entry["data_offsets"])]
                out[name] = np.frombuffer(bytes_, kinds[entry["dtype"]]).reshape(entry["shape"])
    return out


@pytest.mark.parametrize("type", ["F16", "Q8_0", "Q4_0"])
def test_written_bytes_are_ggmls(type, program, tmp_path):
    path = tmp_path / "fable.gguf"
    program("optimize", FABLE, "--format", "gguf", "--quantization", type, "--output", path)
    reader = gguf.GGUFReader(path)
    fields = {field.name: field.contents() for field in reader.fields.values()}
    config = json.loads((FABLE / "config.json").read_text())
    assert fields["general.architecture"] == "phi2" and fields["tokenizer.ggml.pre"] == "gpt-2"
    assert fields["phi2.block_count"] == config["num_hidden_layers"] and len(fields["tokenizer.ggml.tokens"]) == config["vocab_size"]
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.PHI2, config["num_hidden_layers"])
    weights = {names.get_name(name, try_suffixes=(".weight", ".bias")): value for name, value in read_checkpoint(FABLE).items()}
    assert {tensor.name for tensor in reader.tensors} == set(weights)
    for tensor in reader.tensors:
        matrix = Type.Q6_K if (type, tensor.name) == ("Q4_0", "output.weight") else Type[type]
        assert tensor.tensor_type == (matrix if len(tensor.shape) == 2 else Type.F32)
        if tensor.tensor_type == Type.Q6_K:
            continue  # the package only reads those
        expected = gguf.quants.quantize(weights[tensor.name].astype(np.float32), tensor.tensor_type)
        np.testing.assert_array_equal(tensor.data.view(np.uint8), expected.view(np.uint8), err_msg=tensor.name)


def kinds(path):
    """{tensor: type} of its matrices."""
    return {tensor.name: tensor.tensor_type.name for tensor in gguf.GGUFReader(path).tensors if len(tensor.shape) == 2}


MORE = {f"blk.{layer}.{name}.weight": "Q6_K" for layer in (0, 3, 6, 7) for name in ("attn_v", "ffn_down")}
FIRST = {"blk.0.ffn_down.weight": "Q5_K", **{f"blk.{layer}.attn_v.weight": "Q5_K" for layer in range(4)}}


# What llama-quantize makes of fable-8m, 8 layers.
@pytest.mark.parametrize("recipe, others", [("Q4_K_M", MORE), ("Q5_K_M", MORE), ("Q4_K_S", FIRST), ("Q5_K_S", {}), ("Q6_K", {})])
def test_mixtures_are_llama_cpps(recipe, others, program, json_of, heldout, tmp_path):
    path = tmp_path / "fable.gguf"
    program("optimize", FABLE, "--quantization", recipe, "--output", path)
    got = kinds(path)
    expected = {name: recipe[:4] for name in got} | {"output.weight": "Q6_K"} | others
    assert got == expected
    score = ("--perplexity", heldout, "--windows", 4, "--accuracy-level", 0)
    least, most = json_of("eval", FABLE, *score)["perplexity"], json_of("eval", path, *score)["perplexity"]
    assert least * 0.98 < most < least * (1.06 if recipe[1] == "4" else 1.02)


def test_importance(program, tmp_path):
    """The old and the new files of it say the same, and what they say counts."""
    program("optimize", FABLE, "--quantization", "F16", "--output", tmp_path / "f16.gguf")
    columns = {tensor.name: int(tensor.shape[0]) for tensor in gguf.GGUFReader(tmp_path / "f16.gguf").tensors if len(tensor.shape) == 2}
    rng = np.random.default_rng(3)
    sums = {name: (rng.random(count) ** 4 * 14).astype(np.float32) for name, count in columns.items() if name != "token_embd.weight"}

    def text(value):
        return struct.pack("<i", len(value)) + value.encode()

    def dat(sums):
        return (struct.pack("<i", len(sums)) + b"".join(text(name) + struct.pack("<ii", 7, value.size) + value.tobytes() for name, value in sums.items())
                + struct.pack("<i", 12) + text("stories"))

    (tmp_path / "old.dat").write_bytes(dat(sums))
    writer = gguf.GGUFWriter(tmp_path / "new.gguf", "none")
    writer.add_type("imatrix")
    writer.add_array("imatrix.datasets", ["stories"])
    writer.add_uint32("imatrix.chunk_count", 12)
    for name, value in sums.items():
        writer.add_tensor(name + ".in_sum2", value[None])
        writer.add_tensor(name + ".counts", np.full((1, 1), 7, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    written = {}
    for file in ("old.dat", "new.gguf", None):
        more = ("--imatrix", tmp_path / file) if file else ()
        program("optimize", FABLE, "--quantization", "Q4_0", "--output", tmp_path / "out.gguf", *more)
        reader = gguf.GGUFReader(tmp_path / "out.gguf")
        written[file] = {tensor.name: bytes(tensor.data.view(np.uint8)) for tensor in reader.tensors}
        if file:
            assert reader.fields["quantize.imatrix.dataset"].contents() == "stories" and reader.fields["quantize.imatrix.chunks_count"].contents() == 12
            assert [name for name, kind in kinds(tmp_path / "out.gguf").items() if kind == "Q4_1"] == ["blk.0.ffn_down.weight"]
    assert written["old.dat"] == written["new.gguf"]
    changed = {name for name, value in written[None].items() if value != written["old.dat"][name]}
    assert changed == set(sums)
    for damage, told in (({"blk.0.attn_q.weight": np.full(columns["blk.0.attn_q.weight"], np.nan, np.float32)}, "nan"),
                         ({"blk.0.attn_q.weight": np.ones(5, np.float32)}, "columns")):
        (tmp_path / "bad.dat").write_bytes(dat(sums | damage))
        failed = program("optimize", FABLE, "--quantization", "Q4_K", "--imatrix", tmp_path / "bad.dat", "--output", tmp_path / "bad.gguf", check=False)
        assert failed.returncode != 0 and told in failed.stderr and "blk.0.attn_q.weight" in failed.stderr
        assert not (tmp_path / "bad.gguf").exists()


def test_a_written_file_is_the_model(program, json_of, tmp_path):
    path = tmp_path / "fable.gguf"
    program("optimize", FABLE, "--format", "gguf", "--quantization", "F16", "--output", path)
    text = "Once upon a time, the King said: “It’s 1234 leagues!” \t\n\n  Æsop 日本 🦊"
    assert json_of("tokenize", path, text)["ids"] == json_of("tokenize", FABLE, text)["ids"]
    run = ("Once upon a time", "--max-tokens", 32)
    assert json_of("run", path, *run)["text"] == json_of("run", FABLE, *run)["text"]
    described = json_of("inspect", path)
    assert described["description"]["task"] == "text-generation" and described["description"]["layers"] == 8


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_what_is_written_reads_back(name, program, logits, tmp_path):
    model = make(name)
    weights = {n: v.astype(np.float16).astype(np.float32) for n, v in model.weights(np.random.default_rng(7)).items()}
    folder = model.write_folder(tmp_path / "folder", weights)
    letters = {chr(33 + i): i for i in range(94)}
    (folder / "tokenizer.json").write_text(json.dumps({
        "added_tokens": [{"id": 95, "content": "<end>", "special": True}], "normalizer": None,
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "use_regex": True},
        "post_processor": None, "decoder": {"type": "ByteLevel"}, "model": {"type": "BPE", "vocab": letters, "merges": []}}))
    path = tmp_path / "m.gguf"
    program("optimize", folder, "--format", "gguf", "--quantization", "F16", "--output", path)
    expected, got = logits(folder, IDS)[1], logits(path, IDS)[1]
    np.testing.assert_allclose(got, expected, atol=2e-5 * np.abs(expected).max())
