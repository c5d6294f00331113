"""The engine under fire: real workers, a real database, and faults in all of them.

Each scenario starts runs whose steps tell a server outside of themselves (`outside`), does harm
while they go on (`trial`), and at the end asks the database and that server whether anything was
lost or done twice (`books`). `CHAOS_RUNS` says how many runs a scenario has at least, `CHAOS_SEED`
repeats the choices of an earlier one; `make chaos` takes hundreds.
"""
