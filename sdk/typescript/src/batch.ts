/** Listings on their way in chunks, and their results as they come in. */

import { create, toBinary } from "@bufbuild/protobuf";
import { v7 as uuidv7 } from "uuid";

import type { Decision } from "./decision.js";
import { WildgateError, WildgateInternalError, WildgateUnavailableError } from "./errors.js";
import {
  type BatchItem,
  type BatchResult as BatchResultMessage,
  type BatchScoreListingsResponse,
  BatchItemSchema,
} from "./gen/wildgate/v1/scoring_pb.js";
import type { Decision as DecisionMessage } from "./gen/wildgate/v1/types_pb.js";
import { checkId, invalid, MAX_BATCH } from "./limits.js";
import { type Listing, listingMessage } from "./listing.js";
import { errorFromItem } from "./status.js";

/** Under the 4 MiB that gRPC servers take by default. */
const MAX_BATCH_BYTES = 3 * 1024 * 1024;
const NO_RESULT = "the service gave no result for this listing";

/** Result of one listing of a batch: a decision, or the error that stands in its place. */
export type BatchResult =
  | { readonly index: number; readonly decision: Decision; readonly error?: undefined }
  | { readonly index: number; readonly decision?: undefined; readonly error: WildgateError };

/** What a batch asks of its client. */
export interface BatchOwner {
  /** Read the service's answer and count it. */
  answered(message: DecisionMessage): Decision;
  /** Decide without the service; throws the error if the policy says so. */
  degrade(error: WildgateUnavailableError, requestId: string, listingId: string): Decision;
  /** Count a failure that stands in a result. */
  failed(error: WildgateError): void;
}

/** One batch. */
export class Batch {
  readonly #owner: BatchOwner;
  readonly #listings: readonly Listing[];
  readonly #requestIds: readonly string[] | undefined;
  readonly #results: BatchResult[] = [];

  /** Keep what to send; no listing is checked before `chunks`. */
  constructor(owner: BatchOwner, listings: readonly Listing[], requestIds: readonly string[] | undefined) {
    if (requestIds !== undefined && requestIds.length !== listings.length) {
      throw invalid(`${listings.length} listings came with ${requestIds.length} requestIds`, "requestIds");
    }
    this.#owner = owner;
    this.#listings = listings;
    this.#requestIds = requestIds;
  }

  /** The items of each request to send, one request after the other. */
  *chunks(): Generator<BatchItem[]> {
    let chunk: BatchItem[] = [];
    let size = 0;
    for (const item of this.#items()) {
      const bytes = toBinary(BatchItemSchema, item).length;
      if (chunk.length === MAX_BATCH || (chunk.length > 0 && size + bytes > MAX_BATCH_BYTES)) {
        yield chunk;
        chunk = [];
        size = 0;
      }
      chunk.push(item);
      size += bytes;
    }
    if (chunk.length > 0) yield chunk;
  }

  /** Take the answer to a request; an item without one gets an error. */
  answered(chunk: readonly BatchItem[], { results }: BatchScoreListingsResponse): void {
    const answers = new Map(results.map((result) => [result.correlationId, result]));
    for (const item of chunk) this.#keep(Number(item.correlationId), () => this.#read(item, answers.get(item.correlationId)));
  }

  /** Take the failure of a request: its items are decided by `onUnavailable`. */
  unanswered(chunk: readonly BatchItem[], failure: WildgateUnavailableError): void {
    for (const item of chunk) this.#keep(Number(item.correlationId), () => this.#degrade(item, failure.forRequest(item.requestId)));
  }

  /** One result per listing, in their order. */
  results(): BatchResult[] {
    return this.#results;
  }

  *#items(): Generator<BatchItem> {
    for (const [index, listing] of this.#listings.entries()) {
      try {
        yield this.#item(index, listing);
      } catch (error) {
        this.#fail(index, error);
      }
    }
  }

  #item(index: number, listing: Listing): BatchItem {
    return create(BatchItemSchema, {
      correlationId: String(index),
      requestId: checkId("requestIds", this.#requestIds?.[index] ?? uuidv7()),
      listing: listingMessage(listing),
    });
  }

  #read(item: BatchItem, answer: BatchResultMessage | undefined): Decision {
    const result = answer?.result;
    if (result?.case === "decision") return this.#owner.answered(result.value);
    if (result?.case !== "error") throw new WildgateInternalError(NO_RESULT, { reason: "INTERNAL", requestId: item.requestId });
    const error = errorFromItem(result.value, item.requestId);
    if (error instanceof WildgateUnavailableError) return this.#degrade(item, error);
    throw error;
  }

  #degrade(item: BatchItem, failure: WildgateUnavailableError): Decision {
    return this.#owner.degrade(failure, item.requestId, item.listing?.listingId ?? "");
  }

  #keep(index: number, decide: () => Decision): void {
    try {
      this.#results[index] = { index, decision: decide() };
    } catch (error) {
      this.#fail(index, error);
    }
  }

  #fail(index: number, error: unknown): void {
    if (!(error instanceof WildgateError)) throw error;
    this.#owner.failed(error);
    this.#results[index] = { index, error };
  }
}
