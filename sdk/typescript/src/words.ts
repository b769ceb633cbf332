/**
 * The words of the contract's enumerations, as TypeScript spells them: literal types and the lists they come from.
 * The generated enumerations hold the same words as numbers; a test compares both.
 */

import type { DescEnum, EnumShape } from "@bufbuild/protobuf";

import { invalid } from "./limits.js";

/** What the policy asks the platform to do: publish, let a moderator decide, refuse. */
export const ACTIONS = ["allow", "review", "block"] as const;
export type Action = (typeof ACTIONS)[number];

/** What the text is on the platform. */
export const CONTENT_KINDS = ["listing", "social_post", "cargo_booking"] as const;
export type ContentKind = (typeof CONTENT_KINDS)[number];

/** How much explanation to return; each level holds the ones before it. */
export const EXPLAINS = ["none", "taxa", "matches", "full"] as const;
export type Explain = (typeof EXPLAINS)[number];

/** What spans are counted in: UTF-16 code units (indexes into a JavaScript string), code points, or bytes of UTF-8. */
export const SPAN_UNITS = ["utf16", "code_point", "utf8"] as const;
export type SpanUnit = (typeof SPAN_UNITS)[number];

/** What a listing gets that nothing answered. */
export const POLICIES = ["allow", "review", "block", "raise"] as const;
export type OnUnavailable = (typeof POLICIES)[number];

/** What happened to a listing after its decision. What is received ends with one of the others of its `reference`. */
export const OUTCOME_KINDS = [
  "published",
  "held",
  "removed",
  "restricted",
  "account_suspended",
  "account_terminated",
  "reinstated",
  "confirmed",
  "notice_received",
  "notice_upheld",
  "notice_rejected",
  "complaint_received",
  "complaint_upheld",
  "complaint_partly_upheld",
  "complaint_rejected",
  "dispute_received",
  "dispute_upheld",
  "dispute_partly_upheld",
  "dispute_rejected",
  "dispute_ended",
  "dispute_implemented",
  "order_received",
  "order_confirmed",
  "order_executed",
  "withdrawn",
] as const;
export type OutcomeKind = (typeof OUTCOME_KINDS)[number];

/** Who or what applied an outcome. */
export const MEANS = ["automated", "moderator"] as const;
export type Means = (typeof MEANS)[number];

/** Where a notice came from: articles 16 and 22 of Regulation (EU) 2022/2065, or elsewhere. */
export const NOTICE_SOURCES = ["article_16", "trusted_flagger", "other"] as const;
export type NoticeSource = (typeof NOTICE_SOURCES)[number];

/** What was restricted; names as in the EU's transparency database, without DECISION_. */
export const RESTRICTIONS = [
  "visibility_removed",
  "visibility_disabled",
  "visibility_demoted",
  "visibility_age_restricted",
  "visibility_interaction_restricted",
  "visibility_labelled",
  "monetary_suspension",
  "monetary_termination",
  "provision_partial_suspension",
  "provision_total_suspension",
  "provision_partial_termination",
  "provision_total_termination",
  "account_suspended",
  "account_terminated",
] as const;
export type Restriction = (typeof RESTRICTIONS)[number];

/** Why a restriction was imposed. */
export const GROUNDS = ["illegal", "terms"] as const;
export type Ground = (typeof GROUNDS)[number];

/** What an account was suspended for (Article 23 of the same). */
export const MISUSES = ["illegal_content", "unfounded_notices", "unfounded_complaints"] as const;
export type Misuse = (typeof MISUSES)[number];

/** Whose account posted. */
export const ACCOUNT_TYPES = ["business", "private"] as const;
export type AccountType = (typeof ACCOUNT_TYPES)[number];

/** The word itself, or a WildgateInvalidRequestError that lists the choices. */
export function readWord<Word extends string>(words: readonly Word[], value: unknown, field: string): Word {
  const found = words.find((word) => word === value);
  if (found !== undefined) return found;
  throw invalid(`${field} must be one of ${words.join(", ")}, not ${JSON.stringify(value)}`, field);
}

/** The number of a word in a generated enumeration; 0 if there is no word. */
export function numberOf<Enumeration extends DescEnum>(enumeration: Enumeration, word: string | undefined): EnumShape<Enumeration> {
  const value = enumeration.values.find((each) => wordOfValue(each.localName) === word);
  return (value?.number ?? 0) as EnumShape<Enumeration>;
}

/** The word of a number; undefined for "unspecified" and for numbers that are newer than this package. */
export function wordOf<Word extends string>(enumeration: DescEnum, words: readonly Word[], number: number): Word | undefined {
  const name = enumeration.value[number]?.localName;
  return name === undefined ? undefined : words.find((word) => word === wordOfValue(name));
}

function wordOfValue(localName: string): string {
  return localName.toLowerCase();
}
