import { WildgateDeadlineExceededError } from "./errors.js";
import { invalid } from "./limits.js";

const DAY_MS = 86_400_000;

/** The moment by which everything must be over: checks, connecting and all attempts; on a clock that nobody sets. */
export class Deadline {
  readonly #ends: number;

  /** Start the clock; zero or less is already over, so that a spent budget may be passed. */
  constructor(timeoutMs: number) {
    if (typeof timeoutMs !== "number" || Number.isNaN(timeoutMs)) {
      throw invalid(`timeoutMs must be a number of milliseconds, not ${JSON.stringify(timeoutMs)}`, "timeout");
    }
    this.#ends = performance.now() + Math.min(timeoutMs, DAY_MS);
  }

  /** Milliseconds left; not positive if there are none. */
  get left(): number {
    return this.#ends - performance.now();
  }

  /** Milliseconds left; throws WildgateDeadlineExceededError if there are none. */
  remaining(): number {
    const { left } = this;
    if (left > 0) return left;
    throw new WildgateDeadlineExceededError("the deadline passed before the request could be sent", { reason: "DEADLINE_EXCEEDED" });
  }
}
