import { OrderedMemory } from '../../src/state/ordered-memory';
import { orderedBytesContract } from './ordered-bytes';

orderedBytesContract('memory', async () => new OrderedMemory());
