"""How the media services stand: what each one would do now, on what, and what holds it back.

The web process loads no model and asks no device: what it tells of them are the rows that the
worker processes write (`darkroom.gated.seats`).
"""
