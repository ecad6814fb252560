"""Benchmarks: ratios against a bare floor measured in the same run; `python -m bench [NAME...]`."""
