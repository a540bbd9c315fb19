"""Why an error budget burns: the parts of a service with the most excess bad events."""
