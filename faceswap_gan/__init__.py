"""Face-swap trainer for one pair of people: two videos in, one swapped video out."""

__version__ = "0.1.0"
