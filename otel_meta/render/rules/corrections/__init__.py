"""The rules of SLOs with corrections: what is excluded, and what is left."""
