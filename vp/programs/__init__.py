"""The programs, one module each, and what their command lines share. May import everything."""
