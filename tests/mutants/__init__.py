"""Faults planted one at a time into the code, each with the test that must fail for it.

A table (`*.toml` beside this file) lists them by part of the product; `scripts/mutants` plants them in a copy of the
checkout and runs their tests there.
"""
