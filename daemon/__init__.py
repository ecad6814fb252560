"""The companion daemon: loops and their supervisor; no rules, no SQL, no HTTP."""
