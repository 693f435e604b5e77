"""One module a route or two, over HTTP and websocket; may import every other room of vp.server."""
