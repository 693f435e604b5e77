"""Filling the lake from Databento's batch service. May import market, lake and dbn.

`plan` says which jobs a range of dates needs, `quoting` what they are ordered as and cost, `spend` sends each once,
`search` finds those whose answer was lost, `waiting` and `fetch` lay their files down, `outcome` tells what became of
each. `ledger` keeps on disk what is about to be done before it is, so that a program that is killed at any moment
goes on where it was. docs/downloading.md tells what is promised.
"""
