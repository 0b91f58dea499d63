export { aggregateWithStore } from './aggregate-with-store';
export { branch } from './branch';
export { cogroupWithStore, type Cogrouping } from './cogroup-with-store';
export { countWithStore } from './count-with-store';
export { filterValues } from './filter-values';
export { grouped } from './grouped';
export { mapValues } from './map-values';
export { mapWithStore, type StepWithState } from './map-with-store';
export { reduceWithStore } from './reduce-with-store';
export { selectKey } from './select-key';
export { sessionize } from './sessionize';
export { to } from './to';
export { windowBy } from './window-by';
export { windowHopping } from './window-hopping';
export { windowTumbling } from './window-tumbling';

export type { Aggregation, Emit, LateRecord, Merging, Reduction, Retraction, State, Windowing } from './fold/options';
export type { Grouped, GroupedInWindows } from './fold/grouping';
export type { AnyRecord, Project } from './operator';
