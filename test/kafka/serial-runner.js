'use strict';

const TestRunner = require('jest-runner').default;

/** Runs the broker's tests one file after the other, in this process: they share one broker and two cores. */
module.exports = class SerialRunner extends TestRunner {
  isSerial = true;
};
