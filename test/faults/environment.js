'use strict';

const { TestEnvironment } = require('jest-environment-node');

function skipAll(block) {
  block.mode = 'skip';
  for (const child of block.children) {
    if (child.type === 'describeBlock') skipAll(child);
    else child.mode = 'skip';
  }
}

/** Sessions and brokers have to time out, some twice, on a machine that does everything else at the same time. */
const TIMEOUT_MS = 240_000;

/** Hands the cluster of global-setup.ts to the tests: the runner is serial, so that all of them are in its process. */
module.exports = class FaultsEnvironment extends TestEnvironment {
  async setup() {
    await super.setup();
    this.global.millraceFaultsCluster = globalThis.millraceFaultsCluster;
  }

  handleTestEvent(event, state) {
    if (event.name === 'setup') state.testTimeout = TIMEOUT_MS;
    if (event.name === 'run_start' && globalThis.millraceFaultsCluster?.running === undefined) skipAll(state.rootDescribeBlock);
  }
};
