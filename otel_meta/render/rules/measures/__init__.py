"""Declared measures in PromQL, the recorded layers below the measures, and their rules."""
