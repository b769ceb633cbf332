/**
 * The client behind the proxy that breaks connections, before the real service: the policy holds, everything is counted, and the client
 * finds back by itself. The faults are those of the Python client's tests.
 */

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from "vitest";

import { type ClientOptions, makeOutcome, uuidv7, WildgateClient } from "../src/index.js";
import { FaultProxy, Service, until } from "./support/processes.js";

const LISTING = { id: "42", title: "Desk lamp, brass" };
const SHORT = { timeoutMs: 200 };
const LONG = { timeoutMs: 10_000 };
const QUIET = { warn: () => undefined };
const OUTAGES = [
  "refused",
  "reset at connect",
  "reset in request",
  "reset in response",
  "cut in a frame",
  "half-closed",
  "black hole",
  "slow drip",
  "GOAWAY for a call",
  "GOAWAY too_many_pings",
  "corrupt headers",
  "corrupt frame length",
  "HTTP/1.1 answer",
];

let client: WildgateClient;

function connect(target: string, options: Partial<ClientOptions> = {}): WildgateClient {
  client = new WildgateClient({ target, insecure: true, onUnavailable: "review", logger: QUIET, ...options });
  return client;
}

/** Call until the service answers; nobody tells the client that it may. */
async function isAnsweredAgain(): Promise<void> {
  await until(async () => (await client.score(LISTING, SHORT)).answered);
}

afterEach(() => {
  client.close();
});

describe("behind a broken network", () => {
  let proxy: FaultProxy;
  beforeAll(async () => {
    proxy = await FaultProxy.before(inject("target"));
  });
  beforeEach(async () => {
    await proxy.set("none");
  });
  afterAll(async () => {
    await proxy.stop();
  });

  test.each(OUTAGES)("%s is decided by policy, counted, and ends by itself", async (fault) => {
    expect((await connect(proxy.target).score(LISTING, LONG)).answered).toBe(true);
    await proxy.set(fault);
    const decisions = [];
    for (let call = 0; call < 3; call += 1) decisions.push(await client.score(LISTING, SHORT));
    expect(decisions.map(({ action, answered, degraded }) => ({ action, answered, degraded }))).toEqual(
      Array.from({ length: 3 }, () => ({ action: "review", answered: false, degraded: true })),
    );
    for (const { degradedReasons } of decisions) expect(["unavailable", "deadline_exceeded"]).toContain(degradedReasons[0]);
    const { calls, decisions: decided, degraded, errors } = client.stats();
    const sum = Object.values(degraded).reduce((total, count) => total + count, 0);
    expect({ calls, decided, sum, errors }).toEqual({ calls: 4, decided: 1, sum: 3, errors: {} });
    await proxy.set("none");
    await isAnsweredAgain();
  });

  test.each(OUTAGES)("%s never keeps a call beyond its deadline for long", async (fault) => {
    await connect(proxy.target).score(LISTING, LONG);
    await proxy.set(fault);
    const began = performance.now();
    await client.score(LISTING);
    // The deadline is 50 ms; what is allowed beside it is the machine's, not the client's.
    expect(performance.now() - began).toBeLessThan(2_000);
  });

  test.each(OUTAGES)("an outcome under %s is refused aloud, and recorded once when it is sent again", async (fault) => {
    const decision = await connect(proxy.target).score(LISTING, LONG);
    const outcome = makeOutcome(decision, "published", { means: "automated" });
    await proxy.set(fault);
    await expect(client.reportOutcomes([outcome], SHORT)).rejects.toSatisfy((error: { isRetryable(): boolean }) => error.isRetryable());
    await proxy.set("none");
    await isAnsweredAgain();
    const sent = [await client.reportOutcomes([outcome]), await client.reportOutcomes([outcome])].flat();
    expect(sent.map(({ error }) => error)).toEqual([undefined, undefined]);
    expect(sent[1]?.duplicate).toBe(true);
  });

  test("GOAWAY after an answer, as before a restart, is noticed by nobody", async () => {
    connect(proxy.target, { timeoutMs: 10_000 });
    await proxy.set("GOAWAY after an answer");
    const decisions = [];
    for (let call = 0; call < 5; call += 1) decisions.push(await client.score(LISTING));
    expect(decisions.map(({ answered }) => answered)).toEqual([true, true, true, true, true]);
  });

  test("an answer that is no message of the service is thrown whatever the policy", async () => {
    await connect(proxy.target).score(LISTING, LONG);
    await proxy.set("corrupt message");
    await expect(client.score(LISTING, LONG)).rejects.toMatchObject({ name: "WildgateInternalError", reason: "INTERNAL" });
  });

  test("a connection that carries nothing any more is left for a new one", async () => {
    await connect(proxy.target).score(LISTING, LONG);
    await proxy.set("stuck peer");
    expect((await client.score(LISTING, SHORT)).degradedReasons).toEqual(["deadline_exceeded"]);
    await isAnsweredAgain();
  });

  test("an aborted call rejects with the signal's reason at once, and is neither degraded nor an error", async () => {
    connect(proxy.target);
    await proxy.set("black hole");
    const abort = new AbortController();
    const call = client.score(LISTING, { timeoutMs: 60_000, signal: abort.signal });
    abort.abort(new Error("the visitor left"));
    await expect(call).rejects.toThrow("the visitor left");
    expect(client.stats()).toEqual({ calls: 1, decisions: 0, degraded: {}, errors: {} });
  });

  test("closing ends the calls in flight", async () => {
    connect(proxy.target);
    await proxy.set("black hole");
    const calls = [client.score(LISTING, LONG), client.scoreBatch([LISTING], LONG), client.lexicon()];
    const ended = Promise.allSettled(calls);
    await new Promise((go) => setTimeout(go, 50));
    client.close();
    const names = (await ended).map((result) => (result.status === "rejected" ? (result.reason as Error).name : "answered"));
    expect(names).toEqual(["WildgateUsageError", "WildgateUsageError", "WildgateUsageError"]);
  });
});

describe("a service that is killed", () => {
  const service = new Service();
  beforeAll(async () => {
    await service.start();
  });
  afterAll(async () => {
    await service.stop();
  });

  test("listings get what the policy says, their outcomes are taken when it is back, and the report counts them", async () => {
    expect((await connect(service.target).score(LISTING, LONG)).answered).toBe(true);
    await service.kill();
    const degraded = await client.score({ ...LISTING, id: "43" });
    expect([degraded.review, degraded.answered]).toEqual([true, false]);
    await service.start();
    await isAnsweredAgain();
    const result = await client.reportOutcome(degraded, "held", { means: "automated" });
    expect(result.duplicate).toBe(false);
    const today = new Date();
    const report = await client.transparencyReport(today, today);
    expect(report.degradedAnswers).toMatchObject({ [String(degraded.degradedReasons[0])]: 1 });
  });

  test("a call with a request_id that is repeated after a restart gets the recorded answer", async () => {
    const requestId = uuidv7();
    const first = await connect(service.target).score(LISTING, { ...LONG, requestId });
    await service.kill();
    await service.start();
    await isAnsweredAgain();
    expect((await client.score(LISTING, { ...LONG, requestId })).decisionId).toBe(first.decisionId);
  });
});
