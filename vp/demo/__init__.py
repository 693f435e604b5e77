"""The generated market of the demonstration session. May import market, lake, dbn and model."""
