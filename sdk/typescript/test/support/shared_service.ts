/** One service for all tests that change no setting, key or limit of it. */

import type { TestProject } from "vitest/node";

import { Service } from "./processes.js";

declare module "vitest" {
  interface ProvidedContext {
    target: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const service = await new Service().start();
  project.provide("target", service.target);
  return () => service.stop();
}
