"""Many sessions recorded or studied: the plan, what of it is done, and the engines that run the rest.

It may import settings, market, lake, dbn, model, study and objects.
"""
