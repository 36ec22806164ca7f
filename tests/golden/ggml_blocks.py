"""Rows of weights, random and hostile ones, that quantizers of blocks are held to: the same on every machine.
ggml_blocks.py LIBGGML_BASE.so: writes ggml_blocks.json, the hashes of what ggml_quantize_chunk makes of them."""
import ctypes
import hashlib
import json
import pathlib
import sys

import numpy as np

COLUMNS, ROWS = 256, 4096
# type -> number, weights of a block, bytes
TYPES = {"Q4_0": (2, 32, 18), "Q4_1": (3, 32, 20), "Q5_0": (6, 32, 22), "Q5_1": (7, 32, 24), "Q8_0": (8, 32, 34),
         "Q4_K": (12, 256, 144), "Q5_K": (13, 256, 176), "Q6_K": (14, 256, 210)}
GOLDEN = pathlib.Path(__file__).with_name("ggml_blocks.json")


def _uniform(bits, shape):
    return (bits.random_raw(int(np.prod(shape))) >> np.uint64(40)).astype(np.float32).reshape(shape) / np.float32(1 << 24)


def rows(seed, count):
    """f32 [count, COLUMNS]: a quarter bell-shaped, the others of magnitudes from 2^-60 to 2^12 and in each 16 weights a peculiarity."""
    bits = np.random.PCG64(seed)
    out = sum(_uniform(bits, (count, COLUMNS)) for _ in range(4)) - np.float32(2)
    kind = np.repeat((_uniform(bits, (count, COLUMNS // 16)) * 12).astype(int), 16, axis=1)
    scale = np.ldexp(np.float32(1), (_uniform(bits, (count, 1)) * 72).astype(int) - 60)
    kind[: count // 4], scale[: count // 4] = 11, np.float32(0.03)
    for which, value in enumerate((0, 0.25, np.abs(out), -np.abs(out), out * np.float32(1e-12), -0.0, np.round(out * 4) / 4,
                                   out * np.float32(1e-30), out * np.float32(100), np.where(out > 1, out * 50, out), out * out)):
        out = np.where(kind == which, value, out).astype(np.float32)
    return out * scale


def importance(seed):
    """f32 [COLUMNS], a zero among them."""
    out = _uniform(np.random.PCG64(seed), (COLUMNS,)) ** 4
    out[3] = 0
    return out


def ggml(library):
    """quantize(type, rows, importance or None) -> bytes, by ggml itself."""
    quantize_chunk = ctypes.CDLL(str(library)).ggml_quantize_chunk
    quantize_chunk.restype = ctypes.c_size_t
    quantize_chunk.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, *[ctypes.c_int64] * 3, ctypes.c_void_p]

    def quantize(type, values, weights):
        number, block, size = TYPES[type]
        out = np.zeros((len(values), COLUMNS // block * size), np.uint8)
        quantize_chunk(number, values.ctypes.data, out.ctypes.data, 0, len(values), COLUMNS, None if weights is None else weights.ctypes.data)
        return out.tobytes()

    return quantize


def hashes(quantize):
    """What GOLDEN holds, of another quantizer."""
    return {type: {name: hashlib.sha256(quantize(type, rows(number, ROWS), weights)).hexdigest()
                   for name, weights in (("plain", None), ("importance", importance(number)))} for type, (number, *_) in TYPES.items()}


if __name__ == "__main__":
    GOLDEN.write_text(json.dumps(hashes(ggml(sys.argv[1])), indent=1) + "\n")
