/** The client. */

import { setTimeout as pause } from "node:timers/promises";

import { create } from "@bufbuild/protobuf";
import { v7 as uuidv7 } from "uuid";

import { Batch, type BatchResult } from "./batch.js";
import {
  BATCH_TIMEOUT_MS,
  type ClientOptions,
  makeSettings,
  OUTCOME_TIMEOUT_MS,
  READ_TIMEOUT_MS,
  READY_TIMEOUT_MS,
  type Settings,
} from "./config.js";
import { Connection } from "./connection.js";
import { Deadline } from "./deadline.js";
import { type Decision, decisionFrom, degradedDecision } from "./decision.js";
import { optionsFromEnvironment } from "./environment.js";
import {
  WildgateDeadlineExceededError,
  WildgateError,
  WildgateInternalError,
  WildgateUnavailableError,
  WildgateUnimplementedError,
} from "./errors.js";
import { Health, HealthCheckRequestSchema, HealthCheckResponse_ServingStatus } from "./gen/grpc/health/v1/health_pb.js";
import { GetLexiconRequestSchema, LexiconService } from "./gen/wildgate/v1/lexicon_pb.js";
import {
  BatchScoreListingsRequestSchema,
  type ScoreListingRequest,
  ScoreListingRequestSchema,
  ScoringService,
} from "./gen/wildgate/v1/scoring_pb.js";
import { GetTransparencyReportRequestSchema, RecordOutcomesRequestSchema, TransparencyService } from "./gen/wildgate/v1/transparency_pb.js";
import { type Decision as DecisionMessage, ExplainSchema, SpanUnitSchema } from "./gen/wildgate/v1/types_pb.js";
import { checkId, MAX_BATCH } from "./limits.js";
import { type Listing, listingMessage } from "./listing.js";
import { makeOutcome, type Outcome, type OutcomeDetails, outcomeMessage, type OutcomeResult, outcomeResultFrom } from "./outcome.js";
import { dayOf, type LexiconInfo, lexiconFrom, reportFrom, type TransparencyReport } from "./report.js";
import { Counters, DegradedLog, type Stats } from "./stats.js";
import { type Explain, EXPLAINS, numberOf, type OutcomeKind, readWord } from "./words.js";

const PROBE_PAUSE_MS = 50;

/** What every call takes. */
export interface CallOptions {
  /** All that the call may take, in milliseconds. */
  readonly timeoutMs?: number;
  /** Aborting it rejects the call with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** What `score` takes beside a listing. */
export interface ScoreOptions extends CallOptions {
  readonly explain?: Explain;
  /** A UUID, by default a new one; a repeat with the same one gets the same answer. */
  readonly requestId?: string;
}

/** What `scoreBatch` takes beside listings. */
export interface BatchOptions extends CallOptions {
  readonly explain?: Explain;
  /** One for each listing. */
  readonly requestIds?: readonly string[];
}

/** Asks a Wildgate service; make one per process, or per worker thread. Connecting starts in the constructor. */
export class WildgateClient {
  readonly #settings: Settings;
  readonly #connection: Connection;
  readonly #counters = new Counters();
  readonly #log: DegradedLog;

  /** Set up the client; throws WildgateConfigurationError for what is wrong or unsafe. */
  constructor(options: ClientOptions) {
    this.#settings = makeSettings(options);
    this.#log = new DegradedLog(this.#settings.logger);
    this.#connection = new Connection(this.#settings);
  }

  /** A client as the variables WILDGATE_CLIENT_* say; `options` go before them. Throws as the constructor does. */
  static fromEnvironment(options: Partial<ClientOptions> = {}, environment: NodeJS.ProcessEnv = process.env): WildgateClient {
    return new WildgateClient({ ...optionsFromEnvironment(environment), ...options } as ClientOptions);
  }

  /** Counters since this client was made. */
  stats(): Stats {
    return this.#counters.snapshot();
  }

