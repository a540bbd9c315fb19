"""The page of SLOs in HTML: pure functions of statuses, with the standard library alone."""
