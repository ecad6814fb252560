"""The Typer tree: parse, call one service, render."""
