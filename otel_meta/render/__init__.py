"""What follows from the catalogue: pure functions to text."""
