"""Pure values and decisions: no input, output, clock, randomness or environment."""
