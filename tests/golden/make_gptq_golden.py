#!/usr/bin/env python3
"""tests/golden/make_gptq_golden.py OUTPUT: what GPTQ as its paper has it costs on a small layer: the inverse of the damped Hessian, its
upper Cholesky factor, column after column, in torch and doubles (arXiv 2210.17323, algorithm 1). Layer and inputs follow from a formula,
here and in enm/quantize/gptq_test.cc. Grids are the best of 100 shrinks of min and max in each block, chosen from the weights as they are
(act-order with static groups) or as they are when the block's turn comes. Needs tests/requirements-witness.txt."""
import json
import sys

import torch

ROWS, COLUMNS, TOKENS, BLOCK, BITS, DAMPING = 48, 128, 512, 32, 4, 0.01


def noise(count, seed):
    """Numbers in [-1, 1) that every language makes alike: the top 24 bits of a multiplicative hash."""
    i = torch.arange(count, dtype=torch.int64)
    x = ((i + 1) * 2654435761 + seed * 40503) % (1 << 32)
    x = (x ^ (x >> 15)) * 2246822519 % (1 << 32)
    return ((x ^ (x >> 13)) >> 8).double() / (1 << 23) - 1


def layer():
    weights = noise(ROWS * COLUMNS, 1).view(ROWS, COLUMNS)
    sources = noise(TOKENS * 24, 2).view(TOKENS, 24)  # inputs that depend on each other, as a model's do
    mixing = noise(24 * COLUMNS, 3).view(24, COLUMNS)
    inputs = sources @ mixing + 0.1 * noise(TOKENS * COLUMNS, 4).view(TOKENS, COLUMNS)
    return weights, inputs * (1 + torch.arange(COLUMNS) % 7)


def grid(block, symmetric):
    """The scale and zero of each row of a block that rounding hurts least."""
    best, levels = None, 2 ** BITS
    for step in range(100):
        shrink = 1 - step / 200
        low, high = block.amin(1).clamp(max=0) * shrink, block.amax(1).clamp(min=0) * shrink
        if symmetric:
            most = torch.maximum(-low, high)
            scale, zero = most * 2 / (levels - 1), torch.full_like(most, levels // 2)
        else:
            scale = (high - low) / (levels - 1)
            zero = torch.round(-low / scale)
        error = (block - rounded(block, scale[:, None], zero[:, None])).pow(2).sum(1)
        if best is None:
            best = [error, scale, zero]
        better = error < best[0]
        best = [torch.where(better, a, b) for a, b in zip((error, scale, zero), best)]
    return best[1][:, None], best[2][:, None]


def rounded(x, scale, zero):
    return (torch.clamp(torch.round(x / scale) + zero, 0, 2 ** BITS - 1) - zero) * scale


def gptq(weights, hessian, symmetric, act_order):
    w, h = weights.clone(), hessian.clone()
    grids = [grid(w[:, b:b + BLOCK], symmetric) for b in range(0, COLUMNS, BLOCK)]
    order = torch.argsort(torch.diag(h), descending=True, stable=True) if act_order else torch.arange(COLUMNS)
    w, h = w[:, order], h[order][:, order]
    h += DAMPING * torch.diag(h).mean() * torch.eye(COLUMNS)
    inverse = torch.linalg.cholesky(torch.cholesky_inverse(torch.linalg.cholesky(h)), upper=True)
    out = torch.zeros_like(w)
    for c in range(COLUMNS):
        if not act_order and c % BLOCK == 0:
            grids[c // BLOCK] = grid(w[:, c:c + BLOCK], symmetric)
        out[:, c:c + 1] = rounded(w[:, c:c + 1], *grids[int(order[c]) // BLOCK])
        error = (w[:, c] - out[:, c]) / inverse[c, c]
        w[:, c:] -= error[:, None] * inverse[c, c:]
    return out[:, torch.argsort(order)]


weights, inputs = layer()
hessian = inputs.T @ inputs / TOKENS
cost = lambda difference: float((difference @ hessian * difference).sum() / (weights @ hessian * weights).sum())
golden = {"rounded": cost(weights - torch.cat([rounded(b, *grid(b, True)) for b in weights.split(BLOCK, 1)], 1))}
for symmetric in (True, False):
    for act_order in (True, False):
        name = f"{'symmetric' if symmetric else 'asymmetric'} {'act-order' if act_order else 'in order'}"
        golden[name] = cost(weights - gptq(weights, hessian, symmetric, act_order))
json.dump(golden, open(sys.argv[1], "w"), indent=1)
