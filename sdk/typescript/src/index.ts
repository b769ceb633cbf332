/**
 * Wildgate: ask, while the seller presses "post", whether a listing offers protected wildlife.
 *
 *     const wildgate = new WildgateClient({ target: "dns:///wildgate:50051", apiKey, onUnavailable: "review" });
 *     const decision = await wildgate.score({ id: "42", title: "…", description: "…", market: "SG" });
 */

export type { BatchResult } from "./batch.js";
export { type BatchOptions, type CallOptions, type ScoreOptions, WildgateClient } from "./client.js";
export type { ClientOptions, DegradedHook } from "./config.js";
export { Decision, type DecisionFacts, type Evidence, type Match, type Receipt, type StageTiming, type Taxon } from "./decision.js";
export * from "./errors.js";
export type { Attribute, Attributes, Listing } from "./listing.js";
export { makeOutcome, type Outcome, type OutcomeDetails, type OutcomeResult } from "./outcome.js";
export type {
  ErrorEstimate,
  LexiconInfo,
  LexiconLanguage,
  MeasuredErrors,
  ReportCount,
  ReportShare,
  TransparencyReport,
} from "./report.js";
export { cut, fromStringIndex, type HighlightOptions, mark, type Span, toStringIndex } from "./spans.js";
export type { Logger, Stats } from "./stats.js";
export { VERSION } from "./version.js";
export type {
  AccountType,
  Action,
  ContentKind,
  Explain,
  Ground,
  Means,
  Misuse,
  NoticeSource,
  OnUnavailable,
  OutcomeKind,
  Restriction,
  SpanUnit,
} from "./words.js";
export { v7 as uuidv7 } from "uuid";
