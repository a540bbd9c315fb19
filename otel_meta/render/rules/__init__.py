"""Recording and alerting rules: the folder ``rules/``."""
