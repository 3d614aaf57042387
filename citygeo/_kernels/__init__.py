"""
Numba kernels: arrays in, arrays filled, nothing raised.

A kernel and the small kernels it calls share one file, because numba's cache notices changes only in
the function's own file (numba#1833).
"""
