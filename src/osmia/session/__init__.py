"""One sitting of ``osmia run``: a collection in a world, its acts and packets, and what came of them."""

from osmia.session.sitting import DEFAULT_ACTS, Options, Session, Tally

__all__ = ["DEFAULT_ACTS", "Options", "Session", "Tally"]
