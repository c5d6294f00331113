"""Variants of a photo: shoot, pocket, review, unlock.

    shooting ──▶ analyse ──▶ generate (one a slot, paced) ──▶ archives ──▶ unlocking

A person's workflow says which slots a batch has; each slot becomes one generation, a variant with a
temperature and a seed of its own. What is shown before it is paid for is a reduced, marked preview.
"""
