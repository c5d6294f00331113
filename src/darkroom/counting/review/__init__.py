"""Review: what people correct on a count, and what is learned from it."""
