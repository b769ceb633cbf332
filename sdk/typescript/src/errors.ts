/**
 * What can go wrong, as a tree; the same as in the Python client.
 *
 *     WildgateError
 *     ├── WildgateUnavailableError          nothing answered: retryable, covered by onUnavailable
 *     │   ├── WildgateDeadlineExceededError   not within the deadline
 *     │   └── WildgateOverloadedError         the service is over its capacity, and refused or dropped the call
 *     │       └── WildgateLimitExceededError    the tenant is over its rate or its quota of the day
 *     ├── WildgateInvalidRequestError       a field is too long, missing or malformed
 *     ├── WildgateAuthenticationError       no API key, or one that is unknown, expired or revoked
 *     ├── WildgatePermissionError           the API key lacks a scope
 *     ├── WildgateNotFoundError             the decision is not known to this tenant
 *     ├── WildgateConflictError             the same requestId came with another listing
 *     ├── WildgateUnimplementedError        the service is older than this client, or another service
 *     ├── WildgateInternalError             a defect of the service, or an answer that makes no sense
 *     ├── WildgateConfigurationError        the client was set up wrongly
 *     └── WildgateUsageError                the client is closed
 *
 * Only the first branch may be answered by `onUnavailable`; the others are always thrown, so that a bad key or a bad
 * request is never taken for an outage. No error carries listing text.
 */

/** Why a listing was decided without the service, as in `Decision.degradedReasons`. */
export type DegradedReason = "unavailable" | "deadline_exceeded" | "resource_exhausted" | "limit_exceeded";

/** What an error says to machines. */
export interface ErrorFacts {
  /** A name of `wildgate.v1.ErrorReason`, or else of the gRPC status. Stable. */
  readonly reason?: string;
  /** field, limit, actual, scope, incident, … */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Milliseconds to wait before trying again, if the service said so. */
  readonly retryAfterMs?: number | undefined;
  readonly requestId?: string | undefined;
  readonly cause?: unknown;
}

/** Any failure of this package. */
export class WildgateError extends Error {
  /** Stable, for machines. */
  readonly reason: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly retryAfterMs: number | undefined;
  requestId: string | undefined;

  constructor(message: string, facts: ErrorFacts = {}) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.name = new.target.name;
    this.reason = facts.reason || new.target.name;
    this.metadata = facts.metadata ?? {};
    this.retryAfterMs = facts.retryAfterMs;
    this.requestId = facts.requestId;
  }

  /** Whether the same call may succeed later. */
  isRetryable(): boolean {
    return false;
  }
}

/** The service could not be reached, or could not answer for now. With the same `requestId` a repeat gets the recorded answer. */
export class WildgateUnavailableError extends WildgateError {
  /** As in `Decision.degradedReasons`. */
  readonly why: DegradedReason = "unavailable";

  override isRetryable(): boolean {
    return true;
  }

  /** The same failure, for another listing of the batch that it ended. */
  forRequest(requestId: string): WildgateUnavailableError {
    const kind = this.constructor as new (message: string, facts: ErrorFacts) => WildgateUnavailableError;
    return new kind(this.message, { reason: this.reason, requestId });
  }
}

/** No answer within the deadline; the service may have decided all the same. */
export class WildgateDeadlineExceededError extends WildgateUnavailableError {
  override readonly why = "deadline_exceeded";
}

/** The service refuses work that it has no capacity for. */
export class WildgateOverloadedError extends WildgateUnavailableError {
  override readonly why: DegradedReason = "resource_exhausted";
}

/** The tenant is over its limit: `reason` tells the rate from the quota of the day, `retryAfterMs` when to come again. */
export class WildgateLimitExceededError extends WildgateOverloadedError {
  override readonly why = "limit_exceeded";
}

/** The request cannot be answered as it is; often found before anything is sent. */
export class WildgateInvalidRequestError extends WildgateError {}

/** The API key is missing, unknown, expired or revoked. */
export class WildgateAuthenticationError extends WildgateError {}

/** The API key lacks the scope that `metadata.scope` names. */
export class WildgatePermissionError extends WildgateError {}

/** The decision or request is not known to this tenant. */
export class WildgateNotFoundError extends WildgateError {}

/** The same `requestId` was used before for another listing. */
export class WildgateConflictError extends WildgateError {}

/** The service does not know this call. */
export class WildgateUnimplementedError extends WildgateError {}

/** A defect of the service; `metadata.incident` helps its operators find it. */
export class WildgateInternalError extends WildgateError {}

/** The client was set up in a way that is wrong or unsafe. */
export class WildgateConfigurationError extends WildgateError {}

/** The client is closed. */
export class WildgateUsageError extends WildgateError {}
