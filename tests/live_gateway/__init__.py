"""A gateway on loopback that speaks Databento's live protocol, out of any DBN file, with faults on order.

It runs in a process of its own: `python -m tests.live_gateway FILE`. Tests drive it by its control channel
(tests.live_gateway.control). It checks the key's answer, skips nothing, and knows of its clients no more than what they
send.
"""
