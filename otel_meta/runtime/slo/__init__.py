"""SLO status in this process: event counts, their history, burn rates and error budgets."""
