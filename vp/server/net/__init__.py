"""Sockets: listening, who may come in, HTTP and websocket connections; imports no other room of vp.server."""
