export { assertRecords } from './diagrams/assert-records';
export { diagram, records, type TimedMarble, type TimedMarbleOptions } from './diagrams/event-time';
export { marbleAssert } from './diagrams/marble-assert';
export { memoryStore } from './memory-store';
export { outgoing, record } from './record';
export { testTopology, type TopologyTest, type TopologyTestOptions } from './topology/test-topology';
