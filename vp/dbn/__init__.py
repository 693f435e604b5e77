"""Databento's files as columns of events, checked record by record. May import market and lake."""
