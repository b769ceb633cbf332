/**
 * Positions in text: code points, UTF-16 code units and UTF-8 bytes, and marking what they enclose.
 *
 * JavaScript indexes strings by UTF-16 units, so one emoji is two; Python counts code points, Go and Rust bytes.
 */

import type { SpanUnit } from "./words.js";

/** Half-open range in the field exactly as it was sent, in the decision's `spanUnit`. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** How to mark matches in a text. */
export interface HighlightOptions {
  readonly before?: string;
  readonly after?: string;
  /** For a web page: the text is the seller's. */
  readonly escape?: (text: string) => string;
}

/**
 * Turn a position counted in `unit` into an index into the string `text`; past the end is the end.
 *
 * A position inside a character, which no correct service sends, is rounded down to its start.
 */
export function toStringIndex(text: string, position: number, unit: SpanUnit): number {
  if (unit === "utf16") return Math.min(position, text.length);
  let index = 0;
  let counted = 0;
  for (const character of text) {
    counted += widthOf(character, unit);
    if (counted > position) break;
    index += character.length;
  }
  return index;
}

/** Turn an index into the string `text` into a position counted in `unit`. */
export function fromStringIndex(text: string, index: number, unit: SpanUnit): number {
  const before = text.slice(0, index);
  if (unit === "utf16") return before.length;
  let counted = 0;
  for (const character of before) counted += widthOf(character, unit);
  return counted;
}

/** The part of `text` that a span encloses. */
export function cut(text: string, span: Span, unit: SpanUnit): string {
  return text.slice(toStringIndex(text, span.start, unit), toStringIndex(text, span.end, unit));
}

/** Put `before` and `after` around each range, joining those that overlap. */
export function mark(text: string, spans: readonly Span[], unit: SpanUnit, options: HighlightOptions = {}): string {
  const { before = "[", after = "]", escape = String } = options;
  const ranges = spans.map((span) => ({ start: toStringIndex(text, span.start, unit), end: toStringIndex(text, span.end, unit) }));
  let marked = "";
  let position = 0;
  for (const { start, end } of joined(ranges)) {
    marked += escape(text.slice(position, start)) + before + escape(text.slice(start, end)) + after;
    position = end;
  }
  return marked + escape(text.slice(position));
}

function joined(ranges: Span[]): Span[] {
  const sorted = ranges.filter(({ start, end }) => start < end).sort((one, other) => one.start - other.start);
  const result: { start: number; end: number }[] = [];
  for (const range of sorted) {
    const last = result.at(-1);
    if (last !== undefined && range.start <= last.end) last.end = Math.max(last.end, range.end);
    else result.push({ ...range });
  }
  return result;
}

function widthOf(character: string, unit: SpanUnit): number {
  return unit === "utf8" ? Buffer.byteLength(character) : 1;
}
