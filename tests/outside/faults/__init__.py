"""Devices with the faults F1 to F48, on real sockets and in packets written by hand."""
