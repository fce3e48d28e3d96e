// The frames that the router sends to a host, apart from answers to the host's calls. Each wire (wires/) implements HostWire in the
// frames of its protocol and hands it to its hosts, so that runs/ sends without knowing any protocol.

import type { StepKind } from "../storage/rows.ts";

export interface HostWire {
  /** The frame that offers a run. Its length counts towards the offers of a turn. */
  offer(offer: RunOffer): string;
  /** The frame with the answer of a step that a run waits for. */
  result(result: StepResult): string;
  /** A frame that the host acknowledges and otherwise ignores. `number` is unique in the environment. */
  probe(number: number): string;
}

/** Facts that the host's client shows to a run or gives to its code. */
export interface RunScope {
  /** Slugs. */
  readonly environment: string;
  readonly workflow: string;
  readonly organizationId: string;
  /** Text of the key that the host connected with. */
  readonly apiKey: string;
}

export interface RunOffer {
  readonly run: number;
  readonly attempt: number;
  /** The run's id as people see it. */
  readonly runId: string;
  /** JSON of the event. */
  readonly payload: string;
  readonly context: string | null;
  readonly isTest: boolean;
  /** Origin of the URL that the host connected to. */
  readonly origin: string;
  readonly scope: RunScope;
}

export interface StepResult {
  /** Unique in the environment. */
  readonly number: number;
  readonly runId: string;
  readonly kind: StepKind;
  readonly key: string;
  readonly failed: boolean;
  /** JSON of the output or the error; null for none. */
  readonly result: string | null;
  readonly scope: RunScope;
}
