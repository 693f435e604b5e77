"""The buckets that prices lie in."""

from __future__ import annotations

from .jit import step


@step
def bucket_of(price: int, bucket_size: int) -> int:
    """floor(price / B + 1/2), exact for every price."""
    return price // bucket_size + (2 * (price % bucket_size) >= bucket_size)
