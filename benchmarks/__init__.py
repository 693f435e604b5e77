"""Measurements of VP's speed beside others on one machine; `scripts/bench` runs them and writes docs/performance.md."""
