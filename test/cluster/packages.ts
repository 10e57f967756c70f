import { existsSync } from "node:fs";
import { chmod, mkdir, rm, writeFile } from "node:fs/promises";
import { run, which } from "./commands.ts";
import { home } from "./home.ts";
import { withLock } from "./lock.ts";
import { StepError, step } from "./progress.ts";

type Packages = readonly (readonly [packageName: string, proof: string])[];

/** What the servers and the image builds call on the machine, and the Debian package that brings it. */
const SERVER_TOOLS: Packages = [
  ["ca-certificates", "/etc/ssl/certs/ca-certificates.crt"],
  ["util-linux", "unshare"],
  ["debootstrap", "debootstrap"],
  ["debian-archive-keyring", "/usr/share/keyrings/debian-archive-keyring.gpg"],
  ["buildah", "buildah"],
];

/** What a node of ours calls besides. */
const NODE_TOOLS: Packages = [
  ["openssl", "openssl"],
  ["iproute2", "ip"],
  ["procps", "sysctl"],
  ["nftables", "nft"],
  ["conntrack", "conntrack"],
  ["containerd", "containerd"],
  ["runc", "runc"],
  ["containernetworking-plugins", "/usr/lib/cni/ptp"],
];

async function present(proof: string): Promise<boolean> {
  return proof.startsWith("/") ? existsSync(proof) : (await which(proof)) !== undefined;
}

/** Makes sure that the machine can carry the servers and, unless the cluster is the user's own, a node. Throws with what to do where it cannot. */
export async function ensureMachine({ node }: { readonly node: boolean }): Promise<void> {
  const task = node ? "start the local cluster" : "start RabbitMQ and Redis beside your cluster";
  if (process.platform !== "linux") throw new StepError(task, `it needs Linux and this is ${process.platform}; use a Linux machine`);
  if (process.arch !== "x64") throw new StepError(task, `it is made for x64 and this is ${process.arch}; use an x64 machine`);
  if (process.getuid?.() !== 0) throw new StepError(task, `it needs root (mounts and network namespaces); run it with sudo`);
  await ensurePackages(node ? [...SERVER_TOOLS, ...NODE_TOOLS] : SERVER_TOOLS);
}

/** Installs those packages whose proof (a program or a file) is missing. Services that they bring are not started. */
export async function ensurePackages(wanted: Packages): Promise<void> {
  const missing = await absent(wanted);
  if (missing.length === 0) return;
  if (!(await which("apt-get"))) {
    throw new StepError("install what is missing", `this machine has no apt; install ${missing.join(", ")} with its own package manager`);
  }
  await withLock("apt", async () => {
    const still = await absent(wanted);
    if (still.length > 0) await step(`installing ${still.join(", ")}`, () => install(still));
  });
}

async function absent(wanted: Packages): Promise<string[]> {
  const found = await Promise.all(wanted.map(async ([name, proof]) => ((await present(proof)) ? [] : [name])));
  return found.flat();
}

async function install(packages: readonly string[]): Promise<void> {
  const log = `${home().logs}/apt.log`;
  const options = {
    log,
    step: `install ${packages.join(", ")}`,
    env: { DEBIAN_FRONTEND: "noninteractive" },
    advice: "see whether `apt-get update` works on this machine",
  };
  await withoutServices(async () => {
    await run("apt-get", ["update", "-q"], options);
    await run("apt-get", ["install", "-q", "-y", "--no-install-recommends", ...packages], options);
  });
}

/** Debian starts every service that it installs, unless this script forbids it. An administrator's own script is left in place. */
async function withoutServices(work: () => Promise<void>): Promise<void> {
  const policy = "/usr/sbin/policy-rc.d";
  const ours = !existsSync(policy);
  if (ours) {
    await mkdir("/usr/sbin", { recursive: true });
    await writeFile(policy, "#!/bin/sh\nexit 101\n");
    await chmod(policy, 0o755);
  }
  try {
    await work();
  } finally {
    if (ours) await rm(policy, { force: true });
  }
}
