import { existsSync } from "node:fs";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { run } from "./commands.ts";
import { home } from "./home.ts";
import type { Network } from "./network.ts";
import { writeJson } from "./state.ts";

/** One certificate: who it is, and what it may be used for. */
interface Leaf {
  readonly name: string;
  readonly subject: string;
  readonly extensions: readonly string[];
}

const leaves = ({ gateway, apiService }: Network): readonly Leaf[] => [
  {
    name: "apiserver",
    subject: "/CN=kube-apiserver",
    extensions: [
      "extendedKeyUsage=serverAuth",
      `subjectAltName=IP:${gateway},IP:127.0.0.1,IP:${apiService},DNS:localhost,${["kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local"].map((name) => `DNS:${name}`).join(",")}`,
    ],
  },
  // With this one the API server reads logs and runs commands on the kubelet.
  { name: "kubelet-client", subject: "/O=system:masters/CN=kube-apiserver-kubelet-client", extensions: ["extendedKeyUsage=clientAuth"] },
  // With this one it vouches for users in front of aggregated APIs.
  { name: "front-proxy", subject: "/CN=front-proxy-client", extensions: ["extendedKeyUsage=clientAuth"] },
];

/** The folder with the cluster's certificates, made once: `ca`, the leaves above, and `sa.key`/`sa.pub` for service accounts. */
export async function ensureCertificates(network: Network): Promise<string> {
  const folder = join(home().run, "certificates");
  if (existsSync(folder)) return folder;
  const draft = `${folder}.partial`;
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { mode: 0o700 });
  const openssl = (...args: string[]) => run("openssl", args, { cwd: draft, step: "make the cluster's certificates" });
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  await openssl("req", "-x509", ...newKey, "-days", "3650", "-subj", "/CN=longshore-local-ca", "-keyout", "ca.key", "-out", "ca.crt");
  for (const { name, subject, extensions } of leaves(network)) {
    await openssl("req", ...newKey, "-subj", subject, "-keyout", `${name}.key`, "-out", `${name}.csr`);
    await writeFile(join(draft, `${name}.ext`), extensions.join("\n"));
    await openssl(
      "x509",
      "-req",
      "-in",
      `${name}.csr`,
      "-CA",
      "ca.crt",
      "-CAkey",
      "ca.key",
      "-CAcreateserial",
      "-days",
      "3650",
      "-extfile",
      `${name}.ext`,
      "-out",
      `${name}.crt`,
    );
  }
  await openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", "sa.key");
  await openssl("pkey", "-in", "sa.key", "-pubout", "-out", "sa.pub");
  await rename(draft, folder);
  return folder;
}

/** Writes the administrator's kubeconfig, for its owner only. */
export async function writeKubeconfig(server: string, token: string, certificates: string): Promise<string> {
  const authority = (await readFile(join(certificates, "ca.crt"))).toString("base64");
  const path = kubeconfigPath();
  const config = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "longshore", cluster: { server, "certificate-authority-data": authority } }],
    users: [{ name: "admin", user: { token } }],
    contexts: [{ name: "longshore", context: { cluster: "longshore", user: "admin", namespace: "default" } }],
    "current-context": "longshore",
  };
  writeJson(path, config);
  return path;
}

/** Where the local cluster's kubeconfig is, whether or not it exists. */
export function kubeconfigPath(): string {
  return join(home().run, "admin.conf");
}
