/** Numbers of the service: the transparency report, and the lexicons it runs on. */

import type { Receipt } from "./decision.js";
import type { GetLexiconResponse } from "./gen/wildgate/v1/lexicon_pb.js";
import type * as wire from "./gen/wildgate/v1/transparency_pb.js";
import { invalid } from "./limits.js";

const DAY = /^\d{4}-\d{2}-\d{2}$/;

/** Decisions counted under one value of one dimension. */
export interface ReportCount {
  readonly dimension: string;
  readonly value: string;
  readonly decisions: number;
  readonly allowed: number;
  readonly reviewed: number;
  readonly blocked: number;
  /** Listings the platform removed or restricted. */
  readonly stopped: number;
}

/** A share with its sample size and 95 % Wilson interval. */
export interface ReportShare {
  /** precision, recall_of_notices or reversal_rate. */
  readonly name: string;
  readonly count: number;
  readonly total: number;
  readonly lower: number;
  readonly upper: number;
}

/** How often decisions are right, estimated from what moderators found. */
export interface ErrorEstimate {
  /** precision, recall or accuracy. */
  readonly measure: string;
  /** total, language or taxon_group. */
  readonly dimension: string;
  readonly value: string;
  /** A share, 0 to 1; undefined, as `lower` and `upper`: too few judgments to say. */
  readonly estimate: number | undefined;
  readonly lower: number | undefined;
  readonly upper: number | undefined;
  /** Judgments that it rests on. */
  readonly judged: number;
  /** Of them found to be offers. */
  readonly offers: number;
  /** Listings that the judged ones stand for. */
  readonly listings: number;
}

/** Estimates of error, and what they rest on; the fields mean what `MeasuredErrors` of the contract says. */
export interface MeasuredErrors {
  readonly estimates: readonly ErrorEstimate[];
  readonly allowed: number;
  readonly covered: number;
  readonly drawn: number;
  readonly lookedAt: number;
  readonly noticedFirst: number;
  readonly noticesUpheld: number;
  /** Fewer judgments than this say nothing. */
  readonly fewest: number;
}

/** The numbers of the public report of a span of days. */
export interface TransparencyReport {
  readonly startDate: string;
  /** Included. */
  readonly endDate: string;
  readonly total: ReportCount;
  readonly counts: readonly ReportCount[];
  readonly shares: readonly ReportShare[];
  /** Number of outcomes by kind. */
  readonly outcomes: Readonly<Record<string, number>>;
  /** Answers that clients gave themselves, by reason. */
  readonly degradedAnswers: Readonly<Record<string, number>>;
  /** From decision to removal; undefined if nothing was removed. */
  readonly medianHoursToAct: number | undefined;
  /** Where each log stood. */
  readonly checkpoints: readonly Receipt[];
  /** How often decisions are right; undefined from a service that does not measure it. */
  readonly measuredError: MeasuredErrors | undefined;
}

/** Rules and forms of one language. */
export interface LexiconLanguage {
  readonly language: string;
  readonly rules: number;
  readonly forms: number;
  readonly sourcedForms: number;
}

/** The lexicons that the service runs on. */
export interface LexiconInfo {
  readonly lexiconVersion: string;
  readonly languages: readonly LexiconLanguage[];
}

/** A day such as "2026-11-22", or the UTC day of a Date. */
export function dayOf(field: string, value: Date | string): string {
  const day = value instanceof Date && !Number.isNaN(value.getTime()) ? value.toISOString().slice(0, 10) : value;
  if (typeof day === "string" && DAY.test(day) && !Number.isNaN(Date.parse(day))) return day;
  throw invalid(`${field} must be a Date, or a day such as 2026-11-22`, field);
}

/** Read a report. */
export function reportFrom(message: wire.TransparencyReport): TransparencyReport {
  const { medianHoursToAct: hours, measuredError } = message;
  return {
    startDate: message.startDate,
    endDate: message.endDate,
    total: countFrom(message.total),
    counts: message.counts.map(countFrom),
    shares: message.shares.map(({ name, count, total, lower, upper }) => ({ name, count: Number(count), total: Number(total), lower, upper })),
    outcomes: numbers(message.outcomes),
    degradedAnswers: numbers(message.degradedAnswers),
    medianHoursToAct: hours < 0 ? undefined : hours,
    checkpoints: message.checkpoints.map(({ logId, position, chainHash }) => ({ logId, position: Number(position), chainHash })),
    measuredError: measuredError && measuredErrorFrom(measuredError),
  };
}

/** Read versions and counts of the lexicons. */
export function lexiconFrom({ lexiconVersion, languages }: GetLexiconResponse): LexiconInfo {
  const counts = languages.map(({ language, rules, forms, sourcedForms }) => ({ language, rules, forms, sourcedForms }));
  return { lexiconVersion, languages: counts };
}

function countFrom(message: wire.ReportCount | undefined): ReportCount {
  return {
    dimension: message?.dimension ?? "",
    value: message?.value ?? "",
    decisions: Number(message?.decisions ?? 0),
    allowed: Number(message?.allowed ?? 0),
    reviewed: Number(message?.reviewed ?? 0),
    blocked: Number(message?.blocked ?? 0),
    stopped: Number(message?.stopped ?? 0),
  };
}

function measuredErrorFrom(message: wire.MeasuredErrors): MeasuredErrors {
  return {
    estimates: message.estimates.map(estimateFrom),
    allowed: Number(message.allowed),
    covered: Number(message.covered),
    drawn: Number(message.drawn),
    lookedAt: Number(message.lookedAt),
    noticedFirst: Number(message.noticedFirst),
    noticesUpheld: Number(message.noticesUpheld),
    fewest: message.fewest,
  };
}

function estimateFrom(message: wire.ErrorEstimate): ErrorEstimate {
  const { measure, dimension, value, estimate, lower, upper, judged, offers, listings } = message;
  return { measure, dimension, value, estimate, lower, upper, judged: Number(judged), offers: Number(offers), listings: Number(listings) };
}

function numbers(counts: Readonly<Record<string, bigint>>): Record<string, number> {
  return Object.fromEntries(Object.entries(counts).map(([key, count]) => [key, Number(count)]));
}
