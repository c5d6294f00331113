"""How far the computed standard error was off, fitted from containers that people counted.

Of the true errors, in computed standard errors, 80 % should lie within `EIGHTY`: the scale is the
factor that makes it so. A quantile is robust: a container miscounted by a person moves it no
further than to the next one. With few containers the scale is drawn towards 1, in logarithms, so
that too wide and too narrow count alike.
"""

from collections.abc import Sequence
from math import exp, log

import numpy as np

from darkroom.counting.confidence import EIGHTY

SHARE = 0.8
PRIOR = 20
"""Containers that the assumption of a scale of 1 weighs as much as."""
LEAST, MOST = 0.25, 4.0


def fitted_scale(errors: Sequence[float]) -> float:
    """The factor on the standard error that reviewed containers show to be right.

    Parameters
    ----------
    errors
        True count minus unbiased count, in standard errors computed without a scale, one a
        container.
    """
    if not len(errors):
        return 1.0
    sizes = np.abs(np.asarray(errors, float))
    alone = float(np.clip(np.quantile(sizes, SHARE) / EIGHTY, LEAST, MOST))
    return exp(log(alone) * len(sizes) / (len(sizes) + PRIOR))
