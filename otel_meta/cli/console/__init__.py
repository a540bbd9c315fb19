"""What commands print: standard streams, lines about errors, tables, help and progress."""
