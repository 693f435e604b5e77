"""Sessions at work for their viewers, in threads; imports vp.server.stream and vp.server.history of the rooms."""
