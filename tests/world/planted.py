"""What is planted in the tests' worlds: names and secrets so distinctive that finding one in a log is a leak.

The guard (`leaks.py`) searches everything the suite logs for them. A test that needs a person or a password takes one
from here; one it makes up itself is planted with `WATCH.plant`.
"""

from __future__ import annotations

PASSWORD = "correct horse 9"
NEW_PASSWORD = "another horse 11"
OTHER_PASSWORD = "staple battery 8"
AIMS_PASSWORD = "planted-aims-password"
PROXY_PASSWORD = "planted-proxy-password"
MAIL_PASSWORD = "planted-mail-password"

PERSON = "Dana Planted-Levi"
HEBREW_PERSON = "דנה הנטועה"

NAMES = ("Dana", "Levi", "Noa", "Cohen", "Planted", "דנה", "הנטועה", "נועה")
"""The words that people's names are made of in tests; found as whole words."""

SECRETS = {
    "user's password": (PASSWORD, NEW_PASSWORD, OTHER_PASSWORD, "better battery 10", "wrong horse 9"),
    "AIMS password": (AIMS_PASSWORD,),
    "proxy password": (PROXY_PASSWORD,),
    "mail password": (MAIL_PASSWORD,),
}
"""Kinds of secrets, with those that tests use."""
