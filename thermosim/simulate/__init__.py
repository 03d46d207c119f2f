"""Runs: the loops that drive particles, samplers and noising chains, and what they return."""
