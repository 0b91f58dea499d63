'use strict';

const SKIPPED = new Set(['pending', 'skipped', 'disabled', 'todo']);

/**
 * Lists by name what did not run. Under MILLRACE_REQUIRE_KAFKA=1, CI's setting, a skipped test of any kind fails the run.
 * A run restricted by `-t` skips what was not asked for: nothing to list.
 */
module.exports = class SkippedReporter {
  #restricted;
  #skipped = 0;

  constructor(globalConfig) {
    this.#restricted = Boolean(globalConfig.testNamePattern);
  }

  onRunComplete(_contexts, results) {
    if (this.#restricted) return;
    const lines = results.testResults.flatMap((file) =>
      file.testResults
        .filter((test) => SKIPPED.has(test.status))
        .map((test) => `${file.displayName?.name === 'kafka' ? 'skipped, needs Kafka' : 'skipped'}: ${test.fullName}`),
    );
    this.#skipped = lines.length;
    if (lines.length === 0) return;
    const why = process.env.MILLRACE_NO_KAFKA_BECAUSE;
    process.stderr.write(`\n${lines.join('\n')}\n${why ? `No broker: ${why}\n` : ''}`);
    const error = this.getLastError();
    if (error !== undefined) process.stderr.write(`${error.message}\n`);
  }

  getLastError() {
    if (this.#skipped === 0 || process.env.MILLRACE_REQUIRE_KAFKA !== '1') return undefined;
    return new Error(`${this.#skipped} tests were skipped, and MILLRACE_REQUIRE_KAFKA=1 allows none.`);
  }
};
