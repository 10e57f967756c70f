/** Rounds up to a whole number of replicas, never below 0, forgiving the noise of floating point. */
export const whole = (value: number): number => Math.max(0, Math.ceil(value - 1e-9));
