"""Devices that are easily disturbed, and the masters who would notice. See cases/zoo.py."""
