"""The frames that sessions have made, kept and given out again; imports vp.model, vp.study and vp.server.stream."""
