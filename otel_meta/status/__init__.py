"""The status of an SLO, of a process or of the whole fleet, and the forms in which it is shown."""
