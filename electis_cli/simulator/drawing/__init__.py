"""Labels as pictures (SVG), and the web page that shows all of them live."""

from electis_cli.simulator.drawing.label_picture import draw

__all__ = ["draw"]
