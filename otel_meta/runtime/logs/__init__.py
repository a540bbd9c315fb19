"""Log lines: what each one goes through, and where it leaves."""
