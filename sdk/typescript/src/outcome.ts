/** Outcomes: what the platform did about a listing after its decision, and what it heard about it. */

import { create, type DescEnum, type EnumShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { v7 as uuidv7 } from "uuid";

import { Decision } from "./decision.js";
import type { WildgateError } from "./errors.js";
import { WildgateInvalidRequestError } from "./errors.js";
import * as wire from "./gen/wildgate/v1/transparency_pb.js";
import { ActionSchema } from "./gen/wildgate/v1/types_pb.js";
import { checkId, checkText, checkTime, MAX_SHORT_TEXT } from "./limits.js";
import { errorFromItem } from "./status.js";
import * as words from "./words.js";

/** What may be said of an outcome beside what happened; what is left out is not known. */
export interface OutcomeDetails {
  readonly means?: words.Means;
  /** For notices. */
  readonly noticeSource?: words.NoticeSource;
  /** Left out: now. */
  readonly occurredTime?: Date;
  /** Made here if left out; the same outcome sent again is recorded once. */
  readonly outcomeId?: string;
  /** What was restricted; left out: as `applied` says. */
  readonly restrictions?: readonly words.Restriction[];
  /** Why; left out: as the service's policy says. */
  readonly ground?: words.Ground;
  /** `outcomeId` of the outcome that this one replaces. */
  readonly corrects?: string;
  /** Ties together one notice, complaint, dispute or order: at most 64 letters, digits, _ and -. */
  readonly reference?: string;
  /** Items that a notice or order names. */
  readonly items?: number;
  /** What an account was suspended for. */
  readonly misuse?: words.Misuse;
  /** Country of the authority that gave an order, ISO 3166-1 alpha-2. */
  readonly authority?: string;
  /** Left out: without end. */
  readonly restrictedUntil?: Date;
  /** Whose account posted. */
  readonly accountType?: words.AccountType;
  /** Countries in which the restriction holds; left out: as the service's policy says. */
  readonly territories?: readonly string[];
  /** What somebody who looked found offered, such as elephant; left out: as the decision says. */
  readonly taxonGroup?: string;
}

/** One thing that happened to a listing after its decision; `makeOutcome` takes what is needed from a decision. */
export interface Outcome extends OutcomeDetails {
  readonly applied: words.OutcomeKind;
  readonly outcomeId: string;
  /** Either this or `requestId`. */
  readonly decisionId?: string | undefined;
  readonly requestId?: string | undefined;
  /** For a decision that the client made itself: what it answered, and why. */
  readonly degradedAction?: words.Action | undefined;
  readonly degradedReason?: string | undefined;
}

/** Result of one outcome. */
export interface OutcomeResult {
  readonly outcomeId: string;
  /** It was recorded before; nothing changed. */
  readonly duplicate: boolean;
  /** Why it was not recorded. */
  readonly error?: WildgateError;
}

/** The outcome of a decision, or of the request with that id; with an `outcomeId`, so that it may be kept and sent again. */
export function makeOutcome(subject: Decision | string, applied: words.OutcomeKind, details: OutcomeDetails = {}): Outcome {
  const identified = { ...details, applied, outcomeId: details.outcomeId ?? uuidv7() };
  if (!(subject instanceof Decision)) return { ...identified, requestId: subject };
  const { decisionId, requestId } = subject;
  if (decisionId !== undefined) return { ...identified, decisionId };
  if (subject.answered) return { ...identified, requestId };
  return { ...identified, requestId, degradedAction: subject.action, degradedReason: subject.degradedReasons[0] };
}

/** Check an outcome and write its message; throws WildgateInvalidRequestError for the first fault. */
export function outcomeMessage(outcome: Outcome): wire.Outcome {
  check(outcome);
  const { occurredTime, restrictedUntil, ...rest } = outcome;
  return create(wire.OutcomeSchema, {
    outcomeId: rest.outcomeId,
    subject: subjectOf(rest),
    kind: number(wire.OutcomeKindSchema, words.OUTCOME_KINDS, rest.applied, "applied"),
    means: number(wire.MeansSchema, words.MEANS, rest.means, "means"),
    noticeSource: number(wire.NoticeSourceSchema, words.NOTICE_SOURCES, rest.noticeSource, "noticeSource"),
    degradedAction: number(ActionSchema, words.ACTIONS, rest.degradedAction, "degradedAction"),
    degradedReason: rest.degradedReason ?? "",
    restrictions: (rest.restrictions ?? []).map((each) => number(wire.RestrictionSchema, words.RESTRICTIONS, each, "restrictions")),
    ground: number(wire.GroundSchema, words.GROUNDS, rest.ground, "ground"),
    corrects: rest.corrects ?? "",
    reference: rest.reference ?? "",
    items: rest.items ?? 1,
    misuse: number(wire.MisuseSchema, words.MISUSES, rest.misuse, "misuse"),
    authority: rest.authority ?? "",
    accountType: number(wire.AccountTypeSchema, words.ACCOUNT_TYPES, rest.accountType, "accountType"),
    territories: [...(rest.territories ?? [])],
    taxonGroup: rest.taxonGroup ?? "",
    ...(occurredTime && { occurredTime: timestampFromDate(occurredTime) }),
    ...(restrictedUntil && { restrictedUntil: timestampFromDate(restrictedUntil) }),
  });
}

/** Read the result of one outcome. */
export function outcomeResultFrom({ outcomeId, duplicate, error }: wire.OutcomeResult): OutcomeResult {
  return error === undefined ? { outcomeId, duplicate } : { outcomeId, duplicate, error: errorFromItem(error) };
}

function check(outcome: Outcome): void {
  if ((outcome.decisionId === undefined) === (outcome.requestId === undefined)) {
    const message = "an outcome needs either decisionId or requestId";
    throw new WildgateInvalidRequestError(message, { reason: "FIELD_MISSING", metadata: { field: "subject" } });
  }
  for (const field of ["outcomeId", "decisionId", "requestId", "corrects"] as const) {
    if (outcome[field]) checkId(field, outcome[field]);
  }
  checkId("outcomeId", outcome.outcomeId);
  checkTime("occurredTime", outcome.occurredTime);
  checkTime("restrictedUntil", outcome.restrictedUntil);
  checkText("degradedReason", outcome.degradedReason, MAX_SHORT_TEXT);
}

function subjectOf({ decisionId, requestId }: Outcome): wire.Outcome["subject"] {
  return decisionId === undefined ? { case: "requestId", value: requestId ?? "" } : { case: "decisionId", value: decisionId };
}

function number<Enumeration extends DescEnum>(
  enumeration: Enumeration,
  choices: readonly string[],
  word: string | undefined,
  field: string,
): EnumShape<Enumeration> {
  return words.numberOf(enumeration, word === undefined ? undefined : words.readWord(choices, word, field));
}
