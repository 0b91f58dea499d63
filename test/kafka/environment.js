'use strict';

const { TestEnvironment } = require('jest-environment-node');

/** Without a broker (see global-setup.ts) every test is skipped, hooks included; the reporter lists them by name. */
module.exports = class KafkaEnvironment extends TestEnvironment {
  handleTestEvent(event, state) {
    if (event.name === 'run_start' && !process.env.KAFKA_BROKERS) state.rootDescribeBlock.mode = 'skip';
  }
};
