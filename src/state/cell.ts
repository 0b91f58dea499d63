/** A small durable value of a store: committed with the offsets, dropped with an undone push. Assign `value`; strings are latin1 bytes. */
export interface Cell<T extends number | string> {
  value: T;
}
