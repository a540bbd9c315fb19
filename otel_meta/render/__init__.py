"""Generators: pure functions from a catalogue to the text of files."""
