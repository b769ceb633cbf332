/** The parts that need no service. */

import { readFileSync } from "node:fs";

import { create, type DescEnum, toBinary } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { Metadata, type ServiceError, status as Code } from "@grpc/grpc-js";
import { describe, expect, test, vi } from "vitest";

import { isLoopback, makeSettings } from "../src/config.js";
import { Decision, decisionFrom } from "../src/decision.js";
import { optionsFromEnvironment } from "../src/environment.js";
import { ErrorInfoSchema, RetryInfoSchema } from "../src/gen/google/rpc/error_details_pb.js";
import { StatusSchema } from "../src/gen/google/rpc/status_pb.js";
import * as outcomes from "../src/gen/wildgate/v1/transparency_pb.js";
import * as types from "../src/gen/wildgate/v1/types_pb.js";
import { type ClientOptions, cut, type DegradedHook, fromStringIndex, makeOutcome, mark, toStringIndex, uuidv7, VERSION, WildgateClient, WildgateConfigurationError } from "../src/index.js";
import * as exported from "../src/index.js";
import { DegradedLog } from "../src/stats.js";
import { errorFromRpc } from "../src/status.js";
import * as words from "../src/words.js";

const SOUND: ClientOptions = { target: "localhost:50051", insecure: true, onUnavailable: "review" };

describe("spans", () => {
  const text = "a😀é🐘b";

  test.each([
    ["utf16", [0, 1, 3, 4, 6, 7]],
    ["code_point", [0, 1, 2, 3, 4, 5]],
    ["utf8", [0, 1, 5, 7, 11, 12]],
  ] as const)("positions in %s become string indexes and back", (unit, positions) => {
    expect(positions.map((position) => toStringIndex(text, position, unit))).toEqual([0, 1, 3, 4, 6, 7]);
    expect([0, 1, 3, 4, 6, 7].map((index) => fromStringIndex(text, index, unit))).toEqual(positions);
  });

  test.each(["utf16", "code_point", "utf8"] as const)("past the end in %s is the end", (unit) => {
    expect(toStringIndex(text, 99, unit)).toBe(text.length);
  });

  test("a position inside a character is rounded down to its start", () => {
    expect(toStringIndex(text, 3, "utf8")).toBe(1);
  });

  test("cutting by code points keeps an elephant whole", () => {
    expect(cut(text, { start: 3, end: 4 }, "code_point")).toBe("🐘");
  });

  test("marks that overlap or touch are joined, and empty ones left out", () => {
    const spans = [
      { start: 2, end: 4 },
      { start: 0, end: 1 },
      { start: 3, end: 5 },
      { start: 6, end: 6 },
    ];
    expect(mark("abcdefg", spans, "utf16")).toBe("[a]b[cde]fg");
  });
});

describe("words are those of the contract", () => {
  const lists: [DescEnum, readonly string[]][] = [
    [types.ActionSchema, words.ACTIONS],
    [types.ContentKindSchema, words.CONTENT_KINDS],
    [types.ExplainSchema, words.EXPLAINS],
    [types.SpanUnitSchema, words.SPAN_UNITS],
    [outcomes.OutcomeKindSchema, words.OUTCOME_KINDS],
    [outcomes.MeansSchema, words.MEANS],
    [outcomes.NoticeSourceSchema, words.NOTICE_SOURCES],
    [outcomes.RestrictionSchema, words.RESTRICTIONS],
    [outcomes.GroundSchema, words.GROUNDS],
    [outcomes.MisuseSchema, words.MISUSES],
    [outcomes.AccountTypeSchema, words.ACCOUNT_TYPES],
  ];

  test.each(lists)("%s", (enumeration, list) => {
    const named = enumeration.values.filter(({ number }) => number !== 0).map(({ localName }) => localName.toLowerCase());
    expect([...list].sort()).toEqual(named.sort());
  });
});

