import type { Program } from '../program';
import { deduplicated } from './deduplicated';
import { global } from './global';
import { hopping } from './hopping';
import { join } from './join';
import { lateCopy } from './late-copy';
import { lookup } from './lookup';
import { redeploy } from './redeploy';
import { repartition } from './repartition';
import { retention } from './retention';
import { scan } from './scan';
import { table } from './table';
import { timers } from './timers';
import { watermarks } from './watermarks';
import { windows } from './windows';

export const programs: readonly Program[] = [
  windows,
  repartition,
  table,
  join,
  timers,
  scan,
  global,
  lookup,
  retention,
  watermarks,
  deduplicated,
  redeploy,
  lateCopy,
  hopping,
];
