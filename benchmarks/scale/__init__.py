"""How much a fleet costs: its series, their bytes, and the rules over them."""
