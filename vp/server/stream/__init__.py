"""What a stream says and in which order, without sockets, threads or clocks; imports no other room of vp.server."""
