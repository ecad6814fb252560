"""Why does this label show that? Looking at the chain from a row to its labels (`explaining.explain`)."""
