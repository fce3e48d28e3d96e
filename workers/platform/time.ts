// Clock, timers and random source of an object. Its modules get them from outside, so that a simulation can replace them.
import { machineTime, now } from "../../shared/kernel/clock.ts";

export interface Clock {
  /** The router's time, in Unix milliseconds. A test may move it. */
  readonly now: () => number;
  /** The machine's time, in Unix milliseconds. Measures how long work takes. */
  readonly machineNow: () => number;
  /** The machine's time at which the router's clock will show `time`. An alarm is set to it. */
  readonly machineTime: (time: number) => number;
}

export type TimerHandle = ReturnType<typeof setTimeout>;

export interface Timers {
  /** Calls `work` once, after `ms` milliseconds. Lost when the object leaves memory. */
  readonly after: (ms: number, work: () => void) => TimerHandle;
  readonly clear: (timer: TimerHandle) => void;
}

/** A number from 0 up to, but not including, 1. */
export type Random = () => number;

export interface Time {
  readonly clock: Clock;
  readonly timers: Timers;
}

export const systemTime: Time = {
  clock: { now, machineNow: () => Date.now(), machineTime },
  timers: {
    after: (ms, work) => setTimeout(work, ms),
    clear: (timer) => clearTimeout(timer),
  },
};
