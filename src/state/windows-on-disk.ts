import type { OrderedBytes } from './port';
import type { StoreLayout } from './store-layout';

/** Tells the starts of the windows that have something on disk, ascending: one read each. */
export async function findWindows(bytes: OrderedBytes, layout: StoreLayout, found: (start: number) => void): Promise<void> {
  const range = { from: layout.first, to: layout.last };
  for (;;) {
    const [first] = await bytes.read(range, 1);
    if (first === undefined) return;
    const start = layout.startOf(first[0]);
    found(start);
    range.from = layout.windowBound(start + 1);
  }
}

export async function isOnDisk(bytes: OrderedBytes, layout: StoreLayout, start: number): Promise<boolean> {
  const found = await bytes.read({ from: layout.windowBound(start), to: layout.windowBound(start + 1) }, 1);
  return found.length > 0;
}
