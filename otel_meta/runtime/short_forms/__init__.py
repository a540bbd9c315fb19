"""Short forms of declarations, for services that declare no meta-repository."""
