"""Pure values and rules of the counter; no framework, no input or output."""
