/** The answer to one listing. */

import type { DegradedReason } from "./errors.js";
import { type Decision as DecisionMessage, type Match as MatchMessage, ActionSchema } from "./gen/wildgate/v1/types_pb.js";
import { invalid } from "./limits.js";
import { type Listing, textOf } from "./listing.js";
import { cut, type HighlightOptions, mark, type Span } from "./spans.js";
import { type Action, ACTIONS, type SpanUnit, wordOf } from "./words.js";

const UNKNOWN_ACTION = "unknown_action";

/** A protected taxon that the text seems to offer. */
export interface Taxon {
  /** Such as elephant or marine_turtle. */
  readonly group: string;
  readonly scientificName: string;
  /** Appendix or list it is protected by in the listing's market; empty if none. */
  readonly appendix: string;
}

/** A lexicon rule that fired. */
export interface Match {
  readonly ruleId: string;
  /** species, product, code_word, trade_cue, evasion_cue, legal_trade_cue or benign_context. */
  readonly kind: string;
  /** The lexicon's form; empty for a restricted rule that the API key may not read. */
  readonly form: string;
  /** What the form means, in English; empty as above. */
  readonly gloss: string;
  /** The seller's own characters that matched. */
  readonly surface: string;
  /** title, description, attributes[i].name or attributes[i].value. */
  readonly field: string;
  readonly span: Span;
  /** The views needed to read it, such as leetspeak; empty if it was written plainly. */
  readonly views: readonly string[];
}

/** One fact behind the score, and what it added to the log-odds of it. */
export interface Evidence {
  readonly name: string;
  readonly weight: number;
}

/** Position of a decision in the service's append-only log. */
export interface Receipt {
  readonly logId: string;
  readonly position: number;
  readonly chainHash: string;
}

/** How long one stage of the service took. */
export interface StageTiming {
  readonly stage: string;
  readonly microseconds: number;
}

/** All that a decision says, without what it can do. */
export interface DecisionFacts {
  readonly action: Action;
  readonly requestId: string;
  /** Undefined for a decision that the client made itself, and when the service runs without recording. */
  readonly decisionId?: string | undefined;
  readonly listingId?: string;
  /** Probability, 0 to 1, that the text offers or seeks a specimen of a protected wild taxon. */
  readonly score?: number | undefined;
  readonly taxa?: readonly Taxon[];
  readonly matches?: readonly Match[];
  readonly evidence?: readonly Evidence[];
  readonly language?: string;
  readonly reason?: string;
  readonly notice?: string;
  readonly lexiconVersion?: string;
  readonly modelVersion?: string;
  readonly policyVersion?: string;
  readonly shadow?: boolean;
  readonly shadowAction?: Action | undefined;
  readonly degraded?: boolean;
  readonly degradedReasons?: readonly string[];
  readonly receipt?: Receipt | undefined;
  readonly timings?: readonly StageTiming[];
  readonly spanUnit: SpanUnit;
  readonly sampleForReview?: boolean;
}

/**
 * The answer to one listing, by the service or, when it was out of reach, by `onUnavailable`.
 *
 * A decision that the client made itself has `answered` false, `degraded` true, the reason in `degradedReasons`, a `requestId`,
 * and neither `decisionId` nor `score`. `degraded` alone is also set by a service that misses a part. An action that this
 * version does not know, from a newer service, is read as "review", with "unknown_action" among the `degradedReasons`.
 */
export class Decision implements Required<DecisionFacts> {
  readonly action: Action;
  readonly requestId: string;
  readonly decisionId: string | undefined;
  readonly listingId: string;
  readonly score: number | undefined;
  readonly taxa: readonly Taxon[];
  readonly matches: readonly Match[];
  readonly evidence: readonly Evidence[];
  /** BCP 47 language of the text, or "und". */
  readonly language: string;
  /** One sentence for a moderator. */
  readonly reason: string;
  /** One deterrent sentence for the poster, in the language of the text. */
  readonly notice: string;
  readonly lexiconVersion: string;
  readonly modelVersion: string;
  readonly policyVersion: string;
  /** The policy or a rule of it only watches: `shadowAction` is what `action` would have been. */
  readonly shadow: boolean;
  readonly shadowAction: Action | undefined;
  readonly degraded: boolean;
  readonly degradedReasons: readonly string[];
  readonly receipt: Receipt | undefined;
  readonly timings: readonly StageTiming[];
  /** What the spans of `matches` are counted in. */
  readonly spanUnit: SpanUnit;
  /** Drawn by chance: publish it as `action` says, let a moderator look soon, and report what they found. */
  readonly sampleForReview: boolean;

