"""The server: sessions shared by viewers, over a websocket.

`app` puts the rooms together: `stream` (what is said, in which order; no I/O), `history` (frames kept), `runs`
(sessions at work), `query` (SQL), `net` (sockets) and `routes` (addresses). Each says what it may import.
"""
