"""The options of the programs and of the stream. Imports vp.errors and vp.market."""
