"""A worker process over the test steps and the one that delivers webhooks."""

import runpy

import jobs.signalling  # noqa: F401  (registers the step)

if __name__ == "__main__":
    runpy.run_module("tests.engine.worker", run_name="__main__", alter_sys=True)
