"""Bulk changes: files that are imported, plans that are applied, changes that are taken back, arrangements restored.

All of them stage changes on a `workbench` and hand them to `carrying_out`; what differs is where changes come from.
"""
