/** A length of time in milliseconds. */
export type Duration = number;

/** `n` seconds in milliseconds. */
export const seconds = (n: number): Duration => n * 1000;

/** `n` minutes in milliseconds. */
export const minutes = (n: number): Duration => n * 60_000;

/** `n` hours in milliseconds. */
export const hours = (n: number): Duration => n * 3_600_000;

/** `n` days of 24 hours in milliseconds; calendar days are windows of their own. */
export const days = (n: number): Duration => n * 86_400_000;
