"""The programs by name; they may import everything else of vp, and nothing imports them."""
