"""`python -m electis_cli.simulator`: start the simulated AIMS cloud in this process."""

import sys

from electis_cli.simulator.cli import run

if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
