/** What every client must make of the real service: the scenarios that the Python tests run too. */

import { createServer, type Server, type Socket } from "node:net";
import type { AddressInfo } from "node:net";

import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";

import { type ClientOptions, type SpanUnit, toStringIndex, WildgateClient, WildgateError } from "../src/index.js";
import { Service, until } from "./support/processes.js";
import { listingOf, pair, POLICIES, SCENARIOS } from "./support/scenarios.js";

const UNITS: readonly SpanUnit[] = ["utf16", "code_point", "utf8"];
const QUIET = { warn: () => undefined };

function connect(options: Partial<ClientOptions>): WildgateClient {
  return new WildgateClient({ target: inject("target"), insecure: true, onUnavailable: "raise", timeoutMs: 10_000, logger: QUIET, ...options });
}

/** Takes connections and says nothing. */
class SilentPeer {
  readonly #server: Server = createServer((socket) => this.#sockets.add(socket));
  readonly #sockets = new Set<Socket>();

  get target(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async start(): Promise<void> {
    await new Promise<void>((ready) => this.#server.listen(0, "127.0.0.1", ready));
  }

  stop(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }
}

describe("scored", () => {
  const clients = new Map<SpanUnit, WildgateClient>();
  beforeAll(() => {
    for (const spanUnit of UNITS) clients.set(spanUnit, connect({ spanUnit, explain: "matches" }));
  });
  afterAll(() => {
    for (const client of clients.values()) client.close();
  });

  function clientOf(unit: SpanUnit): WildgateClient {
    const client = clients.get(unit);
    if (client === undefined) throw new Error(`there is no client for ${unit}`);
    return client;
  }

  describe.each(SCENARIOS.scored)("$name", ({ listing: given, action, taxon_groups: groups, matches }) => {
    const listing = listingOf(given);

    test("action and taxon groups", async () => {
      const decision = await clientOf("utf16").score(listing);
      expect({ action, groups }).toEqual({ action: decision.action, groups: decision.taxa.map((taxon) => taxon.group).slice(0, groups.length) });
    });

    test.each(UNITS)("spans in %s", async (unit) => {
      const decision = await clientOf(unit).score(listing);
      for (const { rule_id: ruleId, field, surface, spans } of matches) {
        const found = decision.matches.filter((match) => match.ruleId === ruleId && match.field === field);
        expect(found.map((match) => ({ surface: match.surface, span: pair(match.span) }))).toContainEqual({ surface, span: spans[unit] });
      }
      expect(decision.matches.map((match) => decision.surfaceOf(listing, match))).toEqual(decision.matches.map((match) => match.surface));
    });
  });

  test("spans are indexes into a JavaScript string unless another unit is asked for", async () => {
    const title = "😀🐘é elephant ivory carving for sale, whatsapp me";
    const client = connect({ explain: "matches" });
    const { matches } = await client.score({ title });
    client.close();
    expect(matches.length).toBeGreaterThan(0);
    expect(matches.map(({ span }) => title.slice(span.start, span.end))).toEqual(matches.map(({ surface }) => surface));
  });

  test("a batch gets the same decisions", async () => {
    const client = connect({});
    const results = await client.scoreBatch(SCENARIOS.scored.map(({ listing }) => listingOf(listing)));
    client.close();
    expect(results.map(({ decision }) => decision?.action)).toEqual(SCENARIOS.scored.map(({ action }) => action));
  });
});

describe("refused before it is sent", () => {
  // Nobody listens there: what is refused never gets so far.
  const client = connect({ target: "127.0.0.1:1" });
  afterAll(() => {
    client.close();
  });

  test.each(SCENARIOS.refused)("$name", async ({ listing, reason, metadata }) => {
    await expect(client.score(listingOf(listing))).rejects.toMatchObject({ name: "WildgateInvalidRequestError", reason, metadata });
  });

  test.each(SCENARIOS.refused)("$name fails alone in a batch", async ({ listing, reason }) => {
    const sound = connect({});
    const results = await sound.scoreBatch([{ title: "Lamp" }, listingOf(listing), { title: "Lamp" }]);
    sound.close();
    expect(results.map(({ error }) => error?.reason)).toEqual([undefined, reason, undefined]);
  });
});

test.each(SCENARIOS.accepted)("accepted: $name", async ({ listing }) => {
  const client = connect({});
  const decision = await client.score(listingOf(listing));
  client.close();
  expect(decision.answered).toBe(true);
});

describe("a service that does not do its part", () => {
  const service = new Service();
  const silent = new SilentPeer();
  const options: Record<string, Partial<ClientOptions>> = {};
  beforeAll(async () => {
    await Promise.all([service.start(), silent.start()]);
    const keys = { kiosk: await service.key("kiosk", "score"), office: await service.key("office", "report") };
    await service.command("limits", "set", "--tenant", "kiosk", "--per-day", "1");
    options.refused_connection = { target: "127.0.0.1:1" };
    options.silent_peer = { target: silent.target };
    options.over_the_limit = { target: service.target, apiKey: keys.kiosk };
    options.wrong_key = { target: service.target, apiKey: "wg_0123456789abcdef_no-such-key" };
    options.missing_scope = { target: service.target, apiKey: keys.office };
    await until(() => isInForce(keys.kiosk));
  });
  afterAll(async () => {
    await service.stop();
    silent.stop();
  });

  /** Whether the key is known and its tenant over its limit. */
  async function isInForce(apiKey: string): Promise<boolean> {
    const client = connect({ target: service.target, apiKey, onUnavailable: "review" });
    const found = await client.score({ title: "Lamp" }).catch(() => undefined);
    client.close();
    return found?.degradedReasons.includes("limit_exceeded") ?? false;
  }

  async function scored(fault: string, changes: Partial<ClientOptions>): Promise<unknown> {
    const client = connect({ timeoutMs: 200, ...options[fault], ...changes });
    try {
      return await client.score({ id: "42", title: "Ivory bangle" });
    } catch (error) {
      return error;
    } finally {
      client.close();
    }
  }

  describe.each(SCENARIOS.faults)("$fault", ({ fault, degraded, error }) => {
    test.each(POLICIES)("%s is what the listing gets", async (onUnavailable) => {
      expect(await scored(fault, { onUnavailable })).toMatchObject({
        action: onUnavailable,
        degraded: true,
        degradedReasons: [degraded],
        decisionId: undefined,
        score: undefined,
        listingId: "42",
        requestId: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
      });
    });

    test("is thrown if asked to", async () => {
      expect(await scored(fault, { onUnavailable: "raise" })).toMatchObject({ name: error });
    });
  });

  test("over the limit of the day the error says until when", async () => {
    const error = (await scored("over_the_limit", { onUnavailable: "raise" })) as WildgateError;
    expect([error.reason, error.isRetryable()]).toEqual(["QUOTA_EXCEEDED", true]);
    expect(error.retryAfterMs).toBeGreaterThan(0);
    expect(error.retryAfterMs).toBeLessThanOrEqual(86_400_000);
  });

  describe.each(SCENARIOS.raised)("$fault", ({ fault, error, reason }) => {
    test.each([...POLICIES, "raise"] as const)("is thrown under %s", async (onUnavailable) => {
      expect(await scored(fault, { onUnavailable })).toMatchObject({ name: error, reason });
    });
  });
});

test("errors of a batch that nothing answered stand in its results", async () => {
  const client = connect({ target: "127.0.0.1:1", timeoutMs: 200 });
  const results = await client.scoreBatch([{ title: "Lamp" }, { title: "Bangle" }]);
  client.close();
  expect(results.map(({ error }) => error?.name)).toEqual(["WildgateUnavailableError", "WildgateUnavailableError"]);
  expect(results.every(({ error }) => error instanceof WildgateError && error.isRetryable())).toBe(true);
});

test("positions in other units become indexes into a string", () => {
  for (const { listing, matches } of SCENARIOS.scored) {
    for (const { field, surface, spans } of matches.filter((match) => match.field === "title")) {
      const text = listingOf(listing)[field as "title"] ?? "";
      for (const unit of UNITS) {
        const [start, end] = spans[unit];
        expect(text.slice(toStringIndex(text, start, unit), toStringIndex(text, end, unit))).toBe(surface);
      }
    }
  }
});
