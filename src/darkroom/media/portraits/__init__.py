"""Portraits that speak: a picture of a face and a recording become a video."""
