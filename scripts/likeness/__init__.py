"""Labelled pairs of pictures: the same subject edited, and other subjects."""
