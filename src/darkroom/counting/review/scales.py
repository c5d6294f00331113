"""The scale of the computed confidence, fitted anew whenever a review is applied."""

from math import isclose

from sqlalchemy.orm import Session

from darkroom.counting.review import reading
from darkroom.counting.review.fitting import fitted_scale
from darkroom.counting.review.models import ConfidenceScale
from darkroom.db.statements import statement


def refit(session: Session) -> float:
    """Fit the scale to the containers reviewed so far, and keep it where it has changed."""
    session.flush()
    errors = [float(error) for error in session.scalars(statement("review/errors"))]
    scale = fitted_scale(errors)
    if not isclose(scale, reading.error_scale(session), rel_tol=1e-6):
        session.add(ConfidenceScale(error_scale=scale, containers=len(errors)))
    return scale
