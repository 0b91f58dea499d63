'use strict';

exports.topology = () => undefined;
exports.options = { commitInterval: 5 };
