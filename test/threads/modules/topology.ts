import { EMPTY } from 'rxjs';
import type { Topology } from '../../../src';

export const topology: Topology = () => EMPTY;
export const other: Topology = () => EMPTY;
export const number = 7;
export const options = { onProcessingError: () => 'skip' as const };
