import { MillraceError } from '../errors/millrace-error';
import type { BytesOperation, BytesRange, BytesSnapshot, OrderedBytes } from './port';

/** Ordered bytes that remember whether they were ever found corrupted: then the folder must not be opened again. */
export class GuardedBytes implements OrderedBytes {
  isCorrupted = false;

  constructor(private readonly bytes: OrderedBytes) {}

  get(key: Uint8Array): Uint8Array | undefined {
    try {
      return this.bytes.get(key);
    } catch (error) {
      throw this.noted(error);
    }
  }

  write(operations: readonly BytesOperation[]): Promise<void> {
    return this.bytes.write(operations).catch(this.rethrow);
  }

  snapshot(): BytesSnapshot {
    return this.bytes.snapshot();
  }

  read(range: BytesRange, limit: number, snapshot?: BytesSnapshot): Promise<readonly (readonly [Uint8Array, Uint8Array])[]> {
    return this.bytes.read(range, limit, snapshot).catch(this.rethrow);
  }

  clear(range: BytesRange): Promise<void> {
    return this.bytes.clear(range).catch(this.rethrow);
  }

  close(): Promise<void> {
    return this.bytes.close();
  }

  private readonly rethrow = (error: unknown): never => {
    throw this.noted(error);
  };

  private noted(error: unknown): Error {
    if (error instanceof MillraceError && error.code === 'STATE_CORRUPTED') this.isCorrupted = true;
    return error as Error;
  }
}
