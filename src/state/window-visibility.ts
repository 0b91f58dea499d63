import type { StoreShape } from '../model/store-definition';
import type { Cell, Scope } from './scope';
import { isWindowAssigner } from './windows';

/** Which windows of a store are seen: by the greatest start written and the retention. */
export class WindowVisibility {
  private readonly retention: number;
  /** Windows of one's own have no length that retention could be checked against: they are seen until they are removed. */
  private readonly hides: boolean;
  /** The greatest start written, kept with the offsets; a restart without it falls back on `floor`. */
  private readonly greatest: Cell<number>;
  /** The greatest start that was on disk when the store was loaded. */
  floor = -Infinity;

  constructor({ name, retention = 0, windows }: StoreShape, scope: Scope) {
    this.retention = retention;
    this.hides = !isWindowAssigner(windows!);
    this.greatest = scope.cell(name, 'greatestStart', -Infinity);
  }

  get invisibleUpTo(): number {
    const { value } = this.greatest;
    return (value > this.floor ? value : this.floor) - this.retention;
  }

  wrote(start: number): void {
    if (start > this.greatest.value) this.greatest.value = start;
  }

  shows(start: number): boolean {
    return !this.hides || start > this.invisibleUpTo;
  }

  isRemovable(start: number): boolean {
    return this.hides ? start < this.invisibleUpTo : start <= this.invisibleUpTo;
  }
}
