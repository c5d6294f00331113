"""Pictures made of words, each bought once; and words made better."""
