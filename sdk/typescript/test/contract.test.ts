/** What the client promises of the real service, beside the scenarios. */

import { afterAll, describe, expect, inject, test } from "vitest";

import { Decision, makeOutcome, uuidv7, WildgateClient } from "../src/index.js";

const DRESS = { id: "7", title: "Wedding dress, cotton, size 38" };
const client = new WildgateClient({ target: inject("target"), insecure: true, onUnavailable: "raise", timeoutMs: 10_000 });

afterAll(() => {
  client.close();
});

describe("score", () => {
  test("the decision is the service's, of this listing, with ids, versions and a probability", async () => {
    const decision = await client.score(DRESS);
    expect(decision).toBeInstanceOf(Decision);
    expect(decision).toMatchObject({ listingId: "7", answered: true, spanUnit: "utf16", degraded: false });
    for (const id of [decision.requestId, decision.decisionId]) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
    for (const version of [decision.lexiconVersion, decision.modelVersion, decision.policyVersion]) expect(version).not.toBe("");
    expect(decision.score).toBeGreaterThanOrEqual(0);
    expect(decision.score).toBeLessThanOrEqual(1);
    expect(decision.receipt?.position).toBeGreaterThan(0);
  });

  test("a repeated request gets the recorded answer", async () => {
    const requestId = uuidv7();
    const first = await client.score(DRESS, { requestId });
    expect((await client.score(DRESS, { requestId: requestId.toUpperCase() })).decisionId).toBe(first.decisionId);
  });

  test("a requestId for another listing is a conflict", async () => {
    const requestId = uuidv7();
    await client.score(DRESS, { requestId });
    const again = client.score({ title: "something else" }, { requestId });
    await expect(again).rejects.toMatchObject({ name: "WildgateConflictError", reason: "REQUEST_ID_REUSED", requestId });
  });

  test("the notice speaks the seller's language, and the log line holds no text of the listing", async () => {
    const decision = await client.score({ title: "出售象牙手镯,纯天然,微信联系", market: "CN" });
    expect(decision.blocked).toBe(true);
    expect(decision.notice).toMatch(/\p{Script=Han}/u);
    expect(String(decision)).toMatch(/^BLOCK \d\.\d\d · elephant .* · decision /);
    expect(String(decision)).not.toMatch(/\p{Script=Han}/u);
  });

  test("matches are marked in the seller's own text, escaped", async () => {
    const listing = { title: "🐘 <b>elephant ivory</b> for sale, whatsapp me" };
    const decision = await client.score(listing, { explain: "matches" });
    const escape = (text: string) => text.replace(/</g, "&lt;");
    const marked = decision.highlight(listing, "title", { before: "<mark>", after: "</mark>", escape });
    expect(marked).toContain("&lt;b><mark>elephant ivory</mark>&lt;/b>");
  });

  test("nothing is explained that was not asked for", async () => {
    const decision = await client.score({ title: "Elephant ivory for sale, whatsapp" }, { explain: "none" });
    expect([decision.matches, decision.taxa, decision.evidence]).toEqual([[], [], []]);
  });

  test("everything is explained if asked for", async () => {
    const decision = await client.score({ title: "Elephant ivory for sale, whatsapp" }, { explain: "full" });
    expect(decision.evidence.length).toBeGreaterThan(0);
    expect(decision.timings.map(({ stage }) => stage)).toContain("match");
  });
});

describe("scoreBatch", () => {
  test("600 listings travel in three requests and keep their order", async () => {
    const listings = Array.from({ length: 600 }, (_, index) => ({ id: String(index), title: `Lamp ${index}` }));
    const results = await client.scoreBatch(listings, { timeoutMs: 60_000 });
    expect(results.map(({ decision }) => decision?.listingId)).toEqual(listings.map(({ id }) => id));
  });

  test("listings that are large together travel in several requests", async () => {
    const description = "象".repeat(20_000);
    const results = await client.scoreBatch(Array.from({ length: 80 }, () => ({ description })), { timeoutMs: 60_000 });
    expect(results.filter(({ decision }) => decision !== undefined)).toHaveLength(80);
  });

  test("nothing in, nothing out", async () => {
    expect(await client.scoreBatch([])).toEqual([]);
  });

  test("request ids must be as many as listings", async () => {
    await expect(client.scoreBatch([DRESS], { requestIds: [] })).rejects.toMatchObject({ name: "WildgateInvalidRequestError" });
  });
});

