"""Drawn nursery photos with known truth: plants, soil, containers, clutter, light."""
