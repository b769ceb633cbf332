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

test("the README's first script runs", async () => {
  const script = /```js\n([^]*?)```/.exec(README)?.[1]?.replace("127.0.0.1:50051", inject("target")).replace("insecure: true", "insecure: true, timeoutMs: 10_000");
  const { stdout } = await run(process.execPath, ["--input-type=module", "--eval", script ?? ""], { cwd: HERE });
  const lines = stdout.trim().split("\n");
  expect(lines).toHaveLength(2);
  expect(lines[1]).toBe(/console\.log\(decision\.highlight\(listing\)\); \/\/ (.*)/.exec(README)?.[1]);
});
