"""Fit a model to one pair of people."""