  constructor(facts: DecisionFacts) {
    this.action = facts.action;
    this.requestId = facts.requestId;
    this.decisionId = facts.decisionId;
    this.listingId = facts.listingId ?? "";
    this.score = facts.score;
    this.taxa = facts.taxa ?? [];
    this.matches = facts.matches ?? [];
    this.evidence = facts.evidence ?? [];
    this.language = facts.language ?? "";
    this.reason = facts.reason ?? "";
    this.notice = facts.notice ?? "";
    this.lexiconVersion = facts.lexiconVersion ?? "";
    this.modelVersion = facts.modelVersion ?? "";
    this.policyVersion = facts.policyVersion ?? "";
    this.shadow = facts.shadow ?? false;
    this.shadowAction = facts.shadowAction;
    this.degraded = facts.degraded ?? false;
    this.degradedReasons = facts.degradedReasons ?? [];
    this.receipt = facts.receipt;
    this.timings = facts.timings ?? [];
    this.spanUnit = facts.spanUnit;
    this.sampleForReview = facts.sampleForReview ?? false;
  }

  /** Publish it. */
  get allowed(): boolean {
    return this.action === "allow";
  }

  /** Let a moderator decide. */
  get review(): boolean {
    return this.action === "review";
  }

  /** Refuse it. */
  get blocked(): boolean {
    return this.action === "block";
  }

  /** Whether the service decided, rather than the client's own `onUnavailable`. */
  get answered(): boolean {
    return this.score !== undefined;
  }

  /** The characters of the listing that a match points at. */
  surfaceOf(listing: Listing, match: Match): string {
    return cut(fieldText(listing, match.field), match.span, this.spanUnit);
  }

  /**
   * The text of one field of `listing` with every match in it marked.
   *
   * For a web page pass `{ before: "<mark>", after: "</mark>", escape }`: the text is the seller's. Throws
   * WildgateInvalidRequestError if the listing has no such field.
   */
  highlight(listing: Listing, field = "title", options: HighlightOptions = {}): string {
    const spans = this.matches.filter((match) => match.field === field).map((match) => match.span);
    return mark(fieldText(listing, field), spans, this.spanUnit, options);
  }

  /** One line for a log; never holds the seller's text. */
  toString(): string {
    const action = this.action.toUpperCase();
    const reasons = this.degradedReasons;
    if (this.score === undefined) return `${action} without the service (${reasons.join(", ") || "no score"}), request ${this.requestId}`;
    const facts = [
      `${action} ${this.score.toFixed(2)}`,
      ...this.taxa.map(describeTaxon),
      `${this.matches.length} ${this.matches.length === 1 ? "match" : "matches"}`,
      this.language,
      this.shadow && this.shadowAction ? `shadow of ${this.shadowAction.toUpperCase()}` : "",
      ...reasons.map((reason) => `degraded: ${reason}`),
      this.decisionId ? `decision ${this.decisionId}` : "not recorded",
    ];
    return facts.filter(Boolean).join(" · ");
  }
}

/** Read the service's answer. */
export function decisionFrom(message: DecisionMessage, spanUnit: SpanUnit): Decision {
  const action = wordOf(ActionSchema, ACTIONS, message.action);
  const { receipt } = message;
  return new Decision({
    ...message,
    action: action ?? "review",
    decisionId: message.decisionId || undefined,
    taxa: message.taxa.map(({ group, scientificName, appendix }) => ({ group, scientificName, appendix })),
    matches: message.matches.map(matchFrom),
    evidence: message.evidence.map(({ name, weight }) => ({ name, weight })),
    shadowAction: wordOf(ActionSchema, ACTIONS, message.shadowAction) ?? action ?? "review",
    degraded: message.degraded || action === undefined,
    degradedReasons: action === undefined ? [...message.degradedReasons, UNKNOWN_ACTION] : message.degradedReasons,
    receipt: receipt && { logId: receipt.logId, position: Number(receipt.position), chainHash: receipt.chainHash },
    timings: message.timings.map(({ stage, microseconds }) => ({ stage, microseconds })),
    spanUnit,
  });
}

/** What `onUnavailable` says of a listing that nothing answered. */
export function degradedDecision(
  action: Action,
  why: DegradedReason,
  requestId: string,
  listingId: string,
  spanUnit: SpanUnit,
): Decision {
  return new Decision({ action, requestId, listingId, degraded: true, degradedReasons: [why], spanUnit });
}

function matchFrom(message: MatchMessage): Match {
  const { ruleId, kind, form, gloss, surface, field, span, views } = message;
  return { ruleId, kind, form, gloss, surface, field, span: { start: span?.start ?? 0, end: span?.end ?? 0 }, views };
}

function describeTaxon({ group, scientificName, appendix }: Taxon): string {
  const facts = [scientificName, appendix].filter(Boolean).join(", ");
  return facts ? `${group} (${facts})` : group;
}

function fieldText(listing: Listing, field: string): string {
  const text = textOf(listing, field);
  if (text !== undefined) return text;
  const message = `the listing has no field ${JSON.stringify(field)}; see Match.field for the names`;
  throw invalid(message, field);
}
