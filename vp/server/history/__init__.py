"""The frames that sessions have made, kept and given out again; imports vp.server.stream alone of the rooms."""
