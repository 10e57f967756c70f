import { type ChildProcess, spawn } from "node:child_process";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { kubernetes } from "../cluster/go-binaries.ts";
import { freePorts } from "../cluster/network.ts";

export interface Output {
  readonly code: number;
  readonly out: string;
  readonly error: string;
}

/** A real API server with nothing behind it: objects are stored and checked, and no controller, scheduler or kubelet acts on them. */
export interface ApiServer extends AsyncDisposable {
  /** The path of a kubeconfig with all rights. */
  readonly kubeconfig: string;
  /** Runs kubectl to its end; a failure is in the answer, not thrown. */
  kubectl(args: readonly string[], input?: string): Promise<Output>;
  /** Runs any program with KUBECONFIG set, as `kubectl` does. */
  run(program: string, args: readonly string[], input?: string): Promise<Output>;
  /** A kubeconfig that logs in with another token. */
  kubeconfigOf(token: string): Promise<string>;
}

/**
 * Starts a private etcd and API server on loopback; about three seconds. CRDs and roles belong to a whole cluster: tests that install, upgrade and
 * remove them do it here, and not under the feet of others. Ends and removes everything when disposed.
 */
export async function startApiServer(): Promise<ApiServer> {
  const folder = await mkdtemp(join(tmpdir(), "longshore-api-"));
  const file = (name: string) => join(folder, name);
  const [client = 0, peer = 0, port = 0] = await freePorts(3);
  const token = randomBytes(16).toString("hex");
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2_048 });
  await Promise.all([
    writeFile(file("sa.key"), privateKey.export({ type: "pkcs1", format: "pem" })),
    writeFile(file("sa.pub"), publicKey.export({ type: "spki", format: "pem" })),
    writeFile(file("tokens.csv"), `${token},admin,admin,"system:masters"\n`),
  ]);
  const etcd = `http://127.0.0.1:${client}`;
  const children = [
    spawn(
      await kubernetes("etcd"),
      flags({
        "data-dir": file("etcd"),
        "listen-client-urls": etcd,
        "advertise-client-urls": etcd,
        "listen-peer-urls": `http://127.0.0.1:${peer}`,
        "unsafe-no-fsync": "true",
        "log-level": "error",
      }),
    ),
    spawn(
      await kubernetes("kube-apiserver"),
      flags({
        "etcd-servers": etcd,
        "cert-dir": file("certs"),
        "bind-address": "127.0.0.1",
        "secure-port": String(port),
        "service-cluster-ip-range": "10.46.0.0/16",
        "service-account-key-file": file("sa.pub"),
        "service-account-signing-key-file": file("sa.key"),
        "service-account-issuer": "https://kubernetes.default.svc",
        "token-auth-file": file("tokens.csv"),
        "authorization-mode": "RBAC",
        // There is no controller to make the service accounts that this plugin asks for.
        "disable-admission-plugins": "ServiceAccount",
      }),
    ),
  ];
  const said: Buffer[] = [];
  for (const { stderr } of children) stderr.on("data", (chunk: Buffer) => said.push(chunk));

  const kubectlPath = await kubernetes("kubectl");
  const kubeconfigOf = async (bearer: string): Promise<string> => {
    const path = file(`${bearer.slice(-12)}.conf`);
    const ca = (await readFile(file("certs/apiserver.crt"))).toString("base64");
    await writeFile(path, JSON.stringify(kubeconfig(port, bearer, ca)));
    return path;
  };
  const stop = async (): Promise<void> => {
    for (const child of children.toReversed()) await end(child);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await until(`https://127.0.0.1:${port}/readyz`, children, kubectlPath, token, () => Buffer.concat(said).toString().slice(-2_000));
  } catch (error) {
    await stop();
    throw error;
  }
  const admin = await kubeconfigOf(token);
  const run = (program: string, args: readonly string[], input = "") => collect(program, args, input, admin);
  return { kubeconfig: admin, kubeconfigOf, run, kubectl: (args, input) => run(kubectlPath, args, input), [Symbol.asyncDispose]: stop };
}

const flags = (table: Readonly<Record<string, string>>) => Object.entries(table).map(([name, value]) => `--${name}=${value}`);

const kubeconfig = (port: number, token: string, ca: string) => ({
  apiVersion: "v1",
  kind: "Config",
  clusters: [{ name: "test", cluster: { server: `https://127.0.0.1:${port}`, "certificate-authority-data": ca } }],
  users: [{ name: "test", user: { token } }],
  contexts: [{ name: "test", context: { cluster: "test", user: "test", namespace: "default" } }],
  "current-context": "test",
});

/** Asks with kubectl, which needs no certificate for this question, until the server is ready. */
async function until(url: string, children: readonly ChildProcess[], kubectl: string, token: string, log: () => string): Promise<void> {
  const { origin, pathname } = new URL(url);
  for (let tries = 0; tries < 150; tries += 1) {
    if (children.some(({ exitCode }) => exitCode !== null)) throw new Error(`the API server ended:\n${log()}`);
    const { code } = await collect(
      kubectl,
      ["--server", origin, "--token", token, "--insecure-skip-tls-verify", "get", "--raw", pathname],
      "",
      "/dev/null",
    );
    if (code === 0) return;
    await sleep(200);
  }
  throw new Error(`the API server was not ready within 30 s:\n${log()}`);
}

async function collect(program: string, args: readonly string[], input: string, kubeconfigPath: string): Promise<Output> {
  const child = spawn(program, args, { env: { ...process.env, KUBECONFIG: kubeconfigPath }, stdio: ["pipe", "pipe", "pipe"] });
  let out = "";
  let error = "";
  child.stdout.on("data", (chunk) => (out += String(chunk)));
  child.stderr.on("data", (chunk) => (error += String(chunk)));
  child.stdin.end(input);
  const code = await new Promise<number>((resolve, reject) => child.once("error", reject).once("close", (status) => resolve(status ?? 1)));
  return { code, out, error };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await gone;
}
