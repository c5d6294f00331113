"""Publishing: the picture is there at once, WordPress catches up behind.

    requesting ──▶ generating ──▶ (the answer) ──▶ sending ──▶ copying ──▶ attaching ──▶ status

A request is known by what it says: the same again is the same publication and buys nothing. Each
picture's row says how far it has come, so that any step can be killed and done again.
"""
