/**
 * Checks made before anything is sent: the same limits and reasons as the service's own.
 *
 * Lengths are in code points, as the service counts them. Messages name fields and sizes, never text.
 */

import { WildgateInvalidRequestError } from "./errors.js";

export const MAX_TITLE = 1_000;
export const MAX_DESCRIPTION = 20_000;
export const MAX_ATTRIBUTES = 64;
export const MAX_SHORT_TEXT = 256;
export const MAX_BATCH = 256;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const LONE_SURROGATE = /\p{Surrogate}/u;
const NUMBERS = new Intl.NumberFormat("en-US");

/** Throw unless `text` is left out, or a string of at most `limit` code points without halves of characters. */
export function checkText(field: string, text: unknown, limit: number): void {
  if (text === undefined) return;
  if (typeof text !== "string") throw invalid(`${field} must be a string, not ${typeof text}`, field);
  // A string of so many UTF-16 units has no more code points.
  const length = text.length <= limit ? text.length : codePoints(text);
  if (length > limit) {
    const message = `${field} has ${NUMBERS.format(length)} code points; at most ${NUMBERS.format(limit)} are allowed`;
    throw tooMuch("FIELD_TOO_LONG", message, field, limit, length);
  }
  checkWellFormed(field, text);
}

/** The UUID in its usual spelling. */
export function checkId(field: string, value: unknown): string {
  if (typeof value === "string" && UUID.test(value)) return value.toLowerCase();
  throw invalid(`${field} must be a UUID, such as uuidv7() makes`, field);
}

/** Throw for a date that is none. */
export function checkTime(field: string, value: unknown): void {
  if (value === undefined) return;
  if (!(value instanceof Date) || Number.isNaN(value.getTime())) throw invalid(`${field} must be a valid Date`, field);
}

/** The error of something that is longer or more than allowed. */
export function tooMuch(reason: string, message: string, field: string, limit: number, actual: number): WildgateInvalidRequestError {
  const metadata = { field: wireName(field), limit: String(limit), actual: String(actual) };
  return new WildgateInvalidRequestError(message, { reason, metadata });
}

function codePoints(text: string): number {
  let count = 0;
  for (const character of text) count += character.length > 0 ? 1 : 0;
  return count;
}

function checkWellFormed(field: string, text: string): void {
  const found = LONE_SURROGATE.exec(text);
  if (found === null) return;
  const code = found[0].charCodeAt(0).toString(16).toUpperCase();
  const message =
    `${field} holds a lone surrogate, U+${code}, at ${found.index}: half of a character, ` +
    "left by a cut in the middle of one; cut by code points or replace it";
  throw invalid(message, field);
}

/** The error of something that cannot be read. */
export function invalid(message: string, field: string): WildgateInvalidRequestError {
  return new WildgateInvalidRequestError(message, { reason: "FIELD_INVALID", metadata: { field: wireName(field) } });
}

/** The contract's name of a field, so that `metadata.field` is the same whoever found the fault. */
function wireName(field: string): string {
  return field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
