"""Service level objectives: indicators, objectives, error budgets and burn windows."""
