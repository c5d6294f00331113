"""Users, their passwords, one-time sign-in links and API tokens."""
