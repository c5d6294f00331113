"""Where plants stand and what they are: locations, products, and what is expected where."""