  /**
   * Score one listing within `timeoutMs`, in all. What happens when nothing answers is `onUnavailable`'s to say; every other
   * failure rejects with a WildgateError.
   */
  async score(listing: Listing, options: ScoreOptions = {}): Promise<Decision> {
    return this.#counted(async () => {
      const deadline = new Deadline(options.timeoutMs ?? this.#settings.timeoutMs);
      const message = listingMessage(listing);
      const requestId = options.requestId === undefined ? uuidv7() : checkId("requestId", options.requestId);
      const request = create(ScoreListingRequestSchema, { ...this.#asked(options), requestId, listing: message });
      try {
        const { signal } = options;
        const { decision } = await this.#connection.send(ScoringService.method.scoreListing, request, { deadline, signal, requestId });
        return this.#answered(decision);
      } catch (error) {
        return this.#degrade(error, requestId, message.listingId);
      }
    });
  }

  /**
   * Score many listings; resolves to one result for each, in their order.
   *
   * They travel in requests of up to 256, within `timeoutMs` in all (by default 2 s per request). A listing that is too long or
   * broken gets its own error; listings that nothing answered get what `onUnavailable` says, with "raise" as the error of their
   * results. Only what concerns the whole batch, such as a bad API key, rejects.
   */
  async scoreBatch(listings: Iterable<Listing>, options: BatchOptions = {}): Promise<BatchResult[]> {
    return this.#counted(async () => {
      const items = [...listings];
      const deadline = new Deadline(options.timeoutMs ?? BATCH_TIMEOUT_MS * requestsFor(items));
      const asked = this.#asked(options);
      const batch = new Batch(this.#owner(), items, options.requestIds);
      for (const chunk of batch.chunks()) {
        const request = create(BatchScoreListingsRequestSchema, { ...asked, items: chunk });
        try {
          const { signal } = options;
          batch.answered(chunk, await this.#connection.send(ScoringService.method.batchScoreListings, request, { deadline, signal }));
        } catch (error) {
          if (!(error instanceof WildgateUnavailableError)) throw error;
          batch.unanswered(chunk, error);
        }
      }
      return batch.results();
    });
  }

  /**
   * Report what the platform did about a listing, or heard about it: of a decision, or of the request with that id.
   *
   * Takes 2 seconds at most unless `timeoutMs` says otherwise, and rejects on any failure: `onUnavailable` is about listings alone.
   * Repeating it with the same `outcomeId` is safe, and `corrects` puts an earlier one right. For a degraded decision it also says
   * what the client answered, and why.
   */
  async reportOutcome(
    subject: Decision | string,
    applied: OutcomeKind,
    details: OutcomeDetails = {},
    options: CallOptions = {},
  ): Promise<OutcomeResult> {
    const [result] = await this.reportOutcomes([makeOutcome(subject, applied, details)], options);
    if (result === undefined) throw internal("the service gave no result for this outcome");
    if (result.error !== undefined) throw result.error;
    return result;
  }

  /**
   * Report many outcomes; resolves to one result for each, with its own error if it has one.
   *
   * They travel in requests of up to 256, within `timeoutMs` in all (by default 2 s per request). A failed request rejects; send the
   * same outcomes again, none is counted twice.
   */
  async reportOutcomes(outcomes: Iterable<Outcome>, { timeoutMs, signal }: CallOptions = {}): Promise<OutcomeResult[]> {
    return this.#counted(async () => {
      const messages = [...outcomes].map(outcomeMessage);
      const deadline = new Deadline(timeoutMs ?? OUTCOME_TIMEOUT_MS * requestsFor(messages));
      const results: OutcomeResult[] = [];
      for (let start = 0; start < messages.length; start += MAX_BATCH) {
        const request = create(RecordOutcomesRequestSchema, { outcomes: messages.slice(start, start + MAX_BATCH) });
        const response = await this.#connection.send(TransparencyService.method.recordOutcomes, request, { deadline, signal });
        if (response.results.length !== request.outcomes.length) {
          throw internal(`${request.outcomes.length} outcomes got ${response.results.length} results`);
        }
        results.push(...response.results.map(outcomeResultFrom));
      }
      return results;
    });
  }

