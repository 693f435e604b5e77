"""Vacuum Pressure: where liquidity is built and where it is drained around the price."""

from __future__ import annotations

__version__ = "0.1.0"
