"""Environment variables: a table of all variables, and the rules by which values are read."""
