"""Networks and losses: Keras only."""
