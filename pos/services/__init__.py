"""Verbs of the counter; one transaction per step."""