describe("outcomes", () => {
  test("one is recorded once", async () => {
    const decision = await client.score(DRESS);
    const outcome = { means: "automated", outcomeId: uuidv7() } as const;
    const sent = [await client.reportOutcome(decision, "published", outcome), await client.reportOutcome(decision, "published", outcome)];
    expect(sent.map(({ duplicate }) => duplicate)).toEqual([false, true]);
  });

  test("all that may be said is taken", async () => {
    const decision = await client.score(DRESS);
    const result = await client.reportOutcome(decision, "restricted", {
      means: "moderator",
      occurredTime: new Date(),
      restrictions: ["visibility_demoted"],
      ground: "illegal",
      accountType: "private",
      territories: ["FR"],
      restrictedUntil: new Date(Date.now() + 86_400_000),
      taxonGroup: "elephant",
      reference: "case-1",
    });
    expect(result.error).toBeUndefined();
  });

  test("of an unknown decision it is refused", async () => {
    const unknown = { ...makeOutcome(uuidv7(), "removed"), decisionId: uuidv7(), requestId: undefined };
    const [result] = await client.reportOutcomes([unknown]);
    expect(result?.error).toMatchObject({ name: "WildgateNotFoundError", reason: "DECISION_NOT_FOUND" });
  });

  test("a word that is none is refused before anything is sent", async () => {
    const sent = client.reportOutcome(uuidv7(), "burned" as "removed");
    await expect(sent).rejects.toMatchObject({ reason: "FIELD_INVALID", metadata: { field: "applied" } });
  });
});

test("a report covers the days asked for", async () => {
  const day = new Date().toISOString().slice(0, 10);
  await client.score(DRESS);
  const report = await client.transparencyReport(new Date(), day);
  expect([report.startDate, report.endDate]).toEqual([day, day]);
  expect(report.total.decisions).toBeGreaterThan(0);
});

test("the lexicons say their version and languages", async () => {
  const { lexiconVersion, languages } = await client.lexicon();
  expect(lexiconVersion).not.toBe("");
  expect(languages.find(({ language }) => language === "en")?.forms).toBeGreaterThan(1000);
});

test("a serving service is ready", async () => {
  await client.waitReady();
  expect(await client.isServing()).toBe(true);
});

test("one that nobody started is not, and the error says why", async () => {
  const lost = new WildgateClient({ target: "127.0.0.1:1", insecure: true, onUnavailable: "allow" });
  const ready = lost.waitReady({ timeoutMs: 300 });
  await expect(ready).rejects.toMatchObject({ name: "WildgateDeadlineExceededError", message: expect.stringMatching(/127\.0\.0\.1:1 was not ready within 300 ms: .*ECONNREFUSED/) as string });
  lost.close();
});

test("a closed client says so", async () => {
  const closed = new WildgateClient({ target: inject("target"), insecure: true, onUnavailable: "allow" });
  closed.close();
  closed.close();
  await expect(closed.score(DRESS)).rejects.toMatchObject({ name: "WildgateUsageError", message: "the client is closed" });
});

test("a thousand calls at once get their own answers", async () => {
  const ids = Array.from({ length: 1000 }, (_, index) => String(index));
  const decisions = await Promise.all(ids.map((id) => client.score({ id, title: `Lamp ${id}` }, { timeoutMs: 60_000 }).catch(() => undefined)));
  const answered = decisions.filter((decision) => decision !== undefined);
  expect(answered.length).toBeGreaterThan(0);
  expect(decisions.every((decision, index) => decision === undefined || decision.listingId === ids[index])).toBe(true);
});
