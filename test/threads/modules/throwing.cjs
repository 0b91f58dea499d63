'use strict';

throw new RangeError('no such thing as a free lunch');
