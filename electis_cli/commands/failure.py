"""How an error is shown: what, why and the command that fixes it; one JSON object in machine formats."""

from __future__ import annotations

import json
import sys

from electis_cli.commands.exit_codes import exit_code_of
from electis_cli.domain.errors import ElectisError, InvalidInput

MACHINE_FORMATS = {"json", "jsonl"}
_MOST_PROBLEMS = 20


def show_failure(error: ElectisError, *, output: str) -> int:
    """Write an error to standard error and return its exit code."""
    exit_code = exit_code_of(error)
    problems = error.problems if isinstance(error, InvalidInput) else ()
    if output in MACHINE_FORMATS:
        body = {
            "code": error.code,
            "message": error.message,
            "why": error.why,
            "fix": error.fix,
            "exit_code": exit_code,
            "retryable": error.retryable,
        }
        if problems:
            body["source"] = error.details.get("source")
            body["problems"] = [
                {
                    "code": item.code,
                    "message": item.message,
                    "line": item.line,
                    "column": item.column,
                    "field": item.field,
                    "hint": item.hint,
                    "where": item.where,
                }
                for item in problems
            ]
        print(json.dumps({"error": body}, ensure_ascii=False), file=sys.stderr)
        return exit_code
    print(f"error[{error.code}] {error.message}", file=sys.stderr)
    if error.why:
        print(f"  {error.why}", file=sys.stderr)
    source = str(error.details.get("source", ""))
    for item in problems[:_MOST_PROBLEMS]:
        place = item.where or ":".join(
            str(part) for part in (source, item.line, item.column) if part not in (None, "")
        )
        print(f"  {place + ': ' if place else ''}{item.message}", file=sys.stderr)
        if item.hint:
            print(f"    {item.hint}", file=sys.stderr)
    if len(problems) > _MOST_PROBLEMS:
        print(f"  ... and {len(problems) - _MOST_PROBLEMS} more", file=sys.stderr)
    if error.fix:
        print(f"fix: {error.fix}", file=sys.stderr)
    return exit_code
