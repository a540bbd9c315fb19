"""Which labels a PromQL expression's series have, worked out without running it."""
