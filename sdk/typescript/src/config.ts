/** How a client reaches the service: its options, what they must not be, and gRPC's options with their reasons. */

import { BlockList, isIP } from "node:net";

import { type ChannelCredentials, type ChannelOptions, credentials } from "@grpc/grpc-js";

import type { Decision } from "./decision.js";
import { WildgateConfigurationError, WildgateInvalidRequestError } from "./errors.js";
import type { Logger } from "./stats.js";
import { VERSION } from "./version.js";
import { type Explain, EXPLAINS, type OnUnavailable, POLICIES, readWord, SPAN_UNITS, type SpanUnit } from "./words.js";

export const DEFAULT_TIMEOUT_MS = 50;
export const BATCH_TIMEOUT_MS = 2_000;
export const OUTCOME_TIMEOUT_MS = 2_000;
export const READ_TIMEOUT_MS = 30_000;
export const READY_TIMEOUT_MS = 10_000;

/** Told of a decision that the client made itself; nobody waits for it. */
export type DegradedHook = (decision: Decision) => void | Promise<void>;

/** What a client is made with. */
export interface ClientOptions {
  /** Name of the service, such as `dns:///wildgate:50051`. */
  readonly target: string;
  /**
   * What a listing gets when the service is unreachable, too slow or overloaded: "allow", "review" or "block" make a degraded
   * decision, "raise" throws WildgateUnavailableError. Other failures are always thrown. It has no default: somebody has to choose.
   */
  readonly onUnavailable: OnUnavailable;
  /** Sent as `authorization: Bearer …`; refused in plaintext, except to this machine. */
  readonly apiKey?: string | undefined;
  /** Plaintext instead of TLS. */
  readonly insecure?: boolean | undefined;
  /** PEM of the authorities to trust instead of those that come with Node. */
  readonly rootCertificates?: Uint8Array | string | undefined;
  /** PEM of the client's own key and certificate chain, leaf first: mutual TLS. */
  readonly privateKey?: Uint8Array | string | undefined;
  readonly certificateChain?: Uint8Array | string | undefined;
  /** Made by the caller with @grpc/grpc-js, instead of the three above. */
  readonly credentials?: ChannelCredentials | undefined;
  /** All that `score` may take, in milliseconds: checks, connecting, both attempts. Default 50. */
  readonly timeoutMs?: number | undefined;
  /** How much explanation to ask for; left out: what the API key allows. */
  readonly explain?: Explain | undefined;
  /** What spans are counted in. Default "utf16": `title.slice(span.start, span.end)`. */
  readonly spanUnit?: SpanUnit | undefined;
  /** Called with each decision that the client made itself. */
  readonly onDegraded?: DegradedHook | undefined;
  /** Told, at most once a minute, that there are such decisions. Default `console`. */
  readonly logger?: Logger | undefined;
}

/** The options of a client, checked and complete. */
export interface Settings {
  readonly target: string;
  readonly onUnavailable: OnUnavailable;
  readonly timeoutMs: number;
  readonly explain: Explain | undefined;
  readonly spanUnit: SpanUnit;
  readonly apiKey: string | undefined;
  readonly credentials: ChannelCredentials;
  readonly onDegraded: DegradedHook | undefined;
  readonly logger: Logger;
}

const SERVICE_CONFIG = {
  // Every address that the name resolves to gets its share; one connection would pin one replica.
  loadBalancingConfig: [{ round_robin: {} }],
  methodConfig: [
    {
      name: [{}],
      retryPolicy: {
        maxAttempts: 2,
        initialBackoff: "0.005s",
        maxBackoff: "0.02s",
        backoffMultiplier: 2,
        // CANCELLED is how gRPC in a service drops a call unread: when it ends, or is flooded.
        retryableStatusCodes: ["UNAVAILABLE", "CANCELLED"],
      },
    },
  ],
  // After ten failures more than the successes pay back, retries stop: no storm on a sick service.
  retryThrottling: { maxTokens: 20, tokenRatio: 0.1 },
};

const CHANNEL_OPTIONS: ChannelOptions = {
  "grpc.service_config": JSON.stringify(SERVICE_CONFIG),
  "grpc.service_config_disable_resolution": 1,
  // A peer that is stuck or gone without a word is left after 13 seconds.
  "grpc.keepalive_time_ms": 10_000,
  "grpc.keepalive_timeout_ms": 3_000,
  "grpc.keepalive_permit_without_calls": 0,
  // A quiet night must not make the first listing of the morning pay for a new connection.
  "grpc.client_idle_timeout_ms": 2 ** 31 - 1,
  // Back a second after the service, before the next replica is restarted; the default waits up to two minutes.
  "grpc.initial_reconnect_backoff_ms": 100,
  "grpc.max_reconnect_backoff_ms": 1_000,
  // The name is looked up again when a connection is lost; the default does so only every thirty seconds.
  "grpc.dns_min_time_between_resolutions_ms": 1_000,
  "grpc.max_receive_message_length": 64 * 1024 * 1024,
  "grpc.max_send_message_length": 64 * 1024 * 1024,
  "grpc.use_local_subchannel_pool": 1,
  "grpc.primary_user_agent": `wildgate-node/${VERSION}`,
};

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet("127.0.0.0", 8);
LOOPBACK.addAddress("::1", "ipv6");

