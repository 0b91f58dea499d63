'use strict';

const { TestEnvironment } = require('jest-environment-node');

function skipAll(block) {
  block.mode = 'skip';
  for (const child of block.children) {
    if (child.type === 'describeBlock') skipAll(child);
    else child.mode = 'skip';
  }
}

const TIMEOUT_MS = 120_000;

/** Without a broker (see global-setup.ts) every test is skipped, hooks included; the reporter lists them by name. */
module.exports = class KafkaEnvironment extends TestEnvironment {
  handleTestEvent(event, state) {
    // Jest reads `testTimeout` from the command line and the root only, never from a project. A file's own jest.setTimeout still wins.
    if (event.name === 'setup') state.testTimeout = TIMEOUT_MS;
    if (event.name === 'run_start' && !process.env.KAFKA_BROKERS) skipAll(state.rootDescribeBlock);
  }
};
