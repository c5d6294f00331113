"""Gates: what a step asks before it calls the outside, kept as rows that all processes share.

A step wraps its call in `calling` (`call`). One question, asked in one round trip, is answered by
all gates at once, and what they give is taken together or not at all:

* the **breaker** of the provider's operation: closed ──5 failures──▶ open ──time-out──▶ half_open
  (one probe, leased) ──success──▶ closed, ──failure──▶ open, for longer;
* the **budget** of the day, the provider's and the owner's: estimates of calls in flight count;
* the **capacity**: calls in flight to a provider, in all and for one owner;
* the **pace**: one call at a time, and some time from the end of one to the start of the next.

What a call holds is its permit, and that is tied to the attempt: when the attempt is closed,
however that came, it holds nothing. A gate that is closed puts the step back (`NotNow`) without
burning an attempt. Before a breaker, a capacity and a pace its job keeps a place in line, by
priority and with the owners in turn; the end of a call calls the next one, and `pace.pull` (every
half second) finds whom that missed.

Money is put on record at once when the provider has answered, so that it is known even if the step
is lost then, and once for a call. Of a call whose end nobody heard, the estimate is put on record;
should it report after all, that is taken back.

Request limits of the web (`limit`) are rows as well, but nobody waits for them.
"""
