"""SQL over the lake, answered by processes that may be killed; imports no other room of vp.server."""
