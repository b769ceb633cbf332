/** What a client counts and, for degraded decisions, logs. */

import type { DegradedReason } from "./errors.js";
import type { Action } from "./words.js";

const LOG_INTERVAL_MS = 60_000;

/** Counters of one client since it was made. */
export interface Stats {
  /** Calls of methods that ask the service. */
  readonly calls: number;
  /** Listings that the service decided. */
  readonly decisions: number;
  /** Listings that the client decided itself, by reason; they count in no other place. */
  readonly degraded: Readonly<Record<string, number>>;
  /** Failures, thrown or standing in a batch, by `WildgateError.reason`. */
  readonly errors: Readonly<Record<string, number>>;
}

/** Where warnings go; `console` is one. */
export interface Logger {
  warn(message: string): void;
}

/** The counters behind `Stats`. */
export class Counters {
  #calls = 0;
  #decisions = 0;
  readonly #degraded: Record<string, number> = {};
  readonly #errors: Record<string, number> = {};

  call(): void {
    this.#calls += 1;
  }

  decision(): void {
    this.#decisions += 1;
  }

  degraded(reason: DegradedReason): void {
    add(this.#degraded, reason);
  }

  error(reason: string): void {
    add(this.#errors, reason);
  }

  /** All counters at one moment. */
  snapshot(): Stats {
    return { calls: this.#calls, decisions: this.#decisions, degraded: { ...this.#degraded }, errors: { ...this.#errors } };
  }
}

/** Warns at once, then at most once a minute with a count; never holds any text of a listing. */
export class DegradedLog {
  readonly #logger: Logger;
  readonly #clock: () => number;
  #unsaid = 0;
  #next = Number.NEGATIVE_INFINITY;

  /** Keep the logger, and the clock in milliseconds. */
  constructor(logger: Logger, clock: () => number = () => performance.now()) {
    this.#logger = logger;
    this.#clock = clock;
  }

  /** Note one degraded decision. */
  add(reason: DegradedReason, action: Action): void {
    this.#unsaid += 1;
    const now = this.#clock();
    if (now < this.#next) return;
    this.#next = now + LOG_INTERVAL_MS;
    const count = this.#unsaid;
    this.#unsaid = 0;
    this.#logger.warn(`wildgate.degraded reason=${reason} action=${action} count=${count}: the service gave no decision`);
  }
}

function add(counts: Record<string, number>, key: string): void {
  counts[key] = (counts[key] ?? 0) + 1;
}
