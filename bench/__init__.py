"""Benchmarks: what a hot path reaches, as a ratio to the least SQL it needs, in the same run."""
