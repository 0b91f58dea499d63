export { memoryStore } from './memory-store';
export { outgoing, record } from './record';
