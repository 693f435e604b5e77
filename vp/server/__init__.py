"""The server: sessions shared by viewers, over a websocket.

protocol, cursor, pacing and history are plain objects without sockets; run and hub drive sessions in threads;
viewer, wire and app speak to the network.
"""
