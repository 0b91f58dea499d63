/** Aborted at the first Ctrl-C or SIGTERM; later ones change nothing, so that what is under way is closed and removed. */
export function interrupted(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => controller.abort());
  return controller.signal;
}
