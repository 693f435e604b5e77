"""The options of the programs and of the stream. Imports nothing but vp.errors."""
