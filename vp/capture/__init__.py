"""Databento's live feed: connections to its gateway, and their recording.

May import `kernels`, `market`, `lake` and `dbn`.
"""
