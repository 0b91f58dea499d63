'use strict';

const { TestEnvironment } = require('jest-environment-node');

function skipAll(block) {
  block.mode = 'skip';
  for (const child of block.children) {
    if (child.type === 'describeBlock') skipAll(child);
    else child.mode = 'skip';
  }
}

/** Without a broker (see global-setup.ts) every test is skipped, hooks included; the reporter lists them by name. */
module.exports = class KafkaEnvironment extends TestEnvironment {
  handleTestEvent(event, state) {
    if (event.name === 'run_start' && !process.env.KAFKA_BROKERS) skipAll(state.rootDescribeBlock);
  }
};
