import { countWithStore, int64, keyValueStore, string, to, topic, type Topology } from '../../../src';

export const clicks = topic('clicks', { key: string, value: string });
const counts = keyValueStore('counts', { key: string, value: int64 });
export const results = topic('results', counts.output);

export const topology: Topology = ({ stream, store }) => stream(clicks).pipe(countWithStore(store(counts)), to(results));
