'use strict';

module.exports = function assigned() {};
