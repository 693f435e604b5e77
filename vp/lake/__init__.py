"""Where files lie on disk and which sessions they make. May import market."""
