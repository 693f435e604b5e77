"""Filling the lake from Databento's batch service.

`plan` says which jobs a range of dates needs, `spend` asks what they cost and submits them once, `fetch` lays
their files down; `ledger` keeps what was done on disk before and after each step, so that a program that is
killed at any moment goes on where it was.
"""
