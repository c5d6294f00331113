"""Stock: batches of plants at locations, and the movements that explain every number."""