/** Check what a client is made with; throws WildgateConfigurationError for what is wrong or unsafe. */
export function makeSettings(options: ClientOptions): Settings {
  const { target, onUnavailable, timeoutMs = DEFAULT_TIMEOUT_MS, explain, spanUnit = "utf16", apiKey, onDegraded, logger = console } = options;
  if (typeof target !== "string" || target.trim() === "") fail("target must name the service, such as dns:///wildgate:50051");
  if (!POLICIES.includes(onUnavailable)) fail(`onUnavailable must be one of ${POLICIES.join(", ")}, not ${JSON.stringify(onUnavailable)}`);
  if (!Number.isFinite(timeoutMs) || timeoutMs <= 0) fail(`timeoutMs must be a positive number of milliseconds, not ${JSON.stringify(timeoutMs)}`);
  checkApiKey(apiKey);
  checkSecurity(options);
  return {
    target,
    onUnavailable,
    timeoutMs,
    explain: explain && configured(() => readWord(EXPLAINS, explain, "explain")),
    spanUnit: configured(() => readWord(SPAN_UNITS, spanUnit, "spanUnit")),
    apiKey,
    credentials: credentialsOf(options),
    onDegraded,
    logger,
  };
}

/** gRPC's options for a target; what stays on this machine goes through no proxy. */
export function channelOptions(target: string): ChannelOptions {
  return isLoopback(target) ? { ...CHANNEL_OPTIONS, "grpc.enable_http_proxy": 0 } : CHANNEL_OPTIONS;
}

/**
 * Whether plaintext to this target stays on this machine. A name other than localhost may resolve to anywhere, and so may the
 * rest of a list, so neither counts.
 */
export function isLoopback(target: string): boolean {
  if (/^unix(-abstract)?:/.test(target)) return true;
  if (target.includes(",")) return false;
  const host = hostOf(target);
  const version = isIP(host);
  return host === "localhost" || (version !== 0 && LOOPBACK.check(host, version === 4 ? "ipv4" : "ipv6"));
}

function hostOf(target: string): string {
  const address = target.replace(/^(dns|ipv4|ipv6|passthrough):/, "").replace(/^\/\/[^/]*\/?/, "");
  const bracketed = /^\[([^\]]*)\]/.exec(address);
  if (bracketed) return bracketed[1] ?? "";
  const parts = address.split(":");
  return parts.length > 2 ? address : (parts[0] ?? "");
}

function checkApiKey(apiKey: string | undefined): void {
  if (apiKey !== undefined && !/^[!-~]+$/.test(apiKey)) fail("apiKey must be printable ASCII without spaces; is there a line end in it?");
}

function checkSecurity(options: ClientOptions): void {
  const { target, apiKey, insecure, rootCertificates, privateKey, certificateChain, credentials: own } = options;
  const files = [rootCertificates, privateKey, certificateChain].some((each) => each !== undefined);
  if ((privateKey === undefined) !== (certificateChain === undefined)) fail("privateKey and certificateChain belong together: give both or neither");
  if (own !== undefined && files) fail("give credentials, or certificates and key, not both");
  if (insecure && (own !== undefined || files)) fail("insecure: true means plaintext: leave out credentials, certificates and key");
  if (insecure && apiKey !== undefined && !isLoopback(target)) {
    fail(
      `an API key must not travel in plaintext to ${target}: use TLS (leave out insecure: true), ` +
        "or a loopback or unix: target, or a service without keys",
    );
  }
}

function credentialsOf({ insecure, credentials: own, rootCertificates, privateKey, certificateChain }: ClientOptions): ChannelCredentials {
  if (own !== undefined) return own;
  if (insecure) return credentials.createInsecure();
  try {
    return credentials.createSsl(bytes(rootCertificates), bytes(privateKey), bytes(certificateChain));
  } catch (cause) {
    throw new WildgateConfigurationError("rootCertificates, privateKey and certificateChain must be PEM that Node can read", { cause });
  }
}

function bytes(pem: Uint8Array | string | undefined): Buffer | null {
  return pem === undefined ? null : Buffer.from(pem as string);
}

function configured<Value>(read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    if (error instanceof WildgateInvalidRequestError) fail(error.message);
    throw error;
  }
}

function fail(message: string): never {
  throw new WildgateConfigurationError(message);
}
