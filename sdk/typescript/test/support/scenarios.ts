/** The scenarios that clients in every language share: tests/integration/scenarios.json says what they mean. */

import type { Attributes, ContentKind, Listing, OnUnavailable, Span, SpanUnit } from "../../src/index.js";
import { repositoryFile } from "./processes.js";

type Repeated<Value> = Value | { readonly repeat: Value; readonly times: number };
type Given = Readonly<Record<string, Repeated<string> | Repeated<readonly [string, Repeated<string>]>[]>>;

interface Scenarios {
  readonly scored: readonly {
    readonly name: string;
    readonly listing: Given;
    readonly action: string;
    readonly taxon_groups: readonly string[];
    readonly matches: readonly {
      readonly rule_id: string;
      readonly field: string;
      readonly surface: string;
      readonly spans: Readonly<Record<SpanUnit, readonly [number, number]>>;
    }[];
  }[];
  readonly refused: readonly {
    readonly name: string;
    readonly listing: Given;
    readonly reason: string;
    readonly metadata: Readonly<Record<string, string>>;
  }[];
  readonly accepted: readonly { readonly name: string; readonly listing: Given }[];
  readonly faults: readonly { readonly fault: string; readonly degraded: string; readonly error: string }[];
  readonly raised: readonly { readonly fault: string; readonly error: string; readonly reason: string }[];
}

export const SCENARIOS = JSON.parse(repositoryFile("tests/integration/scenarios.json")) as Scenarios;
export const POLICIES: readonly OnUnavailable[] = ["allow", "review", "block"];

/** The listing of a scenario. */
export function listingOf(given: Given): Listing {
  const named = Object.entries(given).map(([name, value]) => [camelCase(name), written(value)]);
  return Object.fromEntries(named) as { attributes?: Attributes; contentKind?: ContentKind };
}

/** A span as scenarios write it. */
export function pair({ start, end }: Span): readonly [number, number] {
  return [start, end];
}

function written(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(written);
  if (typeof value !== "object" || value === null) return value;
  const { repeat, times } = value as { repeat: unknown; times: number };
  return typeof repeat === "string" ? repeat.repeat(times) : Array.from({ length: times }, () => repeat);
}

function camelCase(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
