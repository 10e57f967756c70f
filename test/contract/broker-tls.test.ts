import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer } from "node:tls";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { BrokerEndpoint } from "../../operator/adapters/ports.ts";
import { connectTopology } from "../../operator/adapters/rabbitmq/management.ts";
import { brokerEndpoint } from "../../operator/kinds/broker/endpoint.ts";
import { type Broker, broker } from "../cluster/cluster.ts";
import { run } from "../cluster/commands.ts";

/** TLS in front of a port, for clients with a certificate of the authority only, as RabbitMQ has it with fail_if_no_peer_cert. */
async function inFront(
  target: URL,
  pem: { readonly ca: string; readonly cert: string; readonly key: string },
): Promise<AsyncDisposable & { port: number }> {
  const server = createServer({ ...pem, requestCert: true, rejectUnauthorized: true }, (client) => {
    const upstream = connect(Number(target.port), target.hostname);
    client.on("error", () => upstream.destroy());
    upstream.on("error", () => client.destroy());
    client.pipe(upstream).pipe(client);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { port: (server.address() as AddressInfo).port, [Symbol.asyncDispose]: async () => void server.close() };
}

let stack: AsyncDisposableStack;
let server: Broker;
let endpoint: BrokerEndpoint;
let trust: { readonly ca: string; readonly cert: string; readonly key: string };
beforeAll(async () => {
  stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "broker-tls-"));
  stack.defer(() => rm(folder, { recursive: true }));
  const openssl = (...args: readonly string[]) => run("openssl", [...args], { cwd: folder, step: "make certificates" });
  const fresh = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  await openssl("req", "-x509", ...fresh, "-days", "2", "-subj", "/CN=a private authority", "-keyout", "ca.key", "-out", "ca.crt");
  await writeFile(join(folder, "ext"), "subjectAltName=DNS:localhost,IP:127.0.0.1");
  for (const name of ["server", "client"]) {
    await openssl("req", ...fresh, "-subj", `/CN=${name}`, "-keyout", `${name}.key`, "-out", `${name}.csr`);
    const sign = ["-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "ext"];
    await openssl("x509", "-req", "-in", `${name}.csr`, ...sign, "-out", `${name}.crt`);
  }
  const read = (name: string) => readFile(join(folder, name), "utf8");
  const ca = await read("ca.crt");
  trust = { ca, cert: await read("client.crt"), key: await read("client.key") };
  const pem = { ca, cert: await read("server.crt"), key: await read("server.key") };
  server = await broker("4.0");
  const [amqp, management] = [await inFront(new URL(server.uri), pem), await inFront(new URL(server.managementUri), pem)];
  stack.use(amqp);
  stack.use(management);
  const login = `${server.username}:${encodeURIComponent(server.password)}`;
  const made = brokerEndpoint(`amqps://${login}@localhost:${amqp.port}/`, `https://${login}@localhost:${management.port}`);
  if (!("host" in made)) throw new Error(made.message);
  endpoint = made;
}, 240_000);
afterAll(() => stack?.disposeAsync());

const probe = async (to: BrokerEndpoint) => {
  await using port = connectTopology(to, { random: Math.random });
  return await port.probe();
};

test("with its authority and a client certificate both doors open", async () => {
  expect((await probe({ ...endpoint, trust })).version).toMatch(/^4\.0/);
});

test("an authority that nobody vouches for is refused, and the message shows no login", async () => {
  const failure = await probe(endpoint).catch((error: unknown) => error);
  expect(failure).toMatchObject({ name: "BrokerError", failure: "unreachable" });
  expect(String(failure)).not.toContain(server.password);
});

test("without a client certificate the door stays closed", async () => {
  await expect(probe({ ...endpoint, trust: { ca: trust.ca } })).rejects.toMatchObject({ name: "BrokerError", failure: "unreachable" });
});
