// The one place where the router reads the time. A test may move it (see workers/local); a deployed router cannot.

/** Milliseconds that the router's clock is ahead of the machine's. Zero unless a test moved it. */
let offsetMs = 0;

/** The router's time, in Unix milliseconds. */
export function now(): number {
  return Date.now() + offsetMs;
}

/** The machine's time at which the router's clock will show `time`: what an alarm must be set to. */
export function machineTime(time: number): number {
  return time - offsetMs;
}

/** Moves the clock to `offset` milliseconds ahead of the machine's. Only workers/local calls this. */
export function setClockOffset(offset: number): void {
  offsetMs = offset;
}

export function clockOffset(): number {
  return offsetMs;
}

const movable = new Set<string>();

/** Objects name themselves here when they start, so that a moved clock can wake them. Kept only when it is movable. */
export function followClock(objectName: string): void {
  movable.add(objectName);
}

export function clockFollowers(): readonly string[] {
  return [...movable];
}
