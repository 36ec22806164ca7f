"""Random small graphs over all operators: a Maker, and a generator for each operator."""
from . import attention, elementwise, movement, products, quantized, reductions  # noqa: F401 (they declare generators)
from .maker import GENERATORS, SINCE, Maker, Refused, is_float  # noqa: F401
