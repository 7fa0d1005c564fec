"""How good a swap is: pure functions on pictures and points."""
