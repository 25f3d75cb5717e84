"""Measured ratios of the sale path, on the machine at hand."""
