"""Processes that end early: the series of all processes of a run, and the wait at its end."""
