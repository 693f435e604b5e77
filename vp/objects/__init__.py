"""Objects in a store that speaks S3: the file system, what of it is kept on this machine, and uploads.

It may import no other room.
"""
