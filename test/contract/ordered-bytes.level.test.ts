import { openLevelBytes } from '../../src/level/level-bytes';
import { systemClock } from '../../src/time/system-clock';
import { removeTemporaryDirectories, temporaryDirectory } from '../state/temporary-directory';
import { orderedBytesContract } from './ordered-bytes';

afterAll(removeTemporaryDirectories);

orderedBytesContract('LevelDB', async () => openLevelBytes(await temporaryDirectory(), { clock: systemClock }));
