"""Rotary positions and attention."""
import numpy as np

from .maker import F32, I32, I64, MS, operator


def tables(m, rows, width):
    """cos and sin."""
    angles = m.dice.uniform(0, 6, (*rows, width))
    constants = m.chance(50)
    return [m.leaf(f(angles).astype(F32), constants) for f in (np.cos, np.sin)]


def rotary_form(m, needs_heads):
    """batch, sequence, half the width that turns, x, attributes."""
    batch, sequence, heads, half = m.integer(1, 2), m.integer(1, 5), m.integer(1, 3), m.integer(1, 6)
    in_part = m.chance(25)
    head_dim = half * 2 + (2 * m.integer(1, 3) if in_part else 0)
    flat = m.chance(50)
    x = m.operand(F32, (batch, sequence, heads * head_dim) if flat else (batch, heads, sequence, head_dim))
    attributes = m.some(100 if in_part or (flat and needs_heads) else 50 if flat else 0, num_heads=heads)
    attributes |= {"rotary_embedding_dim": half * 2} if in_part else {}
    return batch, sequence, half, x, attributes | m.flags("interleaved")


@operator("RotaryEmbedding", since=23)
def rotary(m, op):
    batch, sequence, half, x, attributes = rotary_form(m, True)
    if m.chance(70):
        m.node(op, [x, *tables(m, (12,), half), m.leaf(m.data(I64, (batch, sequence), 0, 11))], **attributes)
    else:
        m.node(op, [x, *tables(m, (batch, sequence), half)], **attributes)


@operator("RotaryEmbedding", domain=MS)
def contrib_rotary(m, op):
    batch, sequence, half, x, attributes = rotary_form(m, False)
    positions = m.pick([m.data(I64, (batch, sequence), 0, 11), np.array([m.integer(0, 12 - sequence)])])
    m.node(op, [x, m.leaf(positions), *tables(m, (12,), half)], domain=MS, **attributes)


@operator("MultiHeadAttention", domain=MS)
def multi_head(m, op):
    batch, sequence, keys, heads = m.integer(1, 2), m.integer(1, 6), m.integer(1, 6), m.integer(1, 3)
    hidden = heads * m.integer(1, 9)
    rows = lambda length: m.operand(F32, (batch, length, hidden))
    mask = m.data(I32, (batch, keys), 0, 1)
    mask[:, 0] = 1  # what a row without any key gives is not said
    masks = [None, m.leaf(mask)] if m.chance(40) else []
    m.node(op, [rows(sequence), rows(keys), rows(keys), *masks], domain=MS, num_heads=heads, **m.some(30, scale=0.4))


def call_form(m, batch):
    """New and past tokens and the lengths of sequences: ragged prompts, ragged single tokens behind a past, or one chunk."""
    sequence, past = m.pick([(m.integer(1, 6), 0), (1, m.integer(1, 9)), (m.integer(1, 4) if batch == 1 else 1, m.integer(1, 9))])
    total = sequence + past
    return sequence, past, np.array([total, *(m.integer(1, total) for _ in range(batch - 1))])


@operator("GroupQueryAttention", domain=MS)
def group_query(m, op):
    batch, kv_heads, head_dim = m.integer(1, 3), m.integer(1, 2), 16 * m.integer(1, 2)
    heads = kv_heads * m.integer(1, 3)
    sequence, past, lengths = call_form(m, batch)
    total = sequence + past
    rows = lambda width: m.operand(F32, (batch, sequence, width * head_dim))
    cached = [m.operand(F32, (batch, kv_heads, past, head_dim)) for _ in range(2)] if past or m.chance(50) else [None, None]
    turns = m.chance(60)
    turned = tables(m, (16,), head_dim // 2) if turns else [None, None]
    sink = [None, None, m.operand(F32, (heads,))] if m.chance(20) else []
    attributes = {"do_rotary": 1, **m.flags("rotary_interleaved")} if turns else {}
    attributes |= m.some(30, local_window_size=m.integer(1, 8)) | m.some(20, softcap=2.5) | m.some(20, scale=0.4)
    attributes |= m.some(0 if sink else 15, smooth_softmax=1)
    # Rows behind a shorter prompt mean nothing, nor those of present behind a sequence's tokens.
    new = np.arange(sequence)[None] < (lengths if past == 0 else np.full(batch, sequence))[:, None]
    kept = (np.arange(total)[None] < lengths[:, None])[:, None, :, None]
    counts = [m.leaf((lengths - 1).astype(I32)), m.leaf(np.array(total, I32))]
    m.node(op, [rows(heads), rows(kv_heads), rows(kv_heads), *cached, *counts, *turned, *sink], 3, domain=MS, num_heads=heads,
           kv_num_heads=kv_heads, masks={0: new[:, :, None], 1: kept, 2: kept}, **attributes)
