-- Call the next in line before paces and other gates, where no end of a call did.
SELECT darkroom_pull_paces_v1()
