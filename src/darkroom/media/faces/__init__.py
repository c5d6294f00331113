"""Faces: one of a picture put in place of one in another."""
