"""Commands of the `darkroom` command line: one group of them a module."""
