//! A server on port 0, a clock to turn by hand, fixtures.
