"""Bulk changes: what a file of rows means, what it would change, and how a change is taken back. All pure."""
