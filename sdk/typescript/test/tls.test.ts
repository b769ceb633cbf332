/** TLS, mutual TLS and keys, with a real service that demands them. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { generate, type GenerateResult } from "selfsigned";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { type ClientOptions, WildgateClient } from "../src/index.js";
import { Service, until } from "./support/processes.js";

const LISTING = { title: "Desk lamp, brass" };
const QUIET = { warn: () => undefined };

/** A certificate for this machine, signed by itself, so that it is its own authority. */
function certificate(name: string): Promise<GenerateResult> {
  const address = { name: "subjectAltName" as const, altNames: [{ type: 7 as const, ip: "127.0.0.1" }] };
  const authority = { name: "basicConstraints", cA: true } as const;
  return generate([{ name: "commonName", value: name }], { keyType: "ec", algorithm: "sha256", extensions: [authority, address] });
}

async function scored(options: ClientOptions): Promise<boolean> {
  const client = new WildgateClient({ timeoutMs: 5_000, logger: QUIET, ...options });
  try {
    return (await client.score(LISTING)).answered;
  } finally {
    client.close();
  }
}

describe("a service with TLS that wants a client's certificate", () => {
  let service: Service;
  let server: GenerateResult;
  let seller: GenerateResult;
  beforeAll(async () => {
    [server, seller] = await Promise.all([certificate("server"), certificate("client")]);
    service = new Service();
    const file = (name: string, pem: string): string => {
      const path = join(service.folder, name);
      writeFileSync(path, pem);
      return path;
    };
    service.set({
      tls_certificate: file("server.crt", server.cert),
      tls_private_key: file("server.key", server.private),
      tls_client_ca: file("clients.crt", seller.cert),
    });
    await service.start();
  });
  afterAll(async () => {
    await service.stop();
  });

  test("answers who has one", async () => {
    const { cert: certificateChain, private: privateKey } = seller;
    const options = { target: service.target, rootCertificates: server.cert, certificateChain, privateKey, onUnavailable: "raise" } as const;
    expect(await scored(options)).toBe(true);
  });

  test("is out of reach for who has none", async () => {
    expect(await scored({ target: service.target, rootCertificates: server.cert, onUnavailable: "review" })).toBe(false);
  });

  test("is out of reach for who does not trust it, and waiting says why", async () => {
    const client = new WildgateClient({ target: service.target, onUnavailable: "review", logger: QUIET });
    await expect(client.waitReady({ timeoutMs: 1_500 })).rejects.toThrow(/self.signed certificate/);
    client.close();
  });
});

describe("a service that wants a key", () => {
  const service = new Service({ require_keys: "always" });
  let apiKey: string;
  beforeAll(async () => {
    await service.start();
    apiKey = await service.key("shop", "score");
    await until(() => scored({ target: service.target, insecure: true, apiKey, onUnavailable: "raise" }).catch(() => false));
  });
  afterAll(async () => {
    await service.stop();
  });

  test("refuses a call without one, whatever the policy", async () => {
    const call = scored({ target: service.target, insecure: true, onUnavailable: "allow" });
    await expect(call).rejects.toMatchObject({ name: "WildgateAuthenticationError", reason: "API_KEY_INVALID" });
  });

  test("takes one from the environment", async () => {
    const environment = {
      WILDGATE_CLIENT_TARGET: service.target,
      WILDGATE_CLIENT_INSECURE: "true",
      WILDGATE_CLIENT_API_KEY: apiKey,
      WILDGATE_CLIENT_ON_UNAVAILABLE: "raise",
      WILDGATE_CLIENT_TIMEOUT_SECONDS: "5",
    };
    const client = WildgateClient.fromEnvironment({}, environment);
    expect((await client.score(LISTING)).answered).toBe(true);
    client.close();
  });
});
