package millrace.bench;

/** A click with what its user's row adds. */
record Enriched(long id, String kind, String page, String user, String name, String country, String tier) { }
