/** Options of a client from variables of the environment: the same as the Python client's `wildgate.lifecycle` reads. */

import { readFileSync } from "node:fs";

import type { ClientOptions } from "./config.js";
import { WildgateConfigurationError } from "./errors.js";

const PREFIX = "WILDGATE_CLIENT_";
const TEXTS = { TARGET: "target", ON_UNAVAILABLE: "onUnavailable", API_KEY: "apiKey", EXPLAIN: "explain", SPAN_UNIT: "spanUnit" } as const;
const FILES = { ROOT_CERTIFICATES: "rootCertificates", PRIVATE_KEY: "privateKey", CERTIFICATE_CHAIN: "certificateChain" } as const;

type Options = { -readonly [Name in keyof ClientOptions]?: ClientOptions[Name] | string };

/**
 * Read WILDGATE_CLIENT_TARGET, _ON_UNAVAILABLE, _API_KEY, _TIMEOUT_SECONDS, _INSECURE (true or false), _EXPLAIN, _SPAN_UNIT, and the
 * PEM files _ROOT_CERTIFICATES, _PRIVATE_KEY and _CERTIFICATE_CHAIN. An empty variable counts as none. Throws
 * WildgateConfigurationError naming a variable that is unknown or cannot be read.
 */
export function optionsFromEnvironment(environment: NodeJS.ProcessEnv): Partial<ClientOptions> {
  const options: Options = {};
  for (const [variable, text] of Object.entries(environment)) {
    if (variable.startsWith(PREFIX) && text) Object.assign(options, optionFrom(variable, text));
  }
  return options as Partial<ClientOptions>;
}

function optionFrom(variable: string, text: string): Options {
  const name = variable.slice(PREFIX.length);
  if (isKey(TEXTS, name)) return { [TEXTS[name]]: text };
  if (isKey(FILES, name)) return { [FILES[name]]: fileOf(variable, text) };
  if (name === "TIMEOUT_SECONDS") return { timeoutMs: secondsOf(variable, text) * 1000 };
  if (name === "INSECURE") return { insecure: truthOf(variable, text) };
  throw new WildgateConfigurationError(`${variable} is not a variable of the client`);
}

function isKey<Table extends object>(table: Table, name: string): name is Extract<keyof Table, string> {
  return Object.hasOwn(table, name);
}

function fileOf(variable: string, path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new WildgateConfigurationError(`${variable} names a file that cannot be read: ${path}`, { cause });
  }
}

function secondsOf(variable: string, text: string): number {
  const seconds = Number(text);
  if (Number.isFinite(seconds) && seconds > 0) return seconds;
  throw new WildgateConfigurationError(`${variable} must be a positive number of seconds, not ${JSON.stringify(text)}`);
}

function truthOf(variable: string, text: string): boolean {
  const word = text.toLowerCase();
  if (word === "true" || word === "1") return true;
  if (word === "false" || word === "0") return false;
  throw new WildgateConfigurationError(`${variable} must be true or false, not ${JSON.stringify(text)}`);
}
