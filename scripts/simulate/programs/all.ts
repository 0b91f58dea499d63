import type { Program } from '../program';
import { join } from './join';
import { repartition } from './repartition';
import { scan } from './scan';
import { table } from './table';
import { timers } from './timers';
import { windows } from './windows';

export const programs: readonly Program[] = [windows, repartition, table, join, timers, scan];
