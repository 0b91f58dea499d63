/** The place an error speaks of; only what is known is set. */
export interface Where {
  readonly topic?: string;
  readonly partition?: number;
  readonly offset?: number;
  readonly operator?: string;
  readonly store?: string;
  readonly option?: string;
  /** Path inside a decoded value, such as `user.id`. */
  readonly path?: string;
  readonly broker?: string;
}
