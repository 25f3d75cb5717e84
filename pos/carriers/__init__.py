"""One file per protocol, each fits ``ports.Carrier``; the wire below them tells "never sent" from "unknown"."""