  /** The report of the days from `start` to `end`, both included (UTC). */
  async transparencyReport(start: Date | string, end: Date | string, options: CallOptions = {}): Promise<TransparencyReport> {
    return this.#counted(async () => {
      const days = { startDate: dayOf("start", start), endDate: dayOf("end", end) };
      const request = create(GetTransparencyReportRequestSchema, days);
      const { report } = await this.#connection.send(TransparencyService.method.getTransparencyReport, request, reading(options));
      if (report === undefined) throw internal("the service answered without a report");
      return reportFrom(report);
    });
  }

  /** Versions and counts of the lexicons that the service runs on. */
  async lexicon(options: CallOptions = {}): Promise<LexiconInfo> {
    return this.#counted(async () => {
      const request = create(GetLexiconRequestSchema);
      return lexiconFrom(await this.#connection.send(LexiconService.method.getLexicon, request, reading(options)));
    });
  }

  /**
   * Whether the service says that it is serving (grpc.health.v1), or is too old to be asked. Rejects with what stands between, such
   * as a refused connection. Counts as no call.
   */
  async isServing(options: CallOptions = {}): Promise<boolean> {
    try {
      const request = create(HealthCheckRequestSchema);
      const { status } = await this.#connection.send(Health.method.check, request, reading(options));
      return status === HealthCheckResponse_ServingStatus.SERVING;
    } catch (error) {
      if (error instanceof WildgateUnimplementedError) return true;
      throw error;
    }
  }

  /**
   * Resolves once the service answers that it is serving.
   *
   * Rejects after `timeoutMs` (10 s) with WildgateDeadlineExceededError and the last obstacle, such as a refused connection or a
   * certificate that is not trusted, and at once for what waiting cannot mend, such as a bad API key.
   */
  async waitReady({ timeoutMs = READY_TIMEOUT_MS, signal }: CallOptions = {}): Promise<void> {
    const deadline = new Deadline(timeoutMs);
    let last = "no answer";
    while (deadline.left > 0) {
      try {
        if (await this.isServing({ timeoutMs: deadline.left, ...(signal && { signal }) })) return;
        last = "it answers that it is not serving";
      } catch (error) {
        if (!(error instanceof WildgateUnavailableError)) throw error;
        // The check that ends with the time left says nothing of what stood in the way before.
        if (!(error instanceof WildgateDeadlineExceededError)) last = error.message;
      }
      await pause(Math.max(0, Math.min(PROBE_PAUSE_MS, deadline.left)));
    }
    const message = `${this.#settings.target} was not ready within ${timeoutMs} ms: ${last}`;
    throw new WildgateDeadlineExceededError(message, { reason: "DEADLINE_EXCEEDED" });
  }

  /** End the connection; calls in flight reject with WildgateUsageError. Closing twice is fine. */
  close(): void {
    this.#connection.close();
  }

  /** Show the target and the policy, never the key. */
  toString(): string {
    return `WildgateClient(${JSON.stringify(this.#settings.target)}, onUnavailable: ${JSON.stringify(this.#settings.onUnavailable)})`;
  }

  #asked({ explain = this.#settings.explain }: { readonly explain?: Explain | undefined }): Pick<ScoreListingRequest, "explain" | "spanUnit"> {
    const level = explain === undefined ? undefined : readWord(EXPLAINS, explain, "explain");
    return { explain: numberOf(ExplainSchema, level), spanUnit: numberOf(SpanUnitSchema, this.#settings.spanUnit) };
  }

  #owner(): ConstructorParameters<typeof Batch>[0] {
    return {
      answered: (message) => this.#answered(message),
      degrade: (error, requestId, listingId) => this.#degrade(error, requestId, listingId),
      failed: (error) => {
        this.#counters.error(error.reason);
      },
    };
  }

  async #counted<Result>(call: () => Promise<Result>): Promise<Result> {
    this.#counters.call();
    try {
      return await call();
    } catch (error) {
      if (error instanceof WildgateError) this.#counters.error(error.reason);
      throw error;
    }
  }

  #answered(message: DecisionMessage | undefined): Decision {
    if (message === undefined) throw internal("the service answered without a decision");
    this.#counters.decision();
    return decisionFrom(message, this.#settings.spanUnit);
  }

  /** Decide without the service as `onUnavailable` says, or throw the error. */
  #degrade(error: unknown, requestId: string, listingId: string): Decision {
    const { onUnavailable, spanUnit } = this.#settings;
    if (!(error instanceof WildgateUnavailableError)) throw error;
    error.requestId = requestId;
    if (onUnavailable === "raise") throw error;
    const decision = degradedDecision(onUnavailable, error.why, requestId, listingId, spanUnit);
    this.#counters.degraded(error.why);
    this.#log.add(error.why, decision.action);
    void this.#tell(decision);
    return decision;
  }

  /** A broken hook, asynchronous or not, must not break the answer it was told of, nor the process. */
  async #tell(decision: Decision): Promise<void> {
    try {
      await this.#settings.onDegraded?.(decision);
    } catch (error) {
      const kind = error instanceof Error ? error.name : typeof error;
      this.#settings.logger.warn(`wildgate.on_degraded_failed request_id=${decision.requestId} error=${kind}`);
    }
  }
}

function requestsFor(items: readonly unknown[]): number {
  return Math.max(1, Math.ceil(items.length / MAX_BATCH));
}

function reading({ timeoutMs = READ_TIMEOUT_MS, signal }: CallOptions): { deadline: Deadline; signal: AbortSignal | undefined } {
  return { deadline: new Deadline(timeoutMs), signal };
}

function internal(message: string): WildgateInternalError {
  return new WildgateInternalError(message, { reason: "INTERNAL" });
}