describe("a decision", () => {
  test("an action that is newer than this package is a review, and says so", () => {
    const message = create(types.DecisionSchema, { action: 9 as types.Action, requestId: "r" });
    expect(decisionFrom(message, "utf16")).toMatchObject({ action: "review", degraded: true, degradedReasons: ["unknown_action"] });
  });

  test("one made without the service tells outcomes what was answered, and why", () => {
    const decision = new Decision({ action: "review", requestId: uuidv7(), degraded: true, degradedReasons: ["unavailable"], spanUnit: "utf16" });
    const expected = { requestId: decision.requestId, degradedAction: "review", degradedReason: "unavailable", applied: "held" };
    expect(makeOutcome(decision, "held")).toMatchObject(expected);
    expect(String(decision)).toBe(`REVIEW without the service (unavailable), request ${decision.requestId}`);
  });
});

describe("errors of the service", () => {
  function failure(code: Code, details: string, reason = "", domain = "wildgate"): ServiceError {
    const info = anyPack(ErrorInfoSchema, create(ErrorInfoSchema, { reason, domain, metadata: { field: "title" } }));
    const retry = anyPack(RetryInfoSchema, create(RetryInfoSchema, { retryDelay: { seconds: 1n, nanos: 500_000_000 } }));
    const metadata = new Metadata();
    metadata.set("grpc-status-details-bin", Buffer.from(toBinary(StatusSchema, create(StatusSchema, { code, details: reason ? [info, retry] : [] }))));
    return Object.assign(new Error(details), { code, details, metadata });
  }

  test.each([
    [Code.RESOURCE_EXHAUSTED, "busy", "OVERLOADED", "WildgateOverloadedError"],
    [Code.RESOURCE_EXHAUSTED, "slow down", "RATE_LIMITED", "WildgateLimitExceededError"],
    [Code.RESOURCE_EXHAUSTED, "bad keys", "TOO_MANY_ATTEMPTS", "WildgateAuthenticationError"],
    [Code.RESOURCE_EXHAUSTED, "Received message larger than max (5 vs 4)", "", "WildgateInvalidRequestError"],
    [Code.RESOURCE_EXHAUSTED, "full", "", "WildgateOverloadedError"],
    [Code.CANCELLED, "dropped", "", "WildgateOverloadedError"],
    [Code.INTERNAL, "Received RST_STREAM with code 2", "", "WildgateUnavailableError"],
    [Code.INTERNAL, "a defect", "INTERNAL", "WildgateInternalError"],
    [Code.UNAVAILABLE, "the store", "STORE_UNAVAILABLE", "WildgateUnavailableError"],
    [99 as Code, "news", "", "WildgateInternalError"],
  ])("%s %s %s", (code, details, reason, name) => {
    expect(errorFromRpc(failure(code, details, reason)).name).toBe(name);
  });

  test("they say what the details say", () => {
    const error = errorFromRpc(failure(Code.INVALID_ARGUMENT, "too long", "FIELD_TOO_LONG"), "id");
    expect(error).toMatchObject({ reason: "FIELD_TOO_LONG", metadata: { field: "title" }, retryAfterMs: 1500, requestId: "id" });
  });

  test("details of another domain, or that cannot be read, say nothing", () => {
    const foreign = errorFromRpc(failure(Code.INVALID_ARGUMENT, "too long", "FIELD_TOO_LONG", "elsewhere"));
    const broken = failure(Code.INVALID_ARGUMENT, "too long");
    broken.metadata.set("grpc-status-details-bin", Buffer.from([255]));
    expect([foreign.reason, errorFromRpc(broken).reason]).toEqual(["INVALID_ARGUMENT", "INVALID_ARGUMENT"]);
  });
});

