"""``python -m electis_cli`` is the same as ``electis``."""

from electis_cli.commands.main import main

if __name__ == "__main__":
    main()
