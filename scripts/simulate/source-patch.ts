/** A change of one source, for one run: its text must be found exactly once. */
export interface SourcePatch {
  /** Path from the root of the project. */
  readonly file: string;
  readonly text: string;
  readonly becomes: string;
}
