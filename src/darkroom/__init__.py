"""Darkroom: a self-hosted media job server on one Postgres."""

__version__ = "0.1.0"
