/** The real service and the proxy that breaks connections, as processes that tests start and end. */

import { type ChildProcessWithoutNullStreams, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface, type Interface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const ROOT = fileURLToPath(new URL("../../../..", import.meta.url));
const BIN = process.env.WILDGATE_TEST_BIN ?? join(ROOT, ".venv/bin");
const READY = "wildgate: serving on ";
const run = promisify(execFile);

type Settings = Readonly<Record<string, string | number | boolean>>;

/** A process that says a line when it is ready and perhaps more later. */
class Talking {
  readonly process: ChildProcessWithoutNullStreams;
  readonly #lines: Interface;

  constructor(command: string, commandArguments: readonly string[]) {
    this.process = spawn(command, commandArguments, { env: environment(), detached: true });
    this.#lines = createInterface(this.process.stdout);
    this.process.stderr.resume();
  }

  /** The next line; rejects if the process ends before it. */
  async line(): Promise<string> {
    const ended = once(this.process, "exit").then(([code]) => {
      throw new Error(`the process ended with ${String(code)} before it was ready`);
    });
    const [line] = (await Promise.race([once(this.#lines, "line"), ended])) as [string];
    ended.catch(() => undefined);
    return line;
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const exit = once(this.process, "exit");
    this.process.kill(signal);
    await exit;
  }
}

/** A running `wildgate serve`, in a folder of its own. */
export class Service {
  readonly folder = mkdtempSync(join(tmpdir(), "wildgate-"));
  target = "";
  readonly #config = join(this.folder, "wildgate.toml");
  #process: Talking | undefined;

  constructor(settings: Settings = {}) {
    this.set(settings);
  }

  /** Its settings, before it starts. */
  set(settings: Settings): void {
    const all = { port: 0, workers: 1, store: `sqlite:///${this.folder}/wildgate.db`, ...settings };
    const lines = Object.entries(all).map(([name, value]) => `${name} = ${JSON.stringify(value)}\n`);
    writeFileSync(this.#config, lines.join(""));
  }

  /** Start it, on the port that it had before if it had one. */
  async start(): Promise<this> {
    const port = this.target === "" ? [] : ["--port", this.target.slice(this.target.lastIndexOf(":") + 1)];
    this.#process = new Talking(join(BIN, "wildgate"), ["serve", "--config", this.#config, ...port]);
    this.target = (await this.#process.line()).slice(READY.length).trim();
    return this;
  }

  /** End it at once, workers and all: they share its process group. */
  async kill(): Promise<void> {
    const child = this.#process?.process;
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, "exit");
    process.kill(-child.pid, "SIGKILL");
    await exit;
  }

  /** End it as its operators do, and forget what it recorded. */
  async stop(): Promise<void> {
    await this.#process?.end("SIGTERM");
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Run a command of `wildgate` with its settings; resolves to what it printed. */
  async command(...words: string[]): Promise<string> {
    const { stdout } = await run(join(BIN, "wildgate"), words, { env: { ...environment(), WILDGATE_CONFIG: this.#config } });
    return stdout;
  }

  /** A new API key. */
  async key(tenant: string, ...scopes: string[]): Promise<string> {
    const printed = await this.command("keys", "create", "--tenant", tenant, ...scopes.flatMap((scope) => ["--scope", scope]));
    const found = /wg_\w+/.exec(printed);
    if (found === null) throw new Error("no key was printed");
    return found[0];
  }
}

/** A proxy between a client and a service; `benchmarks/load/fault_proxy.py` names the faults. */
export class FaultProxy {
  target = "";
  readonly #process: Talking;

  private constructor(upstream: string) {
    this.#process = new Talking(join(BIN, "python"), [join(ROOT, "sdk/typescript/test/support/fault_proxy.py"), upstream]);
  }

  static async before(upstream: string): Promise<FaultProxy> {
    const proxy = new FaultProxy(upstream);
    proxy.target = await proxy.#process.line();
    return proxy;
  }

  /** Resolves when the fault holds. */
  async set(fault: string): Promise<void> {
    const answer = this.#process.line();
    this.#process.process.stdin.write(`${fault}\n`);
    await answer;
  }

  async stop(): Promise<void> {
    await this.#process.end("SIGKILL");
  }
}

/** Wait until a condition holds; how long it takes is not what is tested. */
export async function until(condition: () => Promise<boolean> | boolean): Promise<void> {
  const ends = performance.now() + 60_000;
  while (!(await condition())) {
    if (performance.now() > ends) throw new Error("waited in vain");
    await new Promise((go) => setTimeout(go, 20));
  }
}

/** A file of the repository. */
export function repositoryFile(path: string): string {
  return readFileSync(join(ROOT, path), "utf8");
}

/** Ours without settings that somebody may have set for a service or client of their own. */
function environment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith("WILDGATE_") || name === "WILDGATE_CACHE");
  return Object.fromEntries(kept);
}
