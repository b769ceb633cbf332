/** From the status of a failed RPC, or of one item of a batch, to one of our errors. */

import { fromBinary } from "@bufbuild/protobuf";
import { type Any, anyUnpack, type Duration } from "@bufbuild/protobuf/wkt";
import { type ServiceError, status as Code } from "@grpc/grpc-js";

import * as errors from "./errors.js";
import { ErrorInfoSchema, RetryInfoSchema } from "./gen/google/rpc/error_details_pb.js";
import { StatusSchema } from "./gen/google/rpc/status_pb.js";
import { type ItemError, ErrorReason } from "./gen/wildgate/v1/errors_pb.js";

type ErrorKind = new (message: string, facts: errors.ErrorFacts) => errors.WildgateError;

const DOMAIN = "wildgate";
const DETAILS = "grpc-status-details-bin";

const BY_REASON: Readonly<Record<string, ErrorKind>> = {
  OVERLOADED: errors.WildgateOverloadedError,
  STORE_UNAVAILABLE: errors.WildgateUnavailableError,
  DRAINING: errors.WildgateUnavailableError,
  RATE_LIMITED: errors.WildgateLimitExceededError,
  QUOTA_EXCEEDED: errors.WildgateLimitExceededError,
  // A bad key, told in fewer words: never an outage.
  TOO_MANY_ATTEMPTS: errors.WildgateAuthenticationError,
};

const BY_CODE: Readonly<Record<number, ErrorKind>> = {
  // How gRPC in the service drops calls that it has no room for, unread; a call that the caller aborts never comes here.
  [Code.CANCELLED]: errors.WildgateOverloadedError,
  [Code.INVALID_ARGUMENT]: errors.WildgateInvalidRequestError,
  [Code.DEADLINE_EXCEEDED]: errors.WildgateDeadlineExceededError,
  [Code.NOT_FOUND]: errors.WildgateNotFoundError,
  [Code.ALREADY_EXISTS]: errors.WildgateConflictError,
  [Code.PERMISSION_DENIED]: errors.WildgatePermissionError,
  [Code.RESOURCE_EXHAUSTED]: errors.WildgateOverloadedError,
  [Code.FAILED_PRECONDITION]: errors.WildgateInvalidRequestError,
  [Code.OUT_OF_RANGE]: errors.WildgateInvalidRequestError,
  [Code.UNIMPLEMENTED]: errors.WildgateUnimplementedError,
  [Code.UNAVAILABLE]: errors.WildgateUnavailableError,
  [Code.UNAUTHENTICATED]: errors.WildgateAuthenticationError,
};

/** In what gRPC itself says of a message over its limit, at either end. */
const TOO_LARGE = /message larger than max/i;
/** How grpc-js begins what it says of a call whose stream or connection broke, or was given up by the peer, and with which code. */
const BROKEN: readonly (readonly [number, string])[] = [
  [Code.INTERNAL, "Received RST_STREAM with code "],
  [Code.RESOURCE_EXHAUSTED, "Bandwidth exhausted or memory limit exceeded"],
];
/** How it begins what it says, as INTERNAL, of an answer that is no message of ours. */
const UNREADABLE = "Response message parsing error";

/** The error for a failed RPC, whatever its trailers hold. */
export function errorFromRpc(failure: ServiceError, requestId?: string): errors.WildgateError {
  return makeError(failure.code, failure.details, { ...factsOf(failure), requestId, cause: failure });
}

/** The error of one item of a batch. */
export function errorFromItem(item: ItemError, requestId?: string): errors.WildgateError {
  const name = item.reason === ErrorReason.UNSPECIFIED ? undefined : ErrorReason[item.reason];
  return makeError(item.code, item.message, { reason: name ?? "", metadata: item.metadata, requestId });
}

function makeError(code: number, message: string, facts: errors.ErrorFacts): errors.WildgateError {
  const isBroken = BROKEN.some(([number, beginning]) => number === code && message.startsWith(beginning));
  const read = isBroken ? Code.UNAVAILABLE : code;
  const kind = BY_REASON[facts.reason ?? ""] ?? kindOf(read, message, facts.reason ?? "");
  const text = message.startsWith(UNREADABLE) ? "the answer is not a message of this service" : message;
  return new kind(text || "the service gave no message", { ...facts, reason: facts.reason || codeName(read) });
}

/** gRPC refuses a message over its limit with the code of an overload; that no second attempt and no `onUnavailable` can mend. */
function kindOf(code: number, message: string, reason: string): ErrorKind {
  if (code === Code.RESOURCE_EXHAUSTED && (reason !== "" || TOO_LARGE.test(message))) return errors.WildgateInvalidRequestError;
  return BY_CODE[code] ?? errors.WildgateInternalError;
}

function codeName(code: number): string {
  const names: Readonly<Record<number, string | undefined>> = Code; // a newer service may send a code that is not there
  return names[code] ?? `CODE_${code}`;
}

function factsOf(failure: ServiceError): errors.ErrorFacts {
  const [bytes] = failure.metadata.get(DETAILS);
  if (!(bytes instanceof Uint8Array)) return {};
  try {
    const { details } = fromBinary(StatusSchema, bytes);
    return { ...infoOf(details), retryAfterMs: retryAfterOf(details) };
  } catch {
    return {}; // details that cannot be read say nothing; the code still does
  }
}

function infoOf(details: Any[]): errors.ErrorFacts {
  const infos = details.map((detail) => anyUnpack(detail, ErrorInfoSchema));
  const info = infos.find((each) => each?.domain === DOMAIN);
  return info ? { reason: info.reason, metadata: info.metadata } : {};
}

function retryAfterOf(details: Any[]): number | undefined {
  const delays = details.map((detail) => anyUnpack(detail, RetryInfoSchema)?.retryDelay);
  const delay = delays.find((each) => each !== undefined);
  return delay && milliseconds(delay);
}

function milliseconds(duration: Duration): number {
  return Number(duration.seconds) * 1000 + duration.nanos / 1e6;
}
