"""Book, engine, frames, and the pipeline from a session's file to its frames. May import market, lake and dbn."""
