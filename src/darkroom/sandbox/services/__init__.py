"""One module a service: its routes, and how it says no."""
