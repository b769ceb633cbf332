/** The text to score and what the platform knows of it. */

import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";

import { type Listing as ListingMessage, ContentKindSchema, ListingSchema } from "./gen/wildgate/v1/types_pb.js";
import { checkText, checkTime, invalid, MAX_ATTRIBUTES, MAX_DESCRIPTION, MAX_SHORT_TEXT, MAX_TITLE, tooMuch } from "./limits.js";
import { type ContentKind, CONTENT_KINDS, numberOf, readWord } from "./words.js";

/** One name and value of the listing's form; both at most 256 code points, both scored. */
export interface Attribute {
  readonly name: string;
  readonly value: string;
}

/**
 * What `Listing.attributes` may be, at most 64. Matches name an attribute by its position; an object's keys that look like
 * whole numbers come first in JavaScript, so give attributes or pairs where names may be numbers.
 */
export type Attributes = Readonly<Record<string, string>> | readonly (Attribute | readonly [name: string, value: string])[];

/** A listing, post or booking. */
export interface Listing {
  /** The platform's own id, at most 256 code points. */
  readonly id?: string;
  /** At most 1,000 code points. */
  readonly title?: string;
  /** At most 20,000 code points. */
  readonly description?: string;
  readonly attributes?: Attributes;
  /** Left out: a listing. */
  readonly contentKind?: ContentKind;
  /** The platform's category as text, at most 256 code points; not scored. */
  readonly category?: string;
  /** BCP 47 hint; left out: the service finds it. */
  readonly language?: string;
  /** ISO 3166-1 alpha-2; left out: unknown, any protection list counts. */
  readonly market?: string;
  /** Opaque, at most 256 code points; the service stores only a keyed hash of it. */
  readonly sellerRef?: string;
  readonly postedTime?: Date;
}

const SHORT_FIELDS = ["id", "category", "language", "market", "sellerRef"] as const;
const FIELDS: ReadonlySet<string> = new Set([...SHORT_FIELDS, "title", "description", "attributes", "contentKind", "postedTime"]);

/** Check a listing as the service would, and write its message; throws WildgateInvalidRequestError for the first fault. */
export function listingMessage(listing: Listing): ListingMessage {
  checkShape(listing);
  checkText("title", listing.title, MAX_TITLE);
  checkText("description", listing.description, MAX_DESCRIPTION);
  for (const field of SHORT_FIELDS) checkText(field, listing[field], MAX_SHORT_TEXT);
  checkTime("postedTime", listing.postedTime);
  const { id, postedTime, contentKind = "listing", attributes = [], ...texts } = listing;
  return create(ListingSchema, {
    ...texts,
    listingId: id ?? "",
    contentKind: numberOf(ContentKindSchema, readWord(CONTENT_KINDS, contentKind, "contentKind")),
    attributes: checkedAttributes(attributes),
    ...(postedTime && { postedTime: timestampFromDate(postedTime) }),
  });
}

/** The text of a field as `Match.field` names it; undefined if the listing has no such field. */
export function textOf(listing: Listing, field: string): string | undefined {
  if (field === "title" || field === "description") return listing[field] ?? "";
  const parts = /^attributes\[(\d+)\]\.(name|value)$/.exec(field);
  if (parts === null) return undefined;
  const attribute = readAttributes(listing.attributes ?? [])[Number(parts[1])];
  return parts[2] === "name" ? attribute?.name : attribute?.value;
}

function checkShape(listing: unknown): void {
  if (typeof listing !== "object" || listing === null) throw invalid("a listing is needed, an object such as { title: \"…\" }", "listing");
  const unknown = Object.keys(listing).find((key) => !FIELDS.has(key));
  if (unknown !== undefined) throw invalid(`a listing has no field ${unknown}; its fields are ${[...FIELDS].sort().join(", ")}`, unknown);
}

function checkedAttributes(given: Attributes): Attribute[] {
  const attributes = readAttributes(given);
  if (attributes.length > MAX_ATTRIBUTES) {
    const message = `the listing has ${attributes.length} attributes; at most ${MAX_ATTRIBUTES} are allowed`;
    throw tooMuch("TOO_MANY_ITEMS", message, "attributes", MAX_ATTRIBUTES, attributes.length);
  }
  attributes.forEach(({ name, value }, index) => {
    checkText(`attributes[${index}].name`, name, MAX_SHORT_TEXT);
    checkText(`attributes[${index}].value`, value, MAX_SHORT_TEXT);
  });
  return attributes;
}

function readAttributes(given: Attributes): Attribute[] {
  const listed = isList(given) ? given : Object.entries(given);
  return listed.map((each) => (isPair(each) ? { name: each[0], value: each[1] } : { name: each.name, value: each.value }));
}

function isList(given: Attributes): given is readonly (Attribute | readonly [string, string])[] {
  return Array.isArray(given);
}

function isPair(each: Attribute | readonly [string, string]): each is readonly [string, string] {
  return Array.isArray(each);
}
