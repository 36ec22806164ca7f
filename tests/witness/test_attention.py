"""Attention operators, computed by ONNX Runtime and by our executor, around the sizes that the kernels' tiles have."""
import numpy as np
import pytest
from onnx import TensorProto

from test_operators import MS, agree  # noqa: F401 (a fixture)

FLOAT = TensorProto.FLOAT


@pytest.mark.parametrize("heads, kv_heads", [(2, 2), (6, 2), (12, 1)])
@pytest.mark.parametrize("batch, sequence, past", [(1, 1, 0), (2, 1, 150), (1, 9, 100), (2, 64, 0), (1, 130, 0), (1, 70, 63)])
def test_group_query_attention(agree, heads, kv_heads, batch, sequence, past):  # noqa: F811
    dice = np.random.default_rng(heads + sequence)
    head_dim = 48
    rows = lambda *shape: dice.normal(0, 1, shape).astype(np.float32)
    angles = np.outer(np.arange(past + sequence), 10.0 ** -np.arange(head_dim // 2)).astype(np.float32)
    total = past + sequence
    feeds = {
        "query": rows(batch, sequence, heads * head_dim), "key": rows(batch, sequence, kv_heads * head_dim),
        "value": rows(batch, sequence, kv_heads * head_dim), "past_key": rows(batch, kv_heads, past, head_dim),
        "past_value": rows(batch, kv_heads, past, head_dim), "seqlens_k": np.full(batch, total - 1, np.int32),
        "total_sequence_length": np.array(total, np.int32), "cos": np.cos(angles), "sin": np.sin(angles),
    }
    agree("GroupQueryAttention", feeds, atol=1e-5, outputs=3, types=[FLOAT] * 3, domain=MS, num_heads=heads, kv_num_heads=kv_heads,
          do_rotary=1)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("batch, sequence, keys", [(1, 1, 1), (3, 7, 7), (2, 70, 70), (1, 128, 40), (2, 9, 200)])
def test_multi_head_attention(agree, batch, sequence, keys, masked):  # noqa: F811
    dice = np.random.default_rng(sequence)
    rows = lambda length: dice.normal(0, 1, (batch, length, 4 * 20)).astype(np.float32)
    feeds = {"query": rows(sequence), "key": rows(keys), "value": rows(keys)}
    if masked:
        mask = dice.integers(0, 2, (batch, keys)).astype(np.int32)
        mask[:, 0] = 1  # what a row without any key gives is not said
        feeds |= {None: None, "mask": mask}
    agree("MultiHeadAttention", feeds, atol=1e-5, types=[FLOAT], domain=MS, num_heads=4)


@pytest.mark.parametrize("planes", [(1, 1), (3, 1), (1, 4), (3, 4)])
@pytest.mark.parametrize("sequence, keys", [(1, 1), (7, 7), (70, 130)])
def test_multi_head_attention_with_a_bias(agree, planes, sequence, keys):  # noqa: F811
    dice = np.random.default_rng(sequence)
    rows = lambda length: dice.normal(0, 1, (3, length, 4 * 20)).astype(np.float32)
    bias = dice.normal(0, 2, (*planes, sequence, keys)).astype(np.float32)
    bias[dice.random(bias.shape) < 0.3] = -1e4
    mask = (np.arange(keys) < np.array([[keys], [(keys + 1) // 2], [1]])).astype(np.int32)
    bias[..., 0] = 0  # what a row without any key gives is not said
    feeds = {"query": rows(sequence), "key": rows(keys), "value": rows(keys), None: None, "mask": mask, "bias": bias}
    agree("MultiHeadAttention", feeds, atol=1e-5, types=[FLOAT], domain=MS, num_heads=4)
