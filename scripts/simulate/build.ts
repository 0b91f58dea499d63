import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { copySources, type SourcePatch } from '../source-copy';
import { type AwaitSite, instrument } from './instrument';
import { standIns } from './stand-ins';

/** Sources that run as they are, in plain JavaScript, with every await in sight of the simulation. */
export interface Build {
  readonly folder: string;
  readonly sites: readonly AwaitSite[];
}

/** Where an await may be cut. */
const CUT = ['src/kafka/', 'src/task/', 'src/commit/', 'src/state/'];
const SITES = 'sites.json';

/** @throws when the text of a patch is not found exactly once */
export function build(patches: readonly SourcePatch[] = []): Build {
  const sites: AwaitSite[] = [];
  const folder = copySources({
    folders: ['src', 'operators', join('scripts', 'simulate')],
    cache: 'millrace-simulate',
    kept: 12,
    patches: [...standIns, ...patches],
    changed: (file, source) => (CUT.some((part) => file.startsWith(part)) ? instrument(file, source, sites) : source),
    beside: () => ({ file: SITES, content: JSON.stringify(sites) }),
  });
  return { folder, sites: JSON.parse(readFileSync(join(folder, SITES), 'utf8')) as AwaitSite[] };
}
