import type { AppState } from '../commit/app-state';

/** From good to bad. What is final comes of the group, not of a thread. */
const ORDER: readonly AppState[] = ['running', 'created', 'rebalancing', 'degraded'];

/** The state of several threads: the worst of theirs. 'degraded' is one that has died, too, until another has taken its place. */
export function worstOf(states: readonly AppState[]): AppState {
  return states.reduce<AppState>((worst, state) => (ORDER.indexOf(state) > ORDER.indexOf(worst) ? state : worst), 'running');
}
