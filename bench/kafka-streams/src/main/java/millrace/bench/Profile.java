package millrace.bench;

/** A row of the table, as Jackson sees it. */
record Profile(String user, String name, String country, String tier, long since) { }
