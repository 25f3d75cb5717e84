"""Rows and their questions; the only place that knows SQLAlchemy."""
