"""A carrier simulator and a virtual printer that share no code with the product."""
