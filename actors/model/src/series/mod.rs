//! Series: the join of the newest tally of each source for one (metric, key). What queries see; no fold decision reads one.
