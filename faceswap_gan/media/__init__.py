"""Bytes to arrays and back: videos and pictures."""
