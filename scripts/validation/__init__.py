"""How well counting counts, on scenes whose truth is known."""
