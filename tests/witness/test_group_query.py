"""GroupQueryAttention with windows, soft caps, sinks and ragged batches, against ONNX Runtime on the same file."""
import numpy as np
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper

F, I = TensorProto.FLOAT, TensorProto.INT32


def make_model(heads, kv_heads, head_dim, sink, **attributes):
    inputs = ["q", "k", "v", "past_k", "past_v", "seqlens", "total", "cos", "sin", "", "", "sink" if sink else ""]
    node = helper.make_node("GroupQueryAttention", inputs, ["y", "present_k", "present_v"], name="attention", domain="com.microsoft",
                            num_heads=heads, kv_num_heads=kv_heads, do_rotary=1, **attributes)
    info = helper.make_tensor_value_info
    graph_inputs = [info("q", F, ["b", "s", heads * head_dim]), info("k", F, ["b", "s", kv_heads * head_dim]),
                    info("v", F, ["b", "s", kv_heads * head_dim]), info("past_k", F, ["b", kv_heads, "p", head_dim]),
                    info("past_v", F, ["b", kv_heads, "p", head_dim]), info("seqlens", I, ["b"]), info("total", I, []),
                    info("cos", F, ["m", head_dim // 2]), info("sin", F, ["m", head_dim // 2])]
    if sink:
        graph_inputs.append(info("sink", F, [heads]))
    outputs = [info("y", F, None), info("present_k", F, None), info("present_v", F, None)]
    graph = helper.make_graph([node], "g", graph_inputs, outputs)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)], ir_version=8)


def feeds(rng, heads, kv_heads, head_dim, batch, sequence, past, lengths, sink):
    normal = lambda *dims: rng.standard_normal(dims).astype(np.float32)
    angles = np.outer(np.arange(300), 10000.0 ** (-np.arange(0, head_dim, 2) / head_dim))
    out = {"q": normal(batch, sequence, heads * head_dim), "k": normal(batch, sequence, kv_heads * head_dim),
           "v": normal(batch, sequence, kv_heads * head_dim), "past_k": normal(batch, kv_heads, past, head_dim),
           "past_v": normal(batch, kv_heads, past, head_dim), "seqlens": np.array(lengths, np.int32) - 1,
           "total": np.array(max(lengths), np.int32), "cos": np.cos(angles).astype(np.float32), "sin": np.sin(angles).astype(np.float32)}
    if sink:
        out["sink"] = normal(heads)
    return out


# (batch, sequence, past, lengths): a prompt, a chunk behind a past, one token each, ragged prompts, ragged single tokens.
CALLS = {"prompt": (1, 70, 0, [70]), "chunk": (1, 9, 61, [70]), "token": (1, 1, 80, [81]),
         "ragged prompts": (3, 40, 0, [40, 7, 21]), "ragged tokens": (3, 1, 50, [51, 12, 33])}
FORMS = {"plain": {}, "window longer than the chunk": {"local_window_size": 33}, "window shorter": {"local_window_size": 4},
         "soft cap": {"softcap": 2.5}, "smooth": {"smooth_softmax": 1}, "interleaved": {"rotary_interleaved": 1},
         "all": {"local_window_size": 17, "softcap": 3.0, "scale": 0.4}}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("form", [*FORMS, "sinks"])
@pytest.mark.parametrize("heads,kv_heads,head_dim", [(4, 2, 16), (6, 1, 32)])
def test_equals_onnx_runtime(run_graph, call, form, heads, kv_heads, head_dim):
    rng = np.random.default_rng(7)
    sink = form == "sinks"
    batch, sequence, past, lengths = CALLS[call]
    model = make_model(heads, kv_heads, head_dim, sink, **FORMS.get(form, {"local_window_size": 20}))
    given = feeds(rng, heads, kv_heads, head_dim, batch, sequence, past, lengths, sink)
    expected = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"]).run(None, given)
    got = run_graph(model, given)
    for b, length in enumerate(lengths):
        new = sequence if past else length  # rows behind a shorter prompt mean nothing
        np.testing.assert_allclose(got["y"][b, :new], expected[0][b, :new], atol=1e-4)
        for name, present in (("present_k", expected[1]), ("present_v", expected[2])):
            np.testing.assert_allclose(got[name][b, :, :length], present[b, :, :length], atol=1e-5)
