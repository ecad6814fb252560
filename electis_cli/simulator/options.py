"""Settings from the command line: any of them by name, for the open points of contract 9.8."""

from dataclasses import fields, replace
from typing import Any, get_type_hints

from electis_cli.simulator.settings import Settings
from electis_cli.simulator.stored_form import FORMS

WORDS: dict[str, tuple[str, ...]] = {
    "over_limit": ("refuse", "truncate", "accept"),
    "over_page": ("lower", "refuse"),
    "list_mode": ("whole", "parts-405", "parts-200"),
    "unknown_keys": ("keep", "drop", "reject"),
    "stored_form": tuple(FORMS),
    "unknown_delete": ("accept", "refuse"),
    "unknown_path": ("html", "404"),
    "retry_after": ("seconds", "date", "none", "garbage"),
    "dither_answer": ("message", "object", "missing"),
}
"""Settings that know a few words only."""
SIMPLE = (bool, int, float, str)


def names() -> list[str]:
    """The settings `--set` knows."""
    hints = get_type_hints(Settings)
    secret = ("username", "password")
    return [one.name for one in fields(Settings) if hints[one.name] in SIMPLE and one.name not in secret]


def with_words(settings: Settings, words: list[str]) -> Settings:
    """The settings with `name=value` words laid over them; raises ValueError for what is no setting."""
    hints = get_type_hints(Settings)
    for word in words:
        name, mark, text = word.partition("=")
        if not mark or name not in names():
            raise ValueError(f"{word!r} is not name=value with a name of {', '.join(names())}")
        settings = replace(settings, **{name: _read(hints[name], name, text)})
    return settings


def _read(kind: Any, name: str, text: str) -> Any:
    if name in WORDS and text not in WORDS[name]:
        raise ValueError(f"{name} is one of {', '.join(WORDS[name])}, not {text!r}")
    if kind is bool:
        if text.lower() not in ("yes", "no", "true", "false"):
            raise ValueError(f"{name} is yes or no, not {text!r}")
        return text.lower() in ("yes", "true")
    try:
        return kind(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is no value for {name}") from error
