"""What score, state and other columns of frames foretell about the mid, measured with intervals and controls.

May import kernels, market, lake, dbn, demo, model and settings.
"""
