"""The generated market of the demonstration session. May import kernels."""
