/** Bytes of memory the entries of one task may take; dirty ones count, but only clean ones can be let go. */
export class CacheBudget {
  used = 0;

  constructor(readonly limit: number) {}

  get isExceeded(): boolean {
    return this.used > this.limit;
  }
}
