import { createHash } from 'node:crypto';
import type { Layout } from './layout';

/**
 * The same for every instance whose changelogs are the same: names and kinds of the stores, and their changelogs. Positions are sums over all
 * of them, so that they mean the same only under one fingerprint. What is in the records does not matter, codecs do not count.
 */
export function planFingerprint({ stores, changelogOf }: Pick<Layout, 'stores' | 'changelogOf'>): string {
  const described = stores.map(({ name, kind }) => JSON.stringify([name, kind, changelogOf(name)])).sort();
  return createHash('sha256').update(described.join('\n')).digest('base64url').slice(0, 16);
}
