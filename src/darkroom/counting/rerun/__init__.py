"""Counting the same photos again, with other weights or settings, and looking at both counts."""
