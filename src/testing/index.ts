export { memoryStore } from './memory-store';
export { outgoing, record } from './record';
export { testTopology, type TopologyTest, type TopologyTestOptions } from './topology/test-topology';
