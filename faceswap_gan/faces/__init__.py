"""One frame to aligned face crops: NumPy in, NumPy out."""
