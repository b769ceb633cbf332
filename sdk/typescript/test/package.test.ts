/** What is published: the package as `npm pack` makes it, and the first screen of its README. */

import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { afterAll, beforeAll, expect, inject, test } from "vitest";

const run = promisify(execFile);
const HERE = fileURLToPath(new URL("..", import.meta.url));
const README = readFileSync(join(HERE, "README.md"), "utf8");
const folder = mkdtempSync(join(tmpdir(), "wildgate-package-"));
let files: string[];

beforeAll(async () => {
  // It builds `dist` first, which the README's script imports by the package's own name.
  const { stdout } = await run("npm", ["pack", "--json", "--loglevel=error", "--pack-destination", folder], { cwd: HERE });
  const [packed] = JSON.parse(stdout.slice(stdout.indexOf("[\n"))) as [{ files: { path: string }[] }];
  files = packed.files.map(({ path }) => path);
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

test("the package holds its code, README, licence and nothing else", () => {
  expect(files.filter((path) => !path.startsWith("dist/")).sort()).toEqual(["LICENSE", "README.md", "package.json"]);
  expect(files.every((path) => /^(dist\/.*\.(js|d\.ts)|[A-Z]+(\.md)?|package\.json)$/.test(path))).toBe(true);
});

/** Run a script with the package, as its users import it; resolves to the lines that it prints. */
async function linesOf(script: string): Promise<string[]> {
  const led = script.replace("127.0.0.1:50051", inject("target")).replace("insecure: true", "insecure: true, timeoutMs: 10_000");
  const { stdout } = await run(process.execPath, ["--input-type=module", "--eval", led], { cwd: HERE, timeout: 60_000 });
  return stdout.trim().split("\n");
}

test("the README's scripts run", async () => {
  const scripts = [...README.matchAll(/```js\n([^]*?)```/g)].map(([, script]) => script).join("\n");
  const lines = await linesOf(`${scripts.replace("wildgate.close();", "")}; wildgate.close(); console.log(html);`);
  expect(lines.slice(2)).toEqual(["0 allow", "1 FIELD_TOO_LONG", "🐘 <mark>Elephant ivory</mark> bangle"]);
  expect(lines[1]).toBe(/console\.log\(decision\.highlight\(listing\)\); \/\/ (.*)/.exec(README)?.[1]);
});

test("a client that nobody closes does not keep a process from ending", async () => {
  const client = 'new WildgateClient({ target: "127.0.0.1:50051", insecure: true, onUnavailable: "raise" })';
  const lines = await linesOf(`import { WildgateClient } from "@wildgate/client"; console.log((await ${client}.score({ title: "Lamp" })).action);`);
  expect(lines).toEqual(["allow"]);
});

test("nor does one of a service that is away", async () => {
  const client = 'new WildgateClient({ target: "127.0.0.1:1", insecure: true, onUnavailable: "block", logger: { warn() {} } })';
  const lines = await linesOf(`import { WildgateClient } from "@wildgate/client"; console.log((await ${client}.score({ title: "Lamp" })).action);`);
  expect(lines).toEqual(["block"]);
});
