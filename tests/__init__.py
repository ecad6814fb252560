"""The tests of electis."""
