"""Checks of rule files against a catalogue."""
