"""Small doors to the outside: keyring, mail, Redis, clock, cryptography."""
