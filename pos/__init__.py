"""simcounter: the counter that renews prepaid SIM and eSIM plans."""

__version__ = "0.1.0"
