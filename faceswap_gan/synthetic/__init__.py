"""Procedural talking heads with exact ground truth: the embedded demo pair and the tests' people."""
