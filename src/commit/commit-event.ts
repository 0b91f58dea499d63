/** One committed transaction, by task. */
export interface Commit {
  readonly tasks: readonly { readonly partition: number; readonly records: number; readonly outputs: number }[];
}
