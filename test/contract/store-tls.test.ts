import { randomUUID } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { expect, onTestFinished, test } from "vitest";
import { createStore } from "../../operator/adapters/redis/store.ts";
import { connectRedis } from "../../worker/adapters/redis.ts";
import { openLeases } from "../../worker/leases/leases.ts";
import { startRedis } from "../cluster/cluster.ts";
import { run } from "../cluster/commands.ts";
import { freePorts } from "../cluster/network.ts";

/** A key and a certificate for 127.0.0.1 that vouches for itself. */
async function selfSigned(): Promise<{ readonly key: string; readonly certificate: string }> {
  const folder = await mkdtemp(join(tmpdir(), "longshore-tls-"));
  const files = ["-keyout", "key.pem", "-out", "cert.pem"];
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const name = ["-subj", "/CN=store", "-addext", "subjectAltName=IP:127.0.0.1"];
  await run("openssl", ["req", "-x509", ...curve, "-days", "30", ...name, ...files], { cwd: folder, step: "make a certificate" });
  const [key, certificate] = await Promise.all([readFile(join(folder, "key.pem"), "utf8"), readFile(join(folder, "cert.pem"), "utf8")]);
  await rm(folder, { recursive: true, force: true });
  return { key, certificate };
}

test("rediss:// is TLS: nothing is said to a server that nobody vouches for, and leases work on one that is known", async () => {
  const { key, certificate } = await selfSigned();
  const [port = 0] = await freePorts(1);
  const tls = ["cert-file /var/lib/redis/cert.pem", "key-file /var/lib/redis/key.pem", "auth-clients no"].map((line) => `tls-${line}`);
  await using server = await startRedis({
    name: "store-tls",
    config: [`tls-port ${port}`, ...tls].join("\n"),
    files: { "key.pem": key, "cert.pem": certificate },
  });
  const url = `rediss://:${server.password}@127.0.0.1:${port}/0`;

  const told = Promise.withResolvers<{ up: boolean; error?: string }>();
  {
    await using _stranger = connectRedis({ url, name: "stranger", onChange: told.resolve });
    expect(await told.promise).toMatchObject({ up: false, error: expect.stringContaining("self-signed") });
  }
  await using refused = createStore({ uri: url });
  await expect(refused.probe()).rejects.toMatchObject({ failure: "StoreUnreachable", message: expect.stringContaining("self-signed") });

  const before = getCACertificates("default");
  onTestFinished(() => setDefaultCACertificates(before));
  setDefaultCACertificates([...before, certificate]);
  await using store = connectRedis({ url, name: "known", onChange: () => {} });
  const leases = openLeases(store);
  const asked = { key: randomUUID(), owner: "a", fingerprint: "", mode: "at-most-once", attempt: 0, taskId: "t" } as const;
  const begun = await leases.begin(asked);
  expect(begun).toMatchObject({ kind: "held" });
  expect(await leases.begin({ ...asked, owner: "b" })).toMatchObject({ kind: "busy" });
  await using known = createStore({ uri: url });
  expect(await known.probe()).toMatchObject({ evictionPolicy: "noeviction", clustered: false });
});
