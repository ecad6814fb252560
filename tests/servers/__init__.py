"""Real servers for tests, from binaries that come as Python packages: no system package, no container."""
