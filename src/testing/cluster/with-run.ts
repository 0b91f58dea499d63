const told = new WeakSet<Error>();

/** The same error, for its code and whatever a test runner keeps in it; its message says, once, how to see the run again. */
export function withRun(cause: unknown, { seed, timeline }: { readonly seed: number; readonly timeline: string }): unknown {
  if (!(cause instanceof Error) || told.has(cause)) return cause;
  told.add(cause);
  const { message, stack } = cause;
  const whole = `${message}\n\nSeed ${seed}: \`seed: ${seed}\` gives the same run again.\n${timeline}`;
  cause.message = whole;
  if (stack !== undefined) cause.stack = stack.includes(message) ? stack.replace(message, () => whole) : `${whole}\n${stack}`;
  return cause;
}
