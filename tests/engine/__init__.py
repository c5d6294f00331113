"""Steps and a worker process for the engine's tests."""