describe("options", () => {
  test.each<[string, Partial<ClientOptions>]>([
    ["target", { target: " " }],
    ["onUnavailable", { onUnavailable: "maybe" as "allow" }],
    ["timeoutMs", { timeoutMs: 0 }],
    ["timeoutMs", { timeoutMs: Number.NaN }],
    ["apiKey", { apiKey: "key\n" }],
    ["spanUnit", { spanUnit: "bytes" as "utf8" }],
    ["explain", { explain: "much" as "full" }],
    ["privateKey", { insecure: false, privateKey: "x" }],
    ["insecure", { rootCertificates: "x" }],
    ["plaintext", { target: "wildgate:50051", apiKey: "key" }],
    ["PEM", { insecure: false, privateKey: "x", certificateChain: "y" }],
  ])("a wrong %s is refused by name", (name, wrong) => {
    const made = (): WildgateClient => new WildgateClient({ ...SOUND, ...wrong });
    expect(made).toThrow(WildgateConfigurationError);
    expect(made).toThrow(name);
  });

  test.each(["localhost:1", "127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "ipv4:127.0.0.1:1", "dns:///localhost:1", "dns://8.8.8.8/localhost:1", "unix:/tmp/x", "ipv6:[::1]:1"])(
    "%s stays on this machine",
    (target) => {
      expect(isLoopback(target)).toBe(true);
    },
  );

  test.each(["wildgate:1", "10.0.0.1:1", "localhost.example.org:1", "ipv4:127.0.0.1:1,10.0.0.1:1", "dns:///127.0.0.1.example.org:1", "[::2]:1"])("%s may not", (target) => {
    expect(isLoopback(target)).toBe(false);
  });

  test("the key is never shown", () => {
    const client = new WildgateClient({ ...SOUND, apiKey: "secret-key" });
    client.close();
    expect(`${String(client)} ${JSON.stringify(client)}`).not.toContain("secret-key");
  });

  test("plaintext is a choice by name", () => {
    const { target, onUnavailable } = SOUND;
    expect(makeSettings({ target, onUnavailable }).credentials._isSecure()).toBe(true);
  });
});

describe("environment", () => {
  test("empty variables and those of the service are no options", () => {
    expect(optionsFromEnvironment({ WILDGATE_CLIENT_API_KEY: "", WILDGATE_PORT: "1", WILDGATE_CLIENT_TARGET: "t:1" })).toEqual({ target: "t:1" });
  });

  test.each([
    ["WILDGATE_CLIENT_TIMEOUT_SECONDS", "soon"],
    ["WILDGATE_CLIENT_INSECURE", "perhaps"],
    ["WILDGATE_CLIENT_ROOT_CERTIFICATES", "/no/such/file"],
    ["WILDGATE_CLIENT_TARGTE", "t:1"],
  ])("%s=%s is refused by name", (variable, text) => {
    expect(() => optionsFromEnvironment({ [variable]: text })).toThrow(variable);
  });
});

test("degraded decisions are logged at once, then once a minute with a count", () => {
  let now = 0;
  const warn = vi.fn<(message: string) => void>();
  const log = new DegradedLog({ warn }, () => now);
  for (now of [0, 10, 20, 60_000]) log.add("unavailable", "review");
  const counts = warn.mock.calls.map(([message]) => /count=(\d+)/.exec(message)?.[1]);
  expect(counts).toEqual(["1", "3"]);
});

test.each<[string, DegradedHook]>([
  [
    "throws",
    () => {
      throw new TypeError("broken");
    },
  ],
  ["rejects", () => Promise.reject(new TypeError("broken"))],
])("a hook that %s does not break the answer", async (_, onDegraded) => {
  const warn = vi.fn<(message: string) => void>();
  const client = new WildgateClient({ ...SOUND, target: "127.0.0.1:1", onDegraded, logger: { warn } });
  expect((await client.score({ title: "Lamp" })).review).toBe(true);
  client.close();
  expect(warn.mock.lastCall?.[0]).toMatch(/^wildgate\.on_degraded_failed request_id=.* error=TypeError$/);
});

test("a spent budget may be passed as a timeout", async () => {
  const client = new WildgateClient({ ...SOUND, logger: { warn: () => undefined } });
  const decision = await client.score({ title: "Lamp" }, { timeoutMs: -5 });
  client.close();
  expect(decision.degradedReasons).toEqual(["deadline_exceeded"]);
});

test("the version is the package's", () => {
  const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as { version: string };
  expect(VERSION).toBe(version);
});

test("what is exported is what is promised", () => {
  const errors = ["", "Authentication", "Configuration", "Conflict", "DeadlineExceeded", "Internal", "InvalidRequest", "LimitExceeded"];
  errors.push("NotFound", "Overloaded", "Permission", "Unavailable", "Unimplemented", "Usage");
  const others = ["Decision", "VERSION", "WildgateClient", "cut", "fromStringIndex", "makeOutcome", "mark", "toStringIndex", "uuidv7"];
  expect(Object.keys(exported).sort()).toEqual([...errors.map((kind) => `Wildgate${kind}Error`), ...others].sort());
});
