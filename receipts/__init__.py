"""Documents go in, bytes come out; this package knows nothing of the shop."""
