package millrace.bench;

/** An input value, as Jackson sees it. */
record Click(long id, String user, String page, String referrer, String kind, long at, double amount) { }
