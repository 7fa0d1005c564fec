"""Paint a swap into a frame."""
