"""Numba kernels: arrays and numbers in, arrays and counts out; no I/O, no objects, no import of vp."""
