/** How often a call is tried, and what it carries: before a gRPC server that answers as told. */

import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { Metadata, Server, ServerCredentials, status as Code, type handleUnaryCall, type UntypedHandleCall } from "@grpc/grpc-js";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { ScoreListingRequestSchema, ScoreListingResponseSchema, ScoringService } from "../src/gen/wildgate/v1/scoring_pb.js";
import { Action, DecisionSchema } from "../src/gen/wildgate/v1/types_pb.js";
import { uuidv7, VERSION, WildgateClient } from "../src/index.js";

interface Attempt {
  readonly requestId: string;
  readonly metadata: Metadata;
}

const QUIET = { warn: () => undefined };
const server = new Server();
let attempts: Attempt[] = [];
let failures: { readonly code: Code; readonly pushback?: string }[] = [];
let client: WildgateClient;
let target = "";

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes);
}

const scoreListing: handleUnaryCall<Uint8Array, Uint8Array> = ({ request, metadata }, answer) => {
  const { requestId } = fromBinary(ScoreListingRequestSchema, request);
  attempts.push({ requestId, metadata });
  const failure = failures.shift();
  if (failure === undefined) {
    const decision = create(DecisionSchema, { requestId, action: Action.ALLOW, score: 0.01 });
    answer(null, toBinary(ScoreListingResponseSchema, create(ScoreListingResponseSchema, { decision })));
    return;
  }
  const trailers = new Metadata();
  if (failure.pushback !== undefined) trailers.set("grpc-retry-pushback-ms", failure.pushback);
  answer({ code: failure.code, details: "as told", metadata: trailers });
};

beforeAll(async () => {
  const { parent, name } = ScoringService.method.scoreListing;
  const path = `/${parent.typeName}/${name}`;
  const codec = { requestSerialize: asBuffer, requestDeserialize: asBuffer, responseSerialize: asBuffer, responseDeserialize: asBuffer };
  const definition = { scoreListing: { path, requestStream: false, responseStream: false, ...codec } };
  server.addService(definition, { scoreListing: scoreListing as UntypedHandleCall });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) => {
      if (error) reject(error);
      else resolve(bound);
    });
  });
  target = `127.0.0.1:${port}`;
});
afterAll(() => {
  server.forceShutdown();
});
beforeEach(() => {
  attempts = [];
  failures = [];
  client = new WildgateClient({ target, insecure: true, apiKey: "key", onUnavailable: "review", timeoutMs: 2_000, logger: QUIET });
});
afterEach(() => {
  client.close();
});

/** Score a listing; how it ended and after how many attempts. */
async function ended(): Promise<{ end: string | undefined; attempts: number }> {
  const end = await client.score({ title: "Lamp" }).then(
    (decision) => (decision.answered ? "answered" : decision.degradedReasons[0]),
    (error: unknown) => (error as Error).name,
  );
  return { end, attempts: attempts.length };
}

describe("a second attempt", () => {
  test.each([Code.UNAVAILABLE, Code.CANCELLED])("is made after %s, with the same requestId", async (code) => {
    failures = [{ code }];
    expect(await ended()).toEqual({ end: "answered", attempts: 2 });
    expect(attempts[0]?.requestId).toBe(attempts[1]?.requestId);
  });

  test.each([
    [Code.UNAVAILABLE, "unavailable"],
    [Code.CANCELLED, "resource_exhausted"],
  ])("is the last: %s", async (code, reason) => {
    failures = Array.from({ length: 3 }, () => ({ code }));
    expect(await ended()).toEqual({ end: reason, attempts: 2 });
  });

  test.each([
    [Code.RESOURCE_EXHAUSTED, "resource_exhausted"],
    [Code.DEADLINE_EXCEEDED, "deadline_exceeded"],
    [Code.INTERNAL, "WildgateInternalError"],
    [Code.UNKNOWN, "WildgateInternalError"],
    [Code.UNAUTHENTICATED, "WildgateAuthenticationError"],
    [Code.PERMISSION_DENIED, "WildgatePermissionError"],
    [Code.INVALID_ARGUMENT, "WildgateInvalidRequestError"],
    [Code.UNIMPLEMENTED, "WildgateUnimplementedError"],
  ])("is not made after %s", async (code, end) => {
    failures = [{ code }];
    expect(await ended()).toEqual({ end, attempts: 1 });
  });

  test("waits for as long as the service asks for, which may be longer than the deadline", async () => {
    failures = [{ code: Code.UNAVAILABLE, pushback: "60000" }];
    expect(await ended()).toEqual({ end: "deadline_exceeded", attempts: 1 });
  });

  test("is not made where the service asks for none", async () => {
    failures = [{ code: Code.UNAVAILABLE, pushback: "-1" }];
    expect(await ended()).toEqual({ end: "unavailable", attempts: 1 });
  });

  test("is no longer made after many failures in a row", async () => {
    failures = Array.from({ length: 200 }, () => ({ code: Code.UNAVAILABLE }));
    for (let call = 0; call < 40; call += 1) await ended();
    expect(attempts.length).toBeLessThan(60);
  });
});

test("a call carries the key, and says who it is", async () => {
  await ended();
  const metadata = attempts[0]?.metadata;
  expect(metadata?.get("authorization")).toEqual(["Bearer key"]);
  expect(String(metadata?.get("user-agent")[0])).toContain(`wildgate-node/${VERSION}`);
});

test("the caller's requestId is sent", async () => {
  const requestId = uuidv7();
  await client.score({ title: "Lamp" }, { requestId });
  expect(attempts[0]?.requestId).toBe(requestId);
});
