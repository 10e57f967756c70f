import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";

const ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount";

/** The kubeconfig of a bench's own API server: one cluster, and one user with a token. */
const kubeconfigSchema = z.object({
  clusters: z.tuple([z.object({ cluster: z.object({ server: z.url(), "certificate-authority-data": z.base64() }) })]),
  users: z.tuple([z.object({ user: z.object({ token: z.string() }) })]),
});

/** Run by Node before the program: where a pod has its service account, the program reads files of `folder`. */
const preload = (folder: string): string => `
  import fs from "node:fs/promises";
  import { syncBuiltinESMExports } from "node:module";
  const { readFile } = fs;
  fs.readFile = (path, ...rest) => readFile(String(path).replace(${JSON.stringify(ACCOUNT)}, ${JSON.stringify(folder)}), ...rest);
  syncBuiltinESMExports();
`;

export interface PodLogin {
  readonly env: Readonly<Record<string, string>>;
  /** For Node, before the program. */
  readonly flags: readonly string[];
}

/**
 * Lets a process on this machine log in as a pod does, with a service account's files, which it finds in `folder`. With a kubeconfig it would load the
 * Kubernetes client package, which takes 30 MB that no pod has.
 */
export async function asPod(kubeconfig: string, folder: string): Promise<PodLogin> {
  const parsed = kubeconfigSchema.parse(JSON.parse(await readFile(kubeconfig, "utf8")));
  const [{ cluster }, { user }] = [parsed.clusters[0], parsed.users[0]];
  await mkdir(folder, { recursive: true });
  const files = { "ca.crt": Buffer.from(cluster["certificate-authority-data"], "base64"), token: user.token, namespace: "default" };
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
  const { hostname, port } = new URL(cluster.server);
  return {
    env: { KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port },
    flags: ["--import", `data:text/javascript,${encodeURIComponent(preload(folder))}`],
  };
}
