"""The reference and the runbooks: the generated part of the folder ``docs/``."""
